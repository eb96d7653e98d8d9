package browsertest

import (
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var shots = flag.String("shots", "", "a `folder` to keep screenshots in")

// find returns the path of a browser. If there is none, the test fails when it is
// required, and otherwise says how to run it.
func find(t *testing.T) string {
	t.Helper()
	names := []string{os.Getenv("EQUIPOISE_CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell"}
	for _, n := range names {
		if path, err := exec.LookPath(n); n != "" && err == nil {
			return path
		}
	}
	const how = "NO BROWSER FOUND: the pages were NOT tested. Install chromium, or name one in EQUIPOISE_CHROMIUM"
	if os.Getenv("EQUIPOISE_REQUIRE_CHROMIUM") == "1" {
		t.Fatal(how)
	}
	t.Skip(how + "; EQUIPOISE_REQUIRE_CHROMIUM=1 makes this a failure")
	return ""
}

// start starts the browser, without anything that would use a network.
func start(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(find(t)), chromedp.UserDataDir(profile(t)), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("the browser does not start: %v", err)
	}
	return ctx
}

// profile returns a folder for what a browser keeps. It is gone after the test, once all of the
// browser's processes have ended, of which some still write for a moment.
func profile(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "browser")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for tries := 0; os.RemoveAll(folder) != nil; tries++ {
			if tries == 10_000 {
				t.Errorf("%s cannot be removed", folder)
				return
			}
		}
	})
	return folder
}

// A view is a way to look at a page.
type view struct {
	name   string
	width  int64
	media  string
	scheme string
}

var views = []view{
	{"phone-light", 360, "screen", "light"},
	{"phone-dark", 360, "screen", "dark"},
	{"desk-light", 1280, "screen", "light"},
	{"desk-dark", 1280, "screen", "dark"},
	{"paper", 703, "print", "dark"}, // A4 less its margins, for somebody who likes it dark
}

//go:embed inspect.js
var inspect string

// A sight is a page to look at.
type sight struct {
	name     string
	url      string
	headings string          // that it must have, as JSON
	sends    network.Headers // of every request
	loads    string          // the one address of a style that it may load
}

// look opens a page, without script, and lists what is wrong with it.
func look(t *testing.T, browser context.Context, s sight, v view) {
	t.Helper()
	tab, closeTab := chromedp.NewContext(browser)
	defer closeTab()
	tab, stop := context.WithTimeout(tab, time.Minute)
	defer stop()
	noise := listen(tab, s)

	var found string
	err := chromedp.Run(tab,
		network.Enable(), log.Enable(), runtime.Enable(), network.SetExtraHTTPHeaders(s.sends), emulation.SetScriptExecutionDisabled(true),
		emulation.SetDeviceMetricsOverride(v.width, 900, 1, false),
		emulation.SetEmulatedMedia().WithMedia(v.media).WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v.scheme}}),
		chromedp.Navigate(s.url),
		chromedp.Evaluate(inspect+fmt.Sprintf("(%s, %q)", s.headings, s.loads), &found),
		chromedp.ActionFunc(func(ctx context.Context) error { return keep(ctx, s.name, v) }),
	)
	if err != nil {
		t.Fatal(err)
	}
	var faults []string
	if err := json.Unmarshal([]byte(found), &faults); err != nil {
		t.Fatal(err)
	}
	for _, f := range append(faults, noise()...) {
		t.Error(f)
	}
}

// listen collects errors in the console, exceptions, and requests for anything
// but the page itself and its style.
func listen(tab context.Context, s sight) (heard func() []string) {
	var mu sync.Mutex
	var all []string
	add := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, fmt.Sprintf(format, args...))
	}
	chromedp.ListenTarget(tab, func(event any) {
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			add("console: %s", e.Type)
		case *runtime.EventExceptionThrown:
			add("exception: %s", e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			add("log: %s", e.Entry.Text)
		case *network.EventRequestWillBeSent:
			if u := e.Request.URL; !strings.HasPrefix(u, "data:") && u != s.url && u != s.loads {
				add("request for %s", u)
			}
		}
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

// keep keeps a screenshot, or a PDF of the printed page, if they are wanted.
func keep(ctx context.Context, name string, v view) error {
	if *shots == "" {
		return nil
	}
	if err := os.MkdirAll(*shots, 0o777); err != nil {
		return err
	}
	to := filepath.Join(*shots, name+"-"+v.name)
	if v.media == "print" {
		pdf, _, err := page.PrintToPDF().WithPaperWidth(8.27).WithPaperHeight(11.69).WithPreferCSSPageSize(true).Do(ctx)
		if err != nil {
			return err
		}
		if err := os.WriteFile(to+".pdf", pdf, 0o666); err != nil {
			return err
		}
	}
	png, err := page.CaptureScreenshot().WithCaptureBeyondViewport(true).Do(ctx)
	if err != nil {
		return err
	}
	return os.WriteFile(to+".png", png, 0o666)
}
