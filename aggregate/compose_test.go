package aggregate_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// Ten sums under one (1, 1e-6) cost what a composed Gaussian costs: each has
// √10 times the noise that one alone would have, not ten times. The σ of one
// alone is 4.224678889326835 (analytic Gaussian mechanism: Balle, Wang 2018, Theorem 8).
func TestPartsOfAPlanAreComposedExactly(t *testing.T) {
	const sigma = 4.224678889326835
	for _, n := range []int{9, 10, 40} {
		q := orders()
		q.MaxKeys = 3
		var columns []aggregate.AnyColumn
		for i := range n {
			v := aggregate.PerRow(q, fmt.Sprint("v", i), func(o order) float64 { return o.euros }, aggregate.Bounds[float64]{Lower: 0, Upper: 1})
			columns = append(columns, v.Sum())
		}
		plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, columns...)
		if err != nil {
			t.Fatal(err)
		}
		want := sigma * math.Sqrt(float64(n)) * math.Sqrt(3) * 2
		for _, p := range plan.Prices() {
			if ratio := p.StdDev / want; ratio < 1 || ratio > 1.001 {
				t.Errorf("%d sums: %s has %.6g of the noise of a composed Gaussian", n, p.Column, ratio)
			}
		}
	}
}

// With few measures Laplace noise has less variance, and the plan takes it and
// says so; with many, Gaussian.
func TestApproxTakesTheNoiseOfLessVariance(t *testing.T) {
	for _, c := range []struct {
		maxKeys int
		noise   dp.Mechanism
	}{{1, dp.DiscreteLaplace}, {8, dp.DiscreteLaplace}, {9, dp.DiscreteGaussian}, {100, dp.DiscreteGaussian}} { // k* = 8.9 at (1, 1e-6)
		q := orders()
		q.MaxKeys, q.Keys = c.maxKeys, nil
		for i := range 200 {
			q.Keys = append(q.Keys, fmt.Sprint(i))
		}
		plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Units())
		if err != nil {
			t.Fatal(err)
		}
		if got := plan.Prices()[0].Mechanism; got != c.noise {
			t.Errorf("a unit in %d groups gets %s, want %s", c.maxKeys, got, c.noise)
		}
	}
}
