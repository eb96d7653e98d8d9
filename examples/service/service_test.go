package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
)

// volatile is a ledger in memory.
type volatile struct{ budget.Store }

func (volatile) Writable(context.Context) error { return nil }

// A bench is a service under test, with a log that is kept.
type bench struct {
	*service
	handler http.Handler
	log     *bytes.Buffer
	stop    func()
}

// start starts a service on a store, in a folder with the choices.
func start(t testing.TB, store budget.Store, folder string) *bench {
	t.Helper()
	b := &bench{log: &bytes.Buffer{}}
	o, err := parse([]string{"-data", rowsIn(t, folder), "-tick", "10s"}, b.log)
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{store: volatile{store}, close: func() error { return nil }}
	if err := l.open(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	said, err := openChoices(context.Background(), filepath.Join(folder, "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	b.service, err = assemble(o, slog.New(slog.NewJSONHandler(b.log, nil)), l, said)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	end := b.service.start(ctx)
	b.handler = b.service.handler()
	b.stop = func() {
		cancel()
		end()
		if err := b.close(); err != nil {
			t.Error(err)
		}
	}
	return b
}

// rowsIn writes made-up purchases of 3,000 customers.
func rowsIn(t testing.TB, folder string) string {
	t.Helper()
	path := filepath.Join(folder, "purchases.csv")
	var b strings.Builder
	b.WriteString("customer,date,cds,dollars\n")
	for i := range 3000 {
		fmt.Fprintf(&b, "%05d,1997-%02d-%02d,1,%d.50\n", i, 1+i%12, 1+i%28, 5+i%40)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ask sends a request with a token, and headers as pairs.
func (b *bench) ask(token, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w
}

func (b *bench) post(token, key, question string) *httptest.ResponseRecorder {
	return b.ask(token, "POST", "/releases", `{"question":"`+question+`"}`, "Idempotency-Key", key, "Content-Type", "application/json")
}

func field[T any](t *testing.T, w *httptest.ResponseRecorder, name string) (v T) {
	t.Helper()
	var all map[string]json.RawMessage
	if err := json.Unmarshal(w.Body.Bytes(), &all); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	if err := json.Unmarshal(all[name], &v); err != nil {
		t.Fatalf("%s: %v: %s", name, err, w.Body)
	}
	return v
}

func want(t *testing.T, w *httptest.ResponseRecorder, status int, kind string) {
	t.Helper()
	if w.Code != status {
		t.Fatalf("status %d, want %d: %s", w.Code, status, w.Body)
	}
	if kind != "" && field[string](t, w, "type") != "/problems/"+kind {
		t.Fatalf("want the problem %s: %s", kind, w.Body)
	}
}

// Nothing but payments is recorded at other times than in the middle between two ticks, so neither receipts nor anchors tell how long rows
// took to read.
func TestReleasesAreRecordedBetweenTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, budget.Memory(), t.TempDir())
		defer b.stop()
		time.Sleep(time.Until(b.board.next()) + 3*time.Second)
		synctest.Wait()
		want(t, b.post(b.demo[0], "a", "weekdays"), http.StatusAccepted, "")
		paid, err := b.ledger.Anchor(t.Context())
		var at []time.Duration
		for last, end := paid, time.Now().Add(time.Minute); len(at) == 0 && err == nil && time.Now().Before(end); {
			time.Sleep(time.Second)
			synctest.Wait()
			var now budget.Anchor
			if now, err = b.ledger.Anchor(t.Context()); now != last {
				at = append(at, time.Since(time.Now().Truncate(b.board.every)))
				if body := b.ask("", "GET", "/statement", "").Body.String(); !strings.Contains(body, paid.String()) {
					t.Error("the statement is not that of the last tick")
				}
			}
		}
		if err != nil || len(at) == 0 || at[0] != b.board.every/2 {
			t.Errorf("%v: it was recorded %v after a tick, want half of one", err, at)
		}
		if b.ask(b.demo[0], "GET", "/releases/a", "").Code != http.StatusAccepted {
			t.Error("it is shown in the tick in which it was released")
		}
	})
}

// A result is not shown before the tick after the one in which it was begun, however fast it
// was, and is shown at that one.
func TestResultsAppearAtTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, budget.Memory(), t.TempDir())
		defer b.stop()
		time.Sleep(time.Until(b.board.next()) + 3*time.Second)
		synctest.Wait()
		w := b.post(b.demo[0], "a", "weekdays")
		want(t, w, http.StatusAccepted, "")
		if w.Header().Get("Location") != "/releases/a" || w.Header().Get("Retry-After") != "7" {
			t.Errorf("headers %v", w.Header())
		}
		accepted := time.Now()
		for b.ask(b.demo[0], "GET", "/releases/a", "").Code == http.StatusAccepted && time.Since(accepted) < time.Minute {
			time.Sleep(time.Second)
			synctest.Wait()
		}
		want(t, b.ask(b.demo[0], "GET", "/releases/a", ""), http.StatusOK, "")
		if d := time.Since(accepted); d != 17*time.Second {
			t.Errorf("it appeared after %v, want 17s: begun at the tick after 7s, released after 12s, shown at the next tick", d)
		}
	})
}

