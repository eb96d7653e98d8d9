package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

func TestSumsAreExact(t *testing.T) {
	var s exactLoss
	for range 10 {
		s.add(dp.Approx{Epsilon: 0.1, Delta: 1e-9})
	}
	s.add(dp.Concentrated{Rho: 0.25})
	if got := s.String(); got != "ε=1 δ=1e-08 ρ=0.25" {
		t.Error(got)
	}
}

// The log's last total is what the account says it spent, its costs add up to that
// total, and under a rule that adds up better both are less than what is declared.
func TestTheLogAddsUp(t *testing.T) {
	ctx, s := t.Context(), budget.Memory()
	a, err := budget.Create(ctx, s, budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Approx{Epsilon: 3, Delta: 1e-6}})
	if err != nil {
		t.Fatal(err)
	}
	declares := &exactLoss{}
	for i := range 30 {
		loss := dp.Approx{Epsilon: 0.1, Delta: 1e-9}
		declares.add(loss)
		c := dp.Charge{Dataset: "visits", Unit: "patient", Purpose: "p", Key: fmt.Sprint(i), Loss: loss, Events: []dp.Event{{
			Mechanism: dp.DiscreteGaussian, Count: 1, Sensitivity: dp.Sensitivity{L0: 1, LInf: 1}, Scale: big.NewRat(60, 1),
		}}}
		if _, err := a.Spend(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Freeze(ctx, "test", "officer"); err != nil {
		t.Fatal(err)
	}
	entries, err := collect(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	totals, err := totalsOf(ctx, s, "visits")
	if err != nil {
		t.Fatal(err)
	}
	status, err := a.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	spent, sum := status.Whole.Spent, &exactLoss{}
	for _, l := range loggedOf(entries, totals) {
		if l.Cost != "" {
			cost, err := dp.ParseLoss(l.Cost)
			if err != nil {
				t.Fatalf("cost %q of entry %d: %v", l.Cost, l.Seq, err)
			}
			sum.add(cost)
		}
	}
	if len(totals) != 32 || totals[31] != spent || sum.String() != spent.String() {
		t.Errorf("%d totals end in %v, costs add up to %v, want %v", len(totals), totals[len(totals)-1], sum, spent)
	}
	if sum.epsilon.Cmp(&declares.epsilon) >= 0 {
		t.Errorf("costs add up to %v, and declared is %v; the test tests nothing", sum, declares)
	}
}

// Exact posteriors: odds of 1:1 and ε = ln 3 are 3:1.
func TestOddsAreExact(t *testing.T) {
	if got := posterior(0.5, math.Log(3)); math.Abs(got-0.75) > 1e-15 {
		t.Error(got)
	}
	if got := posterior(0.1, 0); math.Abs(got-0.1) > 1e-15 {
		t.Error(got)
	}
	for p, want := range map[float64]string{0.01: "1 %", 0.0267: "2.7 %", 0.0001: "0.1 %", 0.5: "50 %", 0.7311: "74 %", 0.9526: "96 %", 0.9933: "99.4 %", 0.99999: "almost 100 %", 1: "almost 100 %"} {
		if got := likely(p); got != want {
			t.Errorf("%v is %q, must be %q", p, got, want)
		}
	}
	for e, want := range map[float64]string{0: "1", 1: "2.72", 6: "404", 10: "22\u202f027", 14: "10\u202f000\u202f000", 41: "1\u202f000\u202f000\u202f000\u202f000\u202f000\u202f000", 100: "a number of more than 18 digits"} {
		if got := times(e); got != want {
			t.Errorf("e^%v is %q, must be %q", e, got, want)
		}
	}
	for d, want := range map[float64]string{1e-6: "1 in 1\u202f000\u202f000", 0.3: "1 in 3", 1e-30: "1e-30"} {
		if got := oneIn(d); got != want {
			t.Errorf("%v is %q, must be %q", d, got, want)
		}
	}
	if e, d := pairOf(dp.Concentrated{Rho: 0.5}); e < 4.8 || e > 0.5+2*math.Sqrt(0.5*math.Log(1e6)) || d != 1e-6 {
		t.Error(e, d)
	}
}

func TestTheEndIsForecastFromThePace(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	scope := func(spent, left dp.Loss) budget.ScopeStatus {
		return budget.ScopeStatus{Limit: dp.Approx{Epsilon: 1, Delta: 1e-6}, Spent: spent, Left: left}
	}
	tenth := scope(dp.Approx{Epsilon: 0.1, Delta: 1e-9}, dp.Approx{Epsilon: 0.9, Delta: 1e-7})
	days := func(n ...int) (times []time.Time) {
		for _, d := range n {
			times = append(times, now.Add(-time.Duration(d)*day))
		}
		return times
	}
	for _, test := range []struct {
		name  string
		times []time.Time
		scope budget.ScopeStatus
		want  string
	}{
		{"a tenth in ten days", days(10, 3), tenth, "10 % of the limit's ε in 10 days, it runs out about 30 August 2026"},
		{"δ goes first", days(10, 3), scope(dp.Approx{Epsilon: 0.1, Delta: 5e-7}, dp.Pure{Epsilon: 1}), "50 % of the limit's δ in 10 days, it runs out about 11 June 2026"},
		{"one charge", days(10), tenth, "no forecast: it takes two charges to tell a pace"},
		{"a few hours", []time.Time{now.Add(-time.Hour), now}, tenth, "no forecast: the charges are of less than a day"},
		{"a clock ahead", days(-10, -3), tenth, "no forecast: the charges are of less than a day"},
		{"all is spent", days(10, 3), scope(dp.Approx{Epsilon: 1, Delta: 1e-6}, nil), "no forecast: nothing is left"},
		{"a trickle", days(10, 3), scope(dp.Pure{Epsilon: 1e-9}, dp.Pure{Epsilon: 1}), "it lasts for more than a hundred years"},
	} {
		if got := forecastOf(test.times, test.scope, now).String(); !strings.Contains(got, test.want) {
			t.Errorf("%s: %q", test.name, got)
		}
	}
}

// What a ledger holds does not steer a terminal, nor a page.
func TestNamesAreHarmless(t *testing.T) {
	if got := plain("a\x1b[31mb\u202ec\n"); strings.ContainsAny(got, "\x1b\u202e\n") {
		t.Errorf("%q", got)
	}
	ctx := t.Context()
	store := budget.Memory()
	a, err := budget.Create(ctx, store, budget.Terms{Dataset: "<script>alert(1)</script>", Unit: "<b>", Limit: dp.Pure{Epsilon: 1}})
	if err != nil {
		t.Fatal(err)
	}
	e := &env{now: time.Now}
	s, err := e.statement(ctx, store, a)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, struct {
		*statement
		Style string
	}{s, ""}); err != nil {
		t.Fatal(err)
	}
	if page := b.String(); strings.Contains(page, "<script") || strings.Contains(page, "<b>") || strings.Contains(page, "http://") || strings.Contains(page, "https://") {
		t.Error(page)
	}
}

// A file is replaced at once: after an error there is the old one, and no other.
func TestAFileIsReplacedAtOnce(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "page.html")
	for _, text := range []string{"old", "new"} {
		if err := replaceFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "new" {
		t.Errorf("%q, %v", got, err)
	}
	if err := replaceFile(folder, []byte("x")); err == nil {
		t.Error("a folder was replaced")
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}

func TestExitStatusesAreThoseOfTheHelp(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{usagef("x"), exitUsage},
		{&budget.RefusedError{}, exitRefused},
		{budget.ErrTampered, exitUnverified},
		{damage(os.ErrPermission), exitUnverified},
		{damage(os.ErrNotExist), exitError},
		{damage(context.Canceled), exitError},
		{budget.ErrNotFound, exitError},
		{errSaid(exitRefused), exitRefused},
	} {
		if got, _ := verdict(test.err); got != test.want {
			t.Errorf("%v: %d, must be %d", test.err, got, test.want)
		}
	}
}
