package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
)

// Nobody gets in without a token that counts, and with one only where it is for.
func TestTokensOpenWhatTheyAreFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, budget.Memory(), t.TempDir())
		defer b.stop()
		time.Sleep(20 * time.Second)
		synctest.Wait()
		all, late := give(*b.tokens.grants.Load(), grant{Name: "late", Operator: true, Until: time.Now()})
		b.tokens.grants.Store(&all)
		asker, operator, person := b.demo[0], b.demo[1], b.demo[2]
		for path, may := range map[string]string{
			"/questions": asker + operator, "/releases": asker + operator, "/trend": asker, "/budget": asker + operator,
			"/operator": operator, "/metrics": operator, "/consent": person,
		} {
			for _, token := range []string{"", "x", late, asker, operator, person} {
				status := http.StatusForbidden
				switch {
				case token == "" || token == "x" || token == late:
					status = http.StatusUnauthorized
				case strings.Contains(may, token):
					status = http.StatusOK
				}
				if w := b.ask(token, "GET", path, ""); w.Code != status {
					t.Errorf("%s with token %q: %d, want %d: %s", path, token, w.Code, status, w.Body)
				}
			}
		}
		want(t, b.post(operator, "a", "months"), http.StatusForbidden, "forbidden")
		for _, path := range []string{"/", "/statement", "/healthz", "/readyz", "/openapi.json", "/style.css", "/problems/budget"} {
			want(t, b.ask("", "GET", path, ""), http.StatusOK, "")
		}
	})
}

// Whoever uses a browser is told no by a page, with what to do.
func TestABrowserIsToldNoByAPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, budget.Memory(), t.TempDir())
		defer b.stop()
		for path, status := range map[string]int{"/operator": http.StatusForbidden, "/consent": http.StatusUnauthorized, "/nowhere": http.StatusNotFound, "/problems/budget": http.StatusOK} {
			token := map[int]string{http.StatusForbidden: b.demo[0]}[status]
			w := b.ask(token, "GET", path, "", "Accept", "text/html")
			if w.Code != status || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(w.Body.String(), "<h1>") {
				t.Errorf("%s: %d %v %s", path, w.Code, w.Header(), w.Body)
			}
		}
		w := b.ask(b.demo[2], "POST", "/consent", "purpose=*&choice=yes", "Content-Type", "application/x-www-form-urlencoded", "Sec-GPC", "1", "Accept", "text/html")
		if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "Switch it off for this site") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

// Tokens, keys, names, who said no, and rows are in no log, and tokens are not on the disk.
func TestNothingPrivateIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		b := start(t, budget.Memory(), folder)
		want(t, b.post(b.demo[0], "secret-key", "months"), http.StatusAccepted, "")
		want(t, b.ask(b.demo[2], "PUT", "/consent", `{"purpose":"*","choice":"no"}`, "Content-Type", "application/json"), http.StatusNoContent, "")
		want(t, b.ask("wrong-token", "GET", "/budget", ""), http.StatusUnauthorized, "nobody")
		want(t, b.ask(b.demo[0], "GET", "/nowhere/secret-path?secret-query=1", ""), http.StatusNotFound, "missing")
		if err := os.WriteFile(filepath.Join(folder, "purchases.csv"), []byte("customer,date,cds,dollars\n00042,secret-date,1,2\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		want(t, b.ask(b.demo[0], "GET", "/releases/secret-key", ""), http.StatusAccepted, "")
		w := b.ask(b.demo[1], "GET", "/operator", "")
		if field[bool](t, w, "right") || !strings.Contains(w.Body.String(), "could not be read") {
			t.Errorf("operators are not told that the rows cannot be read: %s", w.Body)
		}
		b.stop()
		log := b.log.String()
		if !strings.Contains(log, "a release is not finished") {
			t.Fatal("nothing was logged: this test would see nothing")
		}
		for _, secret := range []string{b.demo[0], b.demo[1], b.demo[2], "wrong-token", "secret", "00042", "demo", "purchases.csv"} {
			if strings.Contains(log, secret) {
				t.Errorf("the log has %q", secret)
			}
		}
	})
}

