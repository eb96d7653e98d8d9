package main

import (
	"fmt"
	"testing"
)

// Caps that are not given are functions of the periods, ε and δ.
func TestCapsFollowPeriodsAndLoss(t *testing.T) {
	for _, c := range []struct {
		args           []string
		periods, rows_ int
	}{
		{[]string{"-from", "2025", "-to", "2025", "-period", "quarter", "-by", "ward", "-groups", "a,b,c,d,e"}, 4, 7},
		{[]string{"-from", "2025-01", "-to", "2025-01", "-epsilon", "1e5", "-limit", "1e5"}, 1, 1265},
		{[]string{"-from", "2025", "-to", "2025"}, 12, 4},
		{[]string{"-from", "2025", "-to", "2025", "-epsilon", "0.0001"}, 1, 1},
		{[]string{"-from", "2025", "-to", "2025", "-max-periods", "7", "-max-rows", "9"}, 7, 9},
	} {
		o, err := parse(append([]string{"-input", "x.csv"}, c.args...))
		if err != nil {
			t.Fatal(err)
		}
		if o.MaxSlots != c.periods || o.MaxRows != c.rows_ {
			t.Errorf("%v: %d periods and %d rows, want %d and %d", c.args, o.MaxSlots, o.MaxRows, c.periods, c.rows_)
		}
	}
}

// A larger ε never lowers a cap, and more periods never lower it either.
func TestUsualCapsFollowEpsilonAndPeriods(t *testing.T) {
	caps := func(epsilon float64, to string) (int, int) {
		o, err := parse([]string{"-input", "x.csv", "-period", "week", "-from", "2025-01", "-to", to, "-epsilon", fmt.Sprint(epsilon), "-limit", "100"})
		if err != nil {
			t.Fatal(err)
		}
		return o.MaxSlots, o.MaxRows
	}
	last, lastRows := 0, 0
	for _, epsilon := range []float64{0.01, 0.1, 0.5, 1, 2, 5, 20} {
		short, _ := caps(epsilon, "2025-03")
		long, rows := caps(epsilon, "2025-12")
		if short > long || long < last || rows < lastRows {
			t.Errorf("ε=%v: %d and %d periods, %d rows; before %d and %d", epsilon, short, long, rows, last, lastRows)
		}
		last, lastRows = long, rows
	}
}

// Other caps are offered with what they would give, and the noise of each is that
// of the plan with this cap.
func TestOffersHaveTheNoiseOfTheirPlan(t *testing.T) {
	o, err := parse([]string{"-from", "", "-to", ""})
	if err != nil {
		t.Fatal(err)
	}
	q, err := o.ask()
	if err != nil {
		t.Fatal(err)
	}
	offers := o.offers(q)
	if len(offers) != 7 || !offers[0].Asked || !offers[1].Fewer || offers[2].Fewer {
		t.Fatalf("%+v", offers)
	}
	fewer, err := parse([]string{"-from", "", "-to", "", "-max-periods", fmt.Sprint(o.MaxSlots / 2)})
	if err != nil {
		t.Fatal(err)
	}
	asked, err := fewer.ask()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := offers[1], fewer.offer(offers[1].Caps, asked); got.Units != want.Units || got.Shown != want.Shown || got.Value != want.Value {
		t.Errorf("offered %+v, had %+v", got, want)
	}
}
