package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// The page that is served is that of now, and there is nothing else to get.
func TestTheServedStatementIsThatOfNow(t *testing.T) {
	store := budget.Memory()
	a, err := budget.Create(t.Context(), store, budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 1}})
	if err != nil {
		t.Fatal(err)
	}
	h := (&env{now: time.Now}).handler(store, a)
	get := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		return w
	}
	if w := get(http.MethodGet, "/"); w.Code != 200 || !strings.Contains(w.Body.String(), "Nothing has been published") ||
		!strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if err := a.Freeze(t.Context(), "an incident", "officer"); err != nil {
		t.Fatal(err)
	}
	if w := get(http.MethodGet, "/"); !strings.Contains(w.Body.String(), "Publication is stopped") {
		t.Errorf("%s", w.Body)
	}
	for _, r := range [][2]string{{http.MethodPost, "/"}, {http.MethodGet, "/ledger"}, {http.MethodGet, "/../x"}} {
		if w := get(r[0], r[1]); w.Code < 300 {
			t.Errorf("%v: %d", r, w.Code)
		}
	}
}

func TestServingEndsWithItsContext(t *testing.T) {
	store := budget.Memory()
	a, err := budget.Create(t.Context(), store, budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 1}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	out := make(told, 1)
	e := &env{now: time.Now, stdout: out, options: options{address: "127.0.0.1:0"}}
	done := make(chan error)
	go func() { done <- e.serve(ctx, store, a) }()
	url := strings.TrimSpace(<-out)
	r, err := http.Get(url)
	if err != nil || r.StatusCode != 200 {
		t.Errorf("%v, %v", r, err)
	} else if err := r.Body.Close(); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// told sends what is written.
type told chan string

func (c told) Write(p []byte) (int, error) {
	c <- string(p)
	return len(p), nil
}

func TestResultsAreToldInWords(t *testing.T) {
	for name, want := range map[string]string{
		"units": "how many patients there are", "count": "how many entries there are", "Stay days mean": "the average of Stay days",
		"paid sum, one period of a series": "the total of paid", "stay quantiles, ends of intervals": "what is low, usual and high of stay",
		"groups": "which groups there are", "visits per month": "visits per month", "x variance": "the average of x, and how far single ones are from it", "numbers per unit": "counts, totals and averages",
	} {
		if got := inWords(name, "patient"); got != want {
			t.Errorf("%q is told as %q, want %q", name, got, want)
		}
	}
	several := []dp.Charge{{Events: []dp.Event{{For: "numbers per unit"}, {For: "units"}}, States: &dp.Statement{Columns: []dp.StatedColumn{{Name: "paid"}, {Name: "stay"}}}}, {Events: []dp.Event{{For: "units"}}}}
	if got, want := results(several, "patient"), "counts, totals and averages of paid, stay, how many patients there are"; got != want {
		t.Errorf("several numbers are told as %q, want %q", got, want)
	}
	for unit, want := range map[string]string{"company": "companies", "day": "days", "person": "people", "customer": "customers", "glasses": "glasses"} {
		if got := plural(unit); got != want {
			t.Errorf("many of %q are %q, want %q", unit, got, want)
		}
	}
}
