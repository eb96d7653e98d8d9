package aggregate_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// Ten sums under one (1, 1e-6) are one vector: each has (√10+1)/2 times the noise that
// one alone would have, not ten times, nor √10 times as if the count had to be paid for. The
// σ of one alone is 4.224678889326835 (analytic Gaussian mechanism: Balle, Wang 2018, Theorem
// 8). Few of them have the noise of a cube, which is √((n+2)(n+3)/6) for each.
func TestPartsOfAPlanAreComposedExactly(t *testing.T) {
	const sigma = 4.224678889326835
	for _, n := range []int{9, 10, 40} {
		q := orders()
		q.MaxGroups = 3
		var columns []aggregate.AnyColumn
		for i := range n {
			v := aggregate.PerRow(q, fmt.Sprint("v", i), func(o order) float64 { return o.euros }, aggregate.Bounds[float64]{Lower: 0, Upper: 1})
			columns = append(columns, v.Sum())
		}
		plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, columns...)
		if err != nil {
			t.Fatal(err)
		}
		want := min(sigma*math.Sqrt(3)*(math.Sqrt(float64(n))+1)/2, 3*math.Sqrt(float64((n+2)*(n+3))/6)) * 2
		for _, p := range plan.Prices() {
			if ratio := p.StdDev / want; ratio < 1 || ratio > 1.001 {
				t.Errorf("%d sums: %s has %.6g of the noise of a vector", n, p.Column, ratio)
			}
		}
	}
}

// With few measures Laplace noise has less variance, and the plan takes it and
// says so; with many, Gaussian.
func TestApproxTakesTheNoiseOfLessVariance(t *testing.T) {
	for _, c := range []struct {
		maxGroups int
		noise     dp.Mechanism
	}{{1, dp.DiscreteLaplace}, {8, dp.DiscreteLaplace}, {9, dp.DiscreteGaussian}, {100, dp.DiscreteGaussian}} { // k* = 8.9 at (1, 1e-6)
		q := orders()
		q.MaxGroups, q.Groups = c.maxGroups, nil
		for i := range 200 {
			q.Groups = append(q.Groups, fmt.Sprint(i))
		}
		plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Units())
		if err != nil {
			t.Fatal(err)
		}
		if got := plan.Prices()[0].Mechanism; got != c.noise {
			t.Errorf("a unit in %d groups gets %s, want %s", c.maxGroups, got, c.noise)
		}
	}
}

// A column of weight 3 beside one of weight 1 gets three quarters of the loss; or, in one
// vector with it, less noise than without the weight, and less than by itself.
func TestWeightsDivideTheLoss(t *testing.T) {
	q := orders()
	v := aggregate.PerRow(q, "v", func(o order) float64 { return o.euros }, aggregate.Bounds[float64]{Lower: 0, Upper: 1})
	for _, loss := range losses {
		plan, err := q.Plan(loss, aggregate.Weighted{AnyColumn: v.Sum(), Weight: 3}, q.Count())
		if err != nil {
			t.Fatal(err)
		}
		sum, count := plan.Prices()[0], plan.Prices()[1]
		ratio := 3.0
		if sum.Mechanism == dp.DiscreteGaussian {
			ratio = math.Sqrt(3)
		}
		if sum.Measure == count.Measure {
			plain, err := q.Plan(loss, v.Sum(), q.Count())
			if err != nil {
				t.Fatal(err)
			}
			if even := plain.Prices()[0]; sum.Share != 1 || !(sum.StdDev < 0.95*even.StdDev) || !(count.StdDev > 1.2*sum.StdDev) {
				t.Errorf("%v: in one vector %+v\n%+v\nand with equal weights %+v", loss, sum, count, even)
			}
			continue
		}
		if sum.Share != 0.75 || count.Share != 0.25 || sum.StdDev > 0.01 && math.Abs(count.StdDev/sum.StdDev/ratio-1) > 0.15 {
			t.Errorf("%v: %+v\n%+v", loss, sum, count)
		}
	}
	for _, w := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if _, err := q.Plan(losses[0], aggregate.Weighted{AnyColumn: q.Count(), Weight: w}); err == nil {
			t.Errorf("weight %v is accepted", w)
		}
	}
	if _, err := q.Plan(losses[0], aggregate.Weighted{}); err == nil {
		t.Error("a weight without a column is accepted")
	}
	same, err := q.Plan(losses[0], q.Count(), aggregate.Weighted{AnyColumn: aggregate.Weighted{AnyColumn: q.Count(), Weight: 2}, Weight: 0.5})
	if err != nil || len(same.Prices()) != 1 || same.Prices()[0].Share != 1 {
		t.Errorf("a column asked for twice: %v, %v", same, err)
	}
}
