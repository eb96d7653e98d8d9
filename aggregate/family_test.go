package aggregate

import (
	"flag"
	"math"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/quantile"
)

// selecting returns the measures of a count, or of a count, a mean and quantiles.
func selecting(loss dp.Approx, maxGroups int64, alone bool) question {
	q := question{wants: []want{{formUnits, nil}}, selects: true, l0: maxGroups, rows: 1, loss: loss}
	if !alone {
		v := PerRow(&Query[int, int, int]{}, "v", func(i int) int { return i }, Bounds[int]{Lower: 0, Upper: 100}).value
		q.wants = append(q.wants, want{formPair, v}, want{formRanks, v})
		q.ranks = map[*value]asked{v: {ranks: []quantile.Rank{500_000, 950_000}, ends: true}}
	}
	return q
}

// A threshold grows with the cap: of Laplace noise as the cap does, of Gaussian
// noise as its root. A plan never adds a jump of its own: with a cap larger by one it
// grows by no more than a tenth more than the cap itself, and by at most a tenth from
// a cap of 11 on: at a tiny δ, 10 to 11 raises that of Laplace noise by 10.2 %.
func TestACapLargerByOneRaisesTheThresholdByNoMoreThanTheCapGrows(t *testing.T) {
	families := map[core.Family]int{}
	epsilons, deltas := []float64{0.1, 1, 5}, []float64{1e-9, 1e-6, 1e-2}
	if flag.Lookup("long").Value.String() == "true" { // which package aggregate_test registers
		epsilons, deltas = []float64{0.01, 0.05, 0.3, 1, 2, 5, 10, 30}, []float64{1e-30, 1e-12, 1e-9, 1e-6, 1e-4, 1e-2, 0.4}
	}
	for _, epsilon := range epsilons {
		for _, delta := range deltas {
			for _, alone := range []bool{true, false} {
				last := math.Inf(1)
				for maxGroups := int64(1); maxGroups <= 40; maxGroups++ {
					loss := dp.Approx{Epsilon: epsilon, Delta: delta}
					c, err := selecting(loss, maxGroups, alone).calibrate()
					if err != nil {
						t.Fatal(err)
					}
					families[c.family]++
					units := c.threshold.units()
					growth := max(1.1, 1.1*float64(maxGroups)/float64(maxGroups-1))
					if maxGroups > 11 {
						growth = 1.1
					}
					if units > last*growth+1 {
						t.Errorf("%v, alone %v: with MaxGroups %d the threshold is %v, with one less %v", loss, alone, maxGroups, units, last)
					}
					last = units
				}
			}
		}
	}
	if families[core.Laplace] == 0 || families[core.Gaussian] == 0 {
		t.Errorf("the families are not compared: %v", families)
	}
}

// The family that is chosen is never worse in both what the columns' users see: the
// noise, and the size from which on a group is shown.
func TestNoOtherFamilyHasLessNoiseAndALowerThreshold(t *testing.T) {
	for _, epsilon := range []float64{0.05, 1, 5} {
		for _, delta := range []float64{1e-12, 1e-6, 1e-2} {
			for _, alone := range []bool{true, false} {
				for maxGroups := int64(1); maxGroups <= 40; maxGroups += 13 {
					loss := dp.Approx{Epsilon: epsilon, Delta: delta}
					q := selecting(loss, maxGroups, alone)
					c, err := q.calibrate()
					if err != nil {
						t.Fatal(err)
					}
					for _, f := range []core.Family{core.Laplace, core.Gaussian} {
						other, err := q.family(f)
						if err != nil {
							t.Fatal(err)
						}
						noise := math.Exp(other.noisiness() - c.noisiness())
						threshold := other.threshold.units() / c.threshold.units()
						if noise < 1-1e-9 && threshold < 1-1e-9 {
							t.Errorf("%v, MaxGroups %d: %v has %.2f times the noise and %.2f times the threshold of %v", loss, maxGroups, f, noise, threshold, c.family)
						}
					}
				}
			}
		}
	}
}

// At ε = 1, δ = 10⁻⁶ Laplace noise has thresholds of 60 and 124 for 4 and 8 groups, which are
// 46.0 and 66.3 with Gaussian noise that is wider by 55 and 9 %. For 3 it is 45 and 39.6, which
// is not worth 79 % more noise.
func TestFourGroupsOrMoreHaveTheLowerThreshold(t *testing.T) {
	for groups, most := range map[int64]float64{3: 45, 4: 46.1, 8: 66.4} {
		c, err := selecting(dp.Approx{Epsilon: 1, Delta: 1e-6}, groups, true).calibrate()
		if err != nil {
			t.Fatal(err)
		}
		if units := c.threshold.units(); units > most || (c.family == core.Gaussian) != (groups > 3) {
			t.Errorf("MaxGroups %d: the threshold is %v with %v noise, can be %v", groups, units, c.family, most)
		}
	}
}

// Packages dp and aggregate have one calibrator. For one count per group they differ
// by what dp gains by composing the integers that are drawn: less than 2 %, where δ
// is large.
func TestACountHasTheNoiseOfPackageDP(t *testing.T) {
	for _, loss := range []dp.Loss{
		dp.Pure{Epsilon: 0.3}, dp.Pure{Epsilon: 2}, dp.Concentrated{Rho: 0.01}, dp.Concentrated{Rho: 1}, dp.Approx{Epsilon: 1, Delta: 1e-6},
		dp.Approx{Epsilon: 0.1, Delta: 1e-9}, dp.Approx{Epsilon: 3, Delta: 1e-4}, dp.Approx{Epsilon: 1, Delta: 0.01},
	} {
		for _, maxGroups := range []int64{1, 2, 5, 8, 12, 100} {
			c, err := question{wants: []want{{formUnits, nil}}, l0: maxGroups, rows: 1, loss: loss}.calibrate()
			if err != nil {
				t.Fatal(err)
			}
			n, err := dp.Calibrate(loss, dp.Sensitivity{L0: maxGroups, LInf: 1})
			if err != nil {
				t.Fatal(err)
			}
			m := c.units()
			ratio := math.Ldexp(m.law.StdDev(), -int(m.shift)) / n.StdDev()
			most := 1.002
			if dp.PartsOf(loss).Delta > 1e-3 {
				most = 1.02
			}
			if ratio < 1-1e-4 || ratio > most {
				t.Errorf("%v, MaxGroups %d: the plan has %.5f times the noise of dp (%v)", loss, maxGroups, ratio, n)
			}
		}
	}
}
