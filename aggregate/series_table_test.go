package aggregate

import (
	"fmt"
	"math"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// The price list of a series is a table, whose numbers are those of Prices.
func TestThePriceListOfASeriesIsATable(t *testing.T) {
	q, series := sales(5, 2, 1, false)
	paid := PerUnit(q, "paid", func(s sale) float64 { return s.paid }, Bounds[float64]{Lower: 0, Upper: 1, Step: 0.25})
	stream, err := series.Plan(dp.Concentrated{Rho: 0.5}, q.Units(), paid.Mean())
	if err != nil {
		t.Fatal(err)
	}
	const want = `sales of customer: ρ=0.5 for all of 5 days, 2026-03-02 to 2026-03-06, released one by one
each customer counts in at most 2 pairs of a group and a day, with at most 1 row in each
paid is clamped to [0, 1] per unit, in steps of 0.25

column     view            ± at 95 %                  beside independent noise
units      each period     3.983                      1.02 ((1-z)^-0.05 1.03, independent noise 1.00)
units      last 3 periods  6.037                      0.99 ((1-z)^-0.05 0.99, independent noise 1.00)
units      to date         6.66                       0.98 ((1-z)^-0.05 0.98, independent noise 1.00)
paid mean  each period     0.002053 for 1000 records  1.02 ((1-z)^-0.05 1.03, independent noise 1.00)
paid mean  last 3 periods  0.003112 for 1000 records  0.99 ((1-z)^-0.05 0.99, independent noise 1.00)
paid mean  to date         0.003432 for 1000 records  0.98 ((1-z)^-0.05 0.98, independent noise 1.00)
noise of paid mean: fading sums [0 0 0 0 4 104]/4096
`
	if got := stream.String(); got != want {
		t.Errorf("the list is\n%s\nmust be\n%s", got, want)
	}
	q, series = sales(4, 8, 1, true)
	whole, err := series.Plan(dp.Concentrated{Rho: 0.5}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	const centred = `sales of customer: ρ=0.5 for all of 4 days, 2026-03-02 to 2026-03-05, released at once
each customer counts in at most 8 pairs of a group and a day, with at most 1 row in each

column  view            ± at 95 %  beside independent noise
count   each period     4.383      0.79 ((1-z)^-0.05 1.06, independent noise 1.00)
count   last 3 periods  7.527      0.91 ((1-z)^-0.05 1.02, independent noise 1.00)
count   to date         8.199      0.94 ((1-z)^-0.05 1.02, independent noise 1.00)
noise of count: centred at 0.5
`
	if got := whole.String(); got != centred {
		t.Errorf("the list is\n%s\nmust be\n%s", got, centred)
	}
	for _, p := range stream.Prices() {
		if half := p.PlusMinus / p.StdDev; math.Abs(half-1.96) > 0.01 || p.Relative < 0.97 || p.Relative > 1.03 || len(p.Others) != 2 {
			t.Errorf("%+v", p)
		}
	}
}

// A ratio of what noise does not hide is known, and its interval holds the true one.
func TestARatioOfManyIsKnown(t *testing.T) {
	q, series := sales(3, 2, 1, false)
	plan, err := series.Plan(dp.Concentrated{Rho: 1}, q.Units())
	if err != nil {
		t.Fatal(err)
	}
	var rows []sale
	for who := range 3000 {
		day := 0
		if who >= 2000 {
			day = 1
		}
		rows = append(rows, sale{who: who, day: day, where: "a"})
	}
	trend, err := Advance(t.Context(), plan, newTill(), report, 3, Slice(rows))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Ratio(trend, q.Units(), Stretch[string]{From: 1, To: 2}, Stretch[string]{From: 0, To: 1})
	if err != nil {
		t.Fatal(err)
	}
	lo, hi := r.Interval(1 - 1e-10)
	if r.Unknown || math.Abs(r.Value-0.5) > 0.02 || lo > 0.5 || hi < 0.5 || hi-lo > 0.1 || !(r.StdDev > 1e-4 && r.StdDev < 0.01) {
		t.Errorf("1000 beside 2000 is %v (%s)", r, fmt.Sprint(lo, hi))
	}
}
