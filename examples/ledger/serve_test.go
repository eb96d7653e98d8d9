package main

import (
	"context"
	"fmt"
	"math/big"
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
		"groups": "which groups there are", "visits per month": "visits per month", "stay beyond [0, 86400000000000] mean": "how many values of stay the bounds cut", "x variance": "the average of x, and how far single ones are from it", "numbers per unit": "counts, totals and averages",
	} {
		if got := inWords(name, "patient"); got != want {
			t.Errorf("%q is told as %q, want %q", name, got, want)
		}
	}
	several := []dp.Charge{{Events: []dp.Event{{For: "numbers per unit"}, {For: "units"}}, States: &dp.Statement{Columns: []dp.StatedColumn{{Name: "paid"}, {Name: "stay"}}}}, {Events: []dp.Event{{For: "units"}}}}
	if got, want := results(several, "patient"), "counts, totals and averages of paid, stay, how many patients there are"; got != want {
		t.Errorf("several numbers are told as %q, want %q", got, want)
	}
	for want, c := range map[string]struct {
		events []dp.Event
		states dp.Statement
	}{
		"how many patients are left out by their choice":                   {[]dp.Event{{For: "units"}}, dp.Statement{LeftOut: true}},
		"of each ward: the average of stay; which wards there are":         {[]dp.Event{{For: "stay mean"}, {For: "selection of groups"}}, dp.Statement{Grouped: true, Groups: "ward"}},
		"of each ward and week: how many patients there are":               {[]dp.Event{{For: "units, one period of a series"}}, dp.Statement{Grouped: true, Groups: "ward", Step: "week"}},
		"of each size of stay: how many patients there are":                {[]dp.Event{{For: "units"}}, dp.Statement{Grouped: true, Groups: "size of stay per row in [0, 9], steps of 1"}},
		"counts, totals and averages of stay, what the bounds cut of stay": {[]dp.Event{{For: "numbers per row"}}, dp.Statement{Columns: []dp.StatedColumn{{Name: "stay"}, {Name: "stay beyond [0, 9]"}}}},
		"how many entries there are":                                       {[]dp.Event{{For: "count"}}, dp.Statement{Grouped: true}},
		"a, b, c, d, e, f, g, h; and 1 more":                               {[]dp.Event{{For: "a"}, {For: "b"}, {For: "c"}, {For: "d"}, {For: "e"}, {For: "f"}, {For: "g"}, {For: "h"}, {For: "i"}}, dp.Statement{}},
	} {
		if got := results([]dp.Charge{{Events: c.events, States: &c.states}}, "patient"); got != want {
			t.Errorf("told as %q, want %q", got, want)
		}
	}
	for nanoseconds, want := range map[int64]string{0: "0", 86_400_000_000_000: "24 hours", 3_600_000_000_000: "1 hour", -90_000_000_000: "−90 seconds", 120_000_000_000: "2 minutes", 1_500_000: "1.5ms"} {
		if got := amountWords(new(big.Rat).SetInt64(nanoseconds), true); got != want {
			t.Errorf("%d ns are told as %q, want %q", nanoseconds, got, want)
		}
	}
	for unit, want := range map[string]string{"company": "companies", "day": "days", "person": "people", "customer": "customers", "glasses": "glasses"} {
		if got := plural(unit); got != want {
			t.Errorf("many of %q are %q, want %q", unit, got, want)
		}
	}
}

// The page for the regulator says how many publications it does not list.
func TestAnIncidentSaysWhatItDoesNotList(t *testing.T) {
	a, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 1}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range mostListed + 1 {
		c := dp.Charge{Dataset: "visits", Unit: "patient", Purpose: "p", Key: fmt.Sprint(i), Loss: dp.Pure{Epsilon: 0.001}, Events: []dp.Event{{Mechanism: dp.Declared, Epsilon: big.NewRat(1, 1000), Count: 1}}}
		if _, err := a.Spend(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	e := &env{now: time.Now}
	d, err := e.dossier(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	var page strings.Builder
	if err := e.incident(d, time.Now(), audited{}).write(&page); err != nil || !strings.Contains(page.String(), "These are the latest 200 of 201; <code>ledger log</code> lists all.") {
		t.Errorf("%v, the page does not say that a publication is not listed", err)
	}
}
