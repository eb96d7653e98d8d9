package aggregate_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// A unit's rows are added up before anything is rounded: 20 rows of 0.45 are 9, and
// not 20 times the 0 that is nearest to 0.45.
func TestTotalsOfUnitsAreRoundedOnce(t *testing.T) {
	dptest.NoNoise(t)
	q := orders()
	q.MaxRowsPerGroup = 20
	euros := aggregate.PerUnit(q, "euros", func(o order) float64 { return o.euros }, aggregate.Bounds[float64]{Lower: 0, Upper: 200, Step: 1})
	cents := aggregate.PerUnit(q, "cents", func(o order) int64 { return o.cents }, aggregate.Bounds[int64]{Lower: 0, Upper: 1 << 12, Step: 1 << 6})
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, euros.Sum(), euros.Mean(), cents.Sum(), cents.Quantile(0.5))
	if err != nil {
		t.Fatal(err)
	}
	var rows []order
	for i := range 200 * 20 {
		rows = append(rows, order{customer: customerID(i % 200), day: "mon", euros: 0.45, cents: 16})
	}
	c, _ := run(t, plan, rows).Cell("mon")
	if sum, mean := euros.Sum().Of(c).Value, euros.Mean().Of(c).Value; sum != 1800 || mean != 9 {
		t.Errorf("20 rows of 0.45 of each of 200 units add up to %v and have a mean of %v, want 1800 and 9", sum, mean)
	}
	if sum, median := cents.Sum().Of(c).Value, cents.Quantile(0.5).Of(c).Value; sum != 200*320 || median != 320 {
		t.Errorf("20 rows of 16 of each of 200 units add up to %v and have a median of %v, want 64000 and 320", sum, median)
	}
}

// The total of a unit is the exact sum of its rows, clamped, and rounded to the
// nearest step, whatever the floats, their order, and how units are spread over
// Partials.
func TestTotalsOfUnitsAreExact(t *testing.T) {
	dptest.NoNoise(t)
	rng := rand.New(rand.NewPCG(2, 9))
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, math.Copysign(0, -1), 1e300, -1e300, 0.45, -0.5, 1e-9}
	for range 60 {
		q := orders()
		q.MaxRowsPerGroup = 8
		bounds := aggregate.Bounds[float64]{Lower: float64(rng.IntN(40)) - 25.5, Upper: 20 + 10*rng.Float64(), Step: []float64{0.01, 0.3, 0.25, 1, 7}[rng.IntN(5)]}
		euros := aggregate.PerUnit(q, "euros", func(o order) float64 { return o.euros }, bounds)
		plan, err := q.Plan(dp.Concentrated{Rho: 0.5}, euros.Sum(), euros.Quantile(0.5))
		if err != nil {
			t.Fatal(err)
		}
		var rows []order
		units := customerID(1 + rng.IntN(6))
		for u := range units {
			for range rng.IntN(9) {
				x := 8 * rng.NormFloat64()
				if rng.IntN(4) == 0 {
					x = odd[rng.IntN(len(odd))]
				}
				rows = append(rows, order{customer: u, day: "mon", euros: x})
			}
		}
		want, _ := sumOfTotals(rows, bounds).Float64()
		for range 3 {
			rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			if got := sumOfParts(t, plan, euros.Sum(), rows, customerID(1+rng.IntN(3))); got != want {
				t.Fatalf("bounds %+v: rows %v have the sum %v, want %v", bounds, rows, got, want)
			}
		}
	}
}

// sumOfParts runs a plan over Partials that have the units of one remainder each.
func sumOfParts(t *testing.T, plan *aggregate.Plan[order, customerID, string], sum aggregate.Column[float64], rows []order, parts customerID) float64 {
	t.Helper()
	var partials []*aggregate.Partial[string]
	for part := range parts {
		var own []order
		for _, r := range rows {
			if r.customer%parts == part {
				own = append(own, r)
			}
		}
		p, err := plan.Collect(t.Context(), aggregate.Slice(own))
		if err != nil {
			t.Fatal(err)
		}
		partials = append(partials, p)
	}
	release, err := plan.Release(t.Context(), newPurse(), aggregate.Request{Key: "k", Purpose: "p"}, partials...)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := release.Cell("mon")
	return sum.Of(c).Value
}

// sumOfTotals adds up the clamped and rounded totals of units, in rationals.
func sumOfTotals(rows []order, b aggregate.Bounds[float64]) *big.Rat {
	decimal := func(x float64) *big.Rat { r, _ := new(big.Rat).SetString(big.NewFloat(x).Text('g', -1)); return r }
	totals, infinite := map[customerID]*big.Rat{}, map[customerID]int{}
	for _, r := range rows {
		if totals[r.customer] == nil {
			totals[r.customer] = new(big.Rat)
		}
		switch {
		case math.IsInf(r.euros, 1):
			infinite[r.customer]++
		case math.IsInf(r.euros, -1):
			infinite[r.customer]--
		case !math.IsNaN(r.euros):
			totals[r.customer].Add(totals[r.customer], new(big.Rat).SetFloat64(r.euros))
		}
	}
	sum, step := new(big.Rat), decimal(b.Step)
	for u, total := range totals {
		if infinite[u] > 0 || infinite[u] == 0 && total.Cmp(decimal(b.Upper)) > 0 {
			total = decimal(b.Upper)
		} else if infinite[u] < 0 || total.Cmp(decimal(b.Lower)) < 0 {
			total = decimal(b.Lower)
		}
		n := new(big.Rat).Quo(total, step)
		n.Add(n, big.NewRat(1, 2))
		sum.Add(sum, n.Mul(step, new(big.Rat).SetInt(new(big.Int).Div(n.Num(), n.Denom()))))
	}
	return sum
}
