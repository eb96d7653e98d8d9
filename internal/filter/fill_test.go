package filter

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// FillAll takes what Fill takes, if it takes all of it, and nothing that Fill does not.
func TestFillingAtOnceTakesWhatFillingStepByStepDoes(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 10))
	taken, refused := 0, 0
	for range 400 {
		rule := []Rule{Basic, Default, ZCDP, GDP}[r.IntN(4)]
		setup := NewSetup(rule, 0, nil)
		f := setup.New(dp.Approx{Epsilon: 1, Delta: 1e-6}, 0)
		sigma := int64(5 + r.IntN(200))
		c := &dp.Charge{Loss: dp.Concentrated{Rho: 0.6 / float64(sigma*sigma)}, Events: []dp.Event{{
			Mechanism: dp.Gaussian, Count: 1, Scale: big.NewRat(sigma, 1), Sensitivity: dp.Sensitivity{L0: 1, LInf: 1},
		}}}
		n := int64(1 + r.IntN(400))
		count, step := Fill(f, setup.Price(c), n)
		once, all := FillAll(f, setup.Price(c), n)
		switch {
		case all != (count == n):
			t.Errorf("%v: of %d charges of σ=%d, %d are taken step by step, all at once: %v", rule, n, sigma, count, all)
		case all:
			taken++
			if a, b := dp.PartsOf(once.Spent()), dp.PartsOf(step.Spent()); a.Epsilon > b.Epsilon*(1+1e-5) || b.Epsilon > a.Epsilon*(1+1e-5) || a.Delta != b.Delta {
				t.Errorf("%v: %v was spent at once, and %v step by step", rule, once.Spent(), step.Spent())
			}
		default:
			refused++
		}
	}
	if taken < 50 || refused < 50 {
		t.Errorf("%d were taken and %d refused", taken, refused)
	}
}

// What a ρ adds is remembered, of its limit alone.
func TestWhatARhoAddsIsThatOfTheLimit(t *testing.T) {
	f := newBasic(dp.Approx{Epsilon: 10, Delta: 1e-6})
	small, large := dp.Concentrated{Rho: 0.01}, dp.Concentrated{Rho: 0.02}
	raised := f.Raise(dp.Approx{Epsilon: 10, Delta: 1e-3}).(*basicFilter)
	for range 2 {
		for _, l := range []dp.Concentrated{small, large, small} {
			e, d := f.cost(l)
			fresh, freshD := newBasic(dp.Approx{Epsilon: 10, Delta: 1e-6}).cost(l)
			other, _ := raised.cost(l)
			if e.Cmp(fresh) != 0 || d.Cmp(freshD) != 0 || other.Cmp(fresh) >= 0 {
				t.Errorf("%v adds %v, %v; must add %v, %v, and less than that with more δ: %v", l, e, d, fresh, freshD, other)
			}
		}
	}
}
