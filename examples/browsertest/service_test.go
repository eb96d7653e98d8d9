package browsertest

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A service is a running one.
type service struct {
	t                       *testing.T
	address                 string // without a slash at the end
	asker, operator, person string // tokens
	end                     func()
}

// serve starts the service on a ledger, with the data that is embedded in it.
func serve(t *testing.T, programs, ledger string) *service {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(programs, "service"), "-address", "127.0.0.1:0", "-tick", "1s", "-ledger", ledger)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() { cmd.Process.Kill(); cmd.Wait() }) //nolint:errcheck // it has ended then
	t.Cleanup(end)
	lines := bufio.NewScanner(out)
	said := func() string {
		lines.Scan()
		return lines.Text()
	}
	token := func() string {
		_, token, _ := strings.Cut(said(), ": ")
		return token
	}
	return &service{t: t, end: end, address: strings.TrimSuffix(said(), "/"), asker: token(), operator: token(), person: token()}
}

// programs builds the service and the command over its ledger.
func programs(t *testing.T) (folder string, ledger func(args ...string)) {
	t.Helper()
	folder = t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", folder, "./service", "./ledger")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return folder, func(args ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), filepath.Join(folder, "ledger"), args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
}

// send sends a request and returns the status and the answer.
func (s *service) send(token, method, path, body string, headers ...string) (int, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.address+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return a.StatusCode, string(text)
}

// ask asks under a key, and waits for the release if it is accepted.
func (s *service) ask(key, question string) int {
	s.t.Helper()
	status, _ := s.send(s.asker, "POST", "/releases", `{"question":"`+question+`"}`, "Idempotency-Key", key, "Content-Type", "application/json")
	if status == http.StatusAccepted {
		s.until(s.asker, "/releases/"+key, `"finished"`)
	}
	return status
}

// until waits until what is at an address has a text.
func (s *service) until(token, path, text string) {
	s.t.Helper()
	for every := time.NewTicker(100 * time.Millisecond); ; <-every.C {
		_, answer := s.send(token, "GET", path, "")
		if strings.Contains(answer, text) {
			return
		}
		if deadline, _ := s.t.Deadline(); time.Until(deadline) < 20*time.Second {
			s.t.Fatalf("%s never has %q: %s", path, text, answer)
		}
	}
}

// pages are those of the service, for whom they are.
func (s *service) pages(when string, more network.Headers) []sight {
	of := func(name, path, token string, headings ...string) sight {
		list, _ := json.Marshal(headings)
		sends := network.Headers{}
		if token != "" {
			sends["Authorization"] = "Bearer " + token
		}
		for name, value := range more {
			sends[name] = value
		}
		return sight{name: when + "-" + name, url: s.address + path, headings: string(list), sends: sends, loads: s.address + "/style.css"}
	}
	return []sight{
		of("home", "/", "", "Questions about purchases", "What may be asked", "How"),
		of("statement", "/statement", "", "In short", "What for", "Everything that was published"),
		of("budget", "/budget", s.asker, "What still fits", "Who holds it"),
		of("consent", "/consent", s.person, "Your choice", "What you have said"),
		of("operator", "/operator", s.operator, "Everything that is looked at"),
		of("refusal", "/problems/budget", "", "The budget does not allow it"),
	}
}

// The life of a service, as those see it who use a browser: it is new, is asked, is told no by a person, refuses, is
// stopped after an incident, and is restored.
func TestServiceInABrowser(t *testing.T) {
	browser, folder := start(t), t.TempDir()
	programs, ledger := programs(t)
	first, saved, restored := filepath.Join(folder, "service.db"), filepath.Join(folder, "saved.jsonl"), filepath.Join(folder, "restored.db")
	s := serve(t, programs, first)
	s.until(s.asker, "/trend", "1997-01") // the first night's work is done
	s.visit(browser, "new", nil, views...)
	for _, question := range []string{"months", "weekdays", "baskets"} {
		if status := s.ask(question, question); status != http.StatusAccepted {
			t.Fatalf("%s: %d", question, status)
		}
	}
	s.sayNoByKeyboard(browser)
	s.visit(browser, "asked", nil, views...)
	for i := 0; s.ask("more-"+string(rune('a'+i)), "months") == http.StatusAccepted; i++ {
	}
	ledger("--ledger", first, "incident", "--freeze", "--reason", "a laptop was lost", "--by", "rao", "--noticed", "2026-01-02T10:00:00Z", "--out", filepath.Join(folder, "incident.html"))
	s.until("", "/statement", "a laptop was lost")
	s.visit(browser, "incident", network.Headers{"Sec-GPC": "1"}, views...)
	s.end()
	ledger("--ledger", first, "export", "--out", saved)
	ledger("--ledger", restored, "import", saved)
	ledger("--ledger", restored, "thaw", "--reason", "it was encrypted", "--by", "rao")
	s = serve(t, programs, restored)
	s.until(s.asker, "/releases/months", `"finished"`)
	s.visit(browser, "restored", nil, views[0])
}

// visit looks at every page in some views, and goes through it by keyboard and as a screen reader does.
func (s *service) visit(browser context.Context, when string, more network.Headers, in ...view) {
	for _, p := range s.pages(when, more) {
		for _, v := range in {
			s.t.Run(p.name+"/"+v.name, func(t *testing.T) { look(t, browser, p, v) })
		}
		s.t.Run(p.name+"/keyboard", func(t *testing.T) { walk(t, browser, p) })
		s.t.Run(p.name+"/screen reader", func(t *testing.T) { listenTo(t, browser, p) })
	}
}