// What was accepted by a program that ended is finished by the next one, and paid once.
func TestWhatWasAcceptedIsFinishedByWhoeverStartsNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, folder := budget.Memory(), t.TempDir()
		first := start(t, store, folder)
		want(t, first.post(first.demo[0], "a", "baskets"), http.StatusAccepted, "")
		first.stop()
		next := start(t, store, folder)
		defer next.stop()
		want(t, next.ask(next.demo[0], "GET", "/releases/a", ""), http.StatusAccepted, "")
		want(t, next.post(next.demo[0], "a", "baskets"), http.StatusAccepted, "")
		time.Sleep(30 * time.Second)
		synctest.Wait()
		want(t, next.ask(next.demo[0], "GET", "/releases/a", ""), http.StatusOK, "")
		if spent := field[[]share](t, next.ask(next.demo[0], "GET", "/budget", ""), "purposes")[0].Spent; spent != "ε=0.1" {
			t.Errorf("spent %s", spent)
		}
	})
}

// Keys are those of one caller: nobody sees that another has used one.
func TestKeysArePerCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, budget.Memory(), t.TempDir())
		defer b.stop()
		all, other := give(*b.tokens.grants.Load(), grant{Name: "ben", Purposes: []string{research}, Until: time.Now().Add(day)})
		b.tokens.grants.Store(&all)
		want(t, b.post(b.demo[0], "a", "weekdays"), http.StatusAccepted, "")
		want(t, b.ask(other, "GET", "/releases/a", ""), http.StatusNotFound, "missing")
		want(t, b.ask(other, "GET", "/releases/demo%2Fa", ""), http.StatusNotFound, "missing")
		want(t, b.post(other, "a", "weekdays"), http.StatusForbidden, "policy") // ben is none of its askers
	})
}

func TestRefusalsSayWhatWouldFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, budget.Memory(), t.TempDir())
		defer b.stop()
		for i := range 10 {
			want(t, b.post(b.demo[0], fmt.Sprint("k", i), "months"), http.StatusAccepted, "")
		}
		w := b.post(b.demo[0], "k11", "weekdays")
		want(t, w, http.StatusForbidden, "budget")
		if w.Header().Get("Retry-After") != "" {
			t.Error("waiting does not help")
		}
		for _, f := range field[[]more](t, w, "fits") {
			if f.More != 0 {
				t.Errorf("%d more %s fit", f.More, f.Question)
			}
		}
		want(t, b.post(b.demo[0], "k3", "weekdays"), http.StatusConflict, "key-reused")
		want(t, b.post(b.demo[0], "k3", "months"), http.StatusAccepted, "")
		if err := b.ledger.Freeze(t.Context(), "a test", "rao"); err != nil {
			t.Fatal(err)
		}
		want(t, b.post(b.demo[0], "k12", "weekdays"), http.StatusForbidden, "frozen")
	})
}
