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
		chromedp.ExecPath(find(t)), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
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

// A report is a page to look at.
type report struct {
	name string
	args []string
}

const visits = "who,day,paid,country\n"

// reports are pages of every kind: the embedded data, groups, days, no rows.
var reports = []report{
	{"default", nil},
	{"truth", []string{"-truth"}},
	{"days", []string{"-period", "day", "-from", "1997-01-01", "-to", "1997-03-31"}},
	{"groups", []string{"-by", "cds", "-groups", "1,2,3", "-period", "quarter"}},
	{"selected", []string{"-by", "cds", "-from", "", "-to", ""}},
	{"empty", []string{"-input", "none.csv", "-unit", "who", "-time", "day"}},
	{"nobody", []string{"-epsilon", "20", "-limit", "20", "-from", "", "-to", ""}},
	{"unknown", []string{"-epsilon", "0.05", "-period", "quarter", "-by", "cds", "-groups", "30,31"}},
	{"series", []string{"-series", "78 weeks"}},
	{"series-begun", []string{"-series", "365 days", "-to", "1997-01-20"}},
	{"series-groups", []string{"-series", "18 months", "-by", "cds", "-groups", "1,2,30", "-epsilon", "0.1"}},
	{"one", []string{"-input", "none.csv", "-unit", "who", "-time", "day", "-value", "paid", "-upper", "1000000", "-from", "2026-01", "-to", "2026-01", "-currency", "€"}},
}

// headings returns, as JSON, those that the page must have.
func (r report) headings() string {
	switch {
	case r.name == "series-groups":
		return `["All together", "1", "2", "30"]`
	case strings.HasPrefix(r.name, "series"):
		return `["Over time"]`
	}
	return `["The trends", "What is protected, and what is not", "What it cost, and what is left", "What was asked, and how exactly it could be answered", "Receipt"]`
}

// build makes the pages, each with a ledger of its own.
func build(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "trends.exe")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	command.Dir = ".."
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "none.csv"), []byte(visits), 0o666); err != nil {
		t.Fatal(err)
	}
	pages := make(map[string]string)
	for _, r := range reports {
		pages[r.name] = filepath.Join(dir, r.name+".html")
		command := exec.CommandContext(t.Context(), program, append(r.args, "-out", pages[r.name], "-ledger", r.name+".db")...)
		command.Dir = dir
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", r.name, err, out)
		}
	}
	return pages
}

// TestPagesFitTheirScreens looks at every page at the width of a phone and of a desk, in light
// and dark, and as it would be printed.
func TestPagesFitTheirScreens(t *testing.T) {
	browser := start(t)
	pages := build(t)
	for _, r := range reports {
		for _, v := range views {
			t.Run(r.name+"/"+v.name, func(t *testing.T) { look(t, browser, pages[r.name], r, v) })
		}
	}
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

// look opens a page and lists what is wrong with it.
func look(t *testing.T, browser context.Context, path string, r report, v view) {
	tab, closeTab := chromedp.NewContext(browser)
	defer closeTab()
	tab, stop := context.WithTimeout(tab, time.Minute)
	defer stop()
	noise := listen(tab, path)

	var found string
	err := chromedp.Run(tab,
		network.Enable(), log.Enable(), runtime.Enable(),
		emulation.SetDeviceMetricsOverride(v.width, 900, 1, false),
		emulation.SetEmulatedMedia().WithMedia(v.media).WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v.scheme}}),
		chromedp.Navigate("file://"+path),
		chromedp.Evaluate(inspect+"("+r.headings()+")", &found),
		chromedp.ActionFunc(func(ctx context.Context) error { return keep(ctx, r.name, v) }),
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
// but the page itself.
func listen(tab context.Context, path string) (heard func() []string) {
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
			if u := e.Request.URL; !strings.HasPrefix(u, "data:") && u != "file://"+path {
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