// in opens a page in a tab of its own, without script.
func in(t *testing.T, browser context.Context, p sight, actions ...chromedp.Action) {
	t.Helper()
	tab, closeTab := chromedp.NewContext(browser)
	defer closeTab()
	tab, stop := context.WithTimeout(tab, time.Minute)
	defer stop()
	before := []chromedp.Action{
		network.Enable(), network.SetExtraHTTPHeaders(p.sends), emulation.SetScriptExecutionDisabled(true),
		emulation.SetDeviceMetricsOverride(360, 640, 1, false), chromedp.Navigate(p.url),
	}
	if err := chromedp.Run(tab, append(before, actions...)...); err != nil {
		t.Fatal(err)
	}
}

//go:embed focus.js
var focus string

// A stop is what the key Tab leads to.
type stop struct {
	At    int      // among all that can be used, in the order of the page
	Last  bool     // of them
	Fault []string // why somebody who sees would not know where they are
}

// walk presses Tab until everything was reached: what can be used is reached in the order in which it is read, and
// where one is can be seen.
func walk(t *testing.T, browser context.Context, p sight) {
	in(t, browser, p, chromedp.ActionFunc(func(ctx context.Context) error {
		for want := 0; ; want++ {
			var s stop
			if err := chromedp.Run(ctx, chromedp.KeyEvent(kb.Tab), chromedp.Evaluate(focus, &s)); err != nil {
				return err
			}
			for _, f := range s.Fault {
				t.Error(f)
			}
			if s.At != want {
				t.Errorf("after %d times Tab one is at %d", want+1, s.At)
				return nil
			}
			if s.Last {
				return nil
			}
		}
	}))
}

// sayNoByKeyboard is somebody without a mouse, and without script, who says no.
func (s *service) sayNoByKeyboard(browser context.Context) {
	s.t.Helper()
	var said string
	in(s.t, browser, s.pages("", nil)[3], chromedp.ActionFunc(func(ctx context.Context) error {
		for range 30 {
			var text string
			if err := chromedp.Run(ctx, chromedp.KeyEvent(kb.Tab), chromedp.Evaluate("document.activeElement.textContent", &text)); err != nil {
				return err
			}
			if strings.HasPrefix(text, "No,") {
				return nil
			}
		}
		return os.ErrNotExist
	}), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("dl"), chromedp.Text("dl", &said))
	if got := strings.Fields(said); !slices.Equal(got, []string{"everything", "no"}) {
		s.t.Errorf("the page says %q", said)
	}
	if _, answer := s.send(s.person, "GET", "/consent", ""); !strings.Contains(answer, `{"purpose":"*","choice":"no"}`) {
		s.t.Errorf("the service has %s", answer)
	}
}

// A node is one of the tree of accessibility.
type node struct {
	Ignored    bool  `json:"ignored"`
	Role       value `json:"role"`
	Name       value `json:"name"`
	Properties []struct {
		Name  string `json:"name"`
		Value value  `json:"value"`
	} `json:"properties"`
}

type value struct {
	Value any `json:"value"`
}

// named are the roles in the tree of accessibility which a screen reader says by name.
var named = []string{"link", "button", "radio", "checkbox", "textbox", "combobox", "table", "meter", "navigation", "group", "region", "heading", "columnheader", "rowheader", "RootWebArea"}

// listenTo reads the tree of accessibility: everything that has to has a name, headings are in order, there is one main
// part, and the language is said.
func listenTo(t *testing.T, browser context.Context, p sight) {
	var tree struct {
		Nodes []node `json:"nodes"`
	} // package accessibility refuses what is newer than it
	var lang string
	in(t, browser, p, chromedp.Evaluate("document.documentElement.lang", &lang), chromedp.ActionFunc(func(ctx context.Context) error {
		return cdp.Execute(ctx, accessibility.CommandGetFullAXTree, nil, &tree)
	}))
	if lang != "en" {
		t.Errorf("the language is %q", lang)
	}
	count, level := map[string]int{}, 0
	for _, n := range tree.Nodes {
		if n.Ignored {
			continue
		}
		role, name := fmt.Sprint(n.Role.Value), fmt.Sprint(n.Name.Value)
		count[role]++
		if slices.Contains(named, role) && (n.Name.Value == nil || strings.TrimSpace(name) == "") {
			t.Errorf("a %s has no name", role)
		}
		if role == "heading" {
			level = below(t, n, name, level)
		}
	}
	if count["main"] != 1 || count["heading"] == 0 || count["navigation"] != 1 {
		t.Errorf("parts are %v", count)
	}
}

// below checks that a heading is at most one level below the one before.
func below(t *testing.T, n node, name string, before int) int {
	for _, p := range n.Properties {
		if p.Name == "level" {
			level, _ := p.Value.Value.(float64)
			if int(level) > before+1 || (before == 0) != (level == 1) {
				t.Errorf("the heading %q is of level %v after %d", name, level, before)
			}
			return int(level)
		}
	}
	t.Errorf("the heading %q has no level", name)
	return before
}
