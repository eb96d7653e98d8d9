package calibrate

import (
	"math/big"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// Least takes the family whose discrete law has less variance, where both are
// searched for.
func TestLeastTakesTheSmallerVariance(t *testing.T) {
	chosen := map[core.Family]int{}
	for _, epsilon := range []float64{0.01, 0.1, 0.5, 1, 3, 10, 40} {
		for _, delta := range []float64{1e-12, 1e-6, 1e-3, 0.05, 0.4} {
			for _, l0 := range []int64{1, 2, 5, 10, 100, 1000} {
				e, d := exact.Decimal(epsilon), exact.Decimal(delta)
				c := Change{big.NewInt(l0), big.NewInt(1)}
				law, err := Least(e, d, c)
				if err != nil || law == nil {
					t.Fatalf("ε=%v δ=%v L0=%d: %v, %v", epsilon, delta, l0, law, err)
				}
				chosen[law.Family]++
				pure := c.Laplace(e)
				if pure.Cmp(big.NewRat(1, 32)) <= 0 {
					continue
				}
				b := box{c, int(l0), 1, exact.FloatDown(e), exact.FloatDown(d)}
				for family, scale := range map[core.Family]*big.Rat{core.Laplace: b.leastLaplace(b.startLaplace(pure)), core.Gaussian: b.leastGaussian(FineBudget(e, d))} {
					if scale == nil {
						continue
					}
					if other := core.StdDev(family, exact.FloatUp(scale)); law.StdDev() > other*(1+1e-9) {
						t.Errorf("ε=%v δ=%v L0=%d: %v has standard deviation %v, %v would have %v", epsilon, delta, l0, law.Family, law.StdDev(), family, other)
					}
				}
			}
		}
	}
	if chosen[core.Laplace] == 0 || chosen[core.Gaussian] == 0 {
		t.Errorf("the grid does not compare: %v", chosen)
	}
}

// For vectors of large numbers a scale is searched for on a coarser grid. What is
// returned holds on the grid of the numbers themselves, or is the scale that is
// enough in any case. At the first point the coarse grid alone would be too little,
// by one part in a million of δ.
func TestALaplaceScaleIsCertifiedOnTheRealGrid(t *testing.T) {
	searched := 0
	for _, c := range []struct {
		epsilon, delta float64
		l0, linf       int64
	}{
		{1.2833376149418902, 0.05268482089045205, 3, 46640},
		{1, 1e-3, 2, 50_000}, {0.3, 0.01, 4, 20_001}, {2, 1e-6, 3, 1 << 17},
	} {
		change := Change{big.NewInt(c.l0), big.NewInt(c.linf)}
		b := box{change, int(c.l0), float64(c.linf), c.epsilon, c.delta}
		start := b.startLaplace(change.Laplace(exact.Decimal(c.epsilon)))
		scale := b.leastLaplace(start)
		if scale.Cmp(start) == 0 {
			continue
		}
		searched++
		if got := b.laplaceDelta(exact.FloatDown(scale)); got > c.delta {
			t.Errorf("%+v: the scale %v has δ=%v", c, exact.FloatUp(scale), got)
		}
	}
	if searched == 0 {
		t.Error("no scale was searched for")
	}
}

// The scale that is found for small numbers is the least one up to one part in 10^4, on the
// grid of the numbers themselves.
func TestALaplaceScaleIsTheLeastOnTheRealGrid(t *testing.T) {
	for _, linf := range []int64{1, 2, 5} {
		for _, l0 := range []int64{1, 2, 3} {
			change := Change{big.NewInt(l0), big.NewInt(linf)}
			b := box{change, int(l0), float64(linf), 2, 1e-3}
			enough := change.Laplace(big.NewRat(2, 1))
			scale := exact.FloatUp(b.leastLaplace(enough))
			if b.laplaceDelta(scale) > 1e-3 || b.laplaceDelta(scale*(1-1e-4)) <= 1e-3 {
				t.Errorf("%d numbers of at most %d: the scale %v has δ=%v, and a part in 10^4 less has %v", l0, linf, scale, b.laplaceDelta(scale), b.laplaceDelta(scale*(1-1e-4)))
			}
			if sure := exact.FloatUp(enough); !(scale < sure) {
				t.Errorf("%d numbers of at most %d: the scale %v is no less than %v, which is enough for δ=0", l0, linf, scale, sure)
			}
		}
	}
}

// Where nothing can be certified there is no budget.
func TestThereIsNoBudgetOfNoLoss(t *testing.T) {
	for _, c := range [][2]*big.Rat{{big.NewRat(1, 1), new(big.Rat)}, {new(big.Rat), new(big.Rat)}, {big.NewRat(1, 1), big.NewRat(1, 1)}} {
		if b := MixedBudget(c[0], c[1]); b != nil {
			t.Errorf("ε=%v δ=%v: the budget is %v", c[0], c[1], b)
		}
	}
}