// Every attribute of the log is named as OpenTelemetry names it, or is one of this project's, and none has what was sent.
func TestTheLogHasTheNamesOfOpenTelemetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, budget.Memory(), t.TempDir())
		want(t, b.post(b.demo[0], "a", "weekdays"), http.StatusAccepted, "")
		b.ask(b.demo[0], "GET", "/releases/a", "")
		b.ask(b.demo[0], "SECRET", "/releases/secret", "")
		time.Sleep(time.Minute)
		synctest.Wait()
		b.stop()
		conventions := []string{"time", "level", "msg", "service.name", "http.request.method", "http.route", "http.response.status_code", "error.type", "exception.type"}
		requests := ""
		for line := range strings.Lines(b.log.String()) {
			var said map[string]any
			if err := json.Unmarshal([]byte(line), &said); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			for name := range said {
				if !slices.Contains(conventions, name) && !strings.HasPrefix(name, "equipoise.") {
					t.Errorf("the log has %q: %s", name, line)
				}
			}
			if said["msg"] == "request" {
				requests += fmt.Sprintln(said["service.name"], said["http.request.method"], said["http.route"], said["http.response.status_code"])
			}
		}
		if requests != "service POST /releases 202\nservice GET /releases/{key} 202\nservice _OTHER <nil> 405\n" {
			t.Errorf("requests are\n%s", requests)
		}
	})
}

func TestTokensAreOnTheDiskAsHashesOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.json")
	var out, errs strings.Builder
	if err := newToken([]string{"-tokens", path, "-name", "demo", "-purposes", "research"}, &out, &errs); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	token := strings.TrimSpace(out.String())
	if err != nil || token == "" || strings.Contains(string(text), token) {
		t.Fatalf("%v: %q in %s", err, token, text)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	known := &tokens{path: path}
	r, _ := http.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	if err := known.read(); err != nil {
		t.Fatal(err)
	}
	if who, err := known.Who(r); err != nil || who.Name != "demo" || !who.may(research) || who.may(trend) {
		t.Errorf("%v, %v", who, err)
	}
	for _, args := range [][]string{{"-name", "a/b"}, {"-name", ""}, {"-name", "a", "-person", "1", "-operator"}} {
		if err := newToken(append(args, "-tokens", path), &out, &errs); err == nil {
			t.Errorf("%v made a token", args)
		}
	}
}

// Who is replaced, or leaves, has no token any more, and nobody else loses one.
func TestTokensAreTakenAway(t *testing.T) {
	known := &tokens{path: filepath.Join(t.TempDir(), "tokens.json")}
	give := func(args ...string) string {
		t.Helper()
		var out, errs strings.Builder
		if err := newToken(append(args, "-tokens", known.path), &out, &errs); err != nil {
			t.Fatal(err)
		}
		if err := known.read(); err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out.String())
	}
	counts := func(all ...string) (n int) {
		for _, token := range all {
			r, _ := http.NewRequest("GET", "/", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			if _, err := known.Who(r); err == nil {
				n++
			}
		}
		return n
	}
	first, ben, second := give("-name", "ann"), give("-name", "ben"), give("-name", "ann")
	if counts(first, ben, second) != 3 {
		t.Fatal("a name cannot have two")
	}
	if said := give("-name", "ann", "-leave", "1"); said != "" || counts(first) != 0 || counts(ben, second) != 2 {
		t.Errorf("%q: of the first %d count, of the others %d", said, counts(first), counts(ben, second))
	}
	if give("-name", "ann", "-leave", "0"); counts(first, second) != 0 || counts(ben) != 1 {
		t.Errorf("of ann's %d count, of ben's %d", counts(first, second), counts(ben))
	}
	if err := newToken([]string{"-tokens", known.path, "-name", "ann", "-leave", "0"}, &strings.Builder{}, &strings.Builder{}); err == nil {
		t.Error("somebody who has no token lost one")
	}
}

// anybody is an identity that lets a request say who sends it, as a careless one would.
type anybody struct{}

func (anybody) Who(r *http.Request) (caller, error) {
	return caller{Name: r.Header.Get("Name"), Purposes: []string{research, trend}}, nil
}

// Whatever an identity says, nobody is taken for the program itself, or for somebody whose keys begin alike.
func TestNamesThatMeanSomethingElseAreNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, budget.Memory(), t.TempDir())
		defer b.stop()
		b.identity = anybody{}
		for name, status := range map[string]int{"demo": http.StatusOK, "": http.StatusUnauthorized, nightly: http.StatusUnauthorized, "demo/x": http.StatusUnauthorized} {
			if w := b.ask("", "GET", "/releases", "", "Name", name); w.Code != status {
				t.Errorf("%q: %d, want %d", name, w.Code, status)
			}
		}
	})
}
