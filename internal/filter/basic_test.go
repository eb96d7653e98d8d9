package filter

import (
	"math/big"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

func rhoPrice(rho float64) *Price { return lossPrice(dp.Concentrated{Rho: rho}, nil) }

// A ρ costs the ε that it implies at a hundredth of the limit's δ, and that hundredth.
func TestBasicTurnsRhoIntoEpsilonAndAHundredthOfDelta(t *testing.T) {
	limit := dp.Approx{Epsilon: 1000, Delta: 1e-4}
	for _, rho := range []float64{1e-9, 0.001, 0.5} {
		if n, f := Fill(newBasic(limit), rhoPrice(rho), 1000); n != 100 || f.Left() == nil || f.Left().(dp.Pure).Epsilon <= 0 {
			t.Errorf("ρ=%v fits %d times, want 100 by δ, with ε left", rho, n)
		}
		f := newBasic(limit)
		f.Add(rhoPrice(rho), ByLoss, 1)
		spent := f.Spent().(dp.Approx)
		if delta := rhoDelta(rho, spent.Epsilon); delta > 1e-6*(1+1e-9) || rho > 1e-6 && delta < 1e-6*(1-1e-6) || spent.Delta != 1e-6 {
			t.Errorf("ρ=%v costs %v, at whose ε its δ is %v, want 1e-06", rho, spent, delta)
		}
	}
	if w := newBasic(dp.Pure{Epsilon: 1000}).Decide(rhoPrice(1e-9)); w != Refused {
		t.Errorf("a limit without δ takes ρ as %q", w)
	}
}

// A record of another engine may have been accepted although this one finds no price for it.
func TestNothingFitsAfterWhatHasNoPrice(t *testing.T) {
	f := newBasic(dp.Pure{Epsilon: 1})
	f.Add(rhoPrice(0.1), ByLoss, 1)
	tiny := lossPrice(dp.Pure{Epsilon: 1e-300}, nil)
	if w := f.Decide(tiny); w != Refused || f.Left() != nil {
		t.Errorf("after a charge without a price %v is taken as %q, and %v is left", tiny.loss, w, f.Left())
	}
	z := newZCDP(dp.Approx{Epsilon: 1, Delta: 1e-6}, new(big.Rat))
	none := &Price{loss: dp.Pure{Epsilon: 0.1}, declared: noPart(nil), events: noPart(nil)}
	none.events.rho, none.events.pure = nil, big.NewRat(1, 10)
	z.Add(none, ByEvents, 1)
	if w := z.Decide(rhoPrice(1e-300)); w != Refused {
		t.Errorf("after a mechanism without ρ, a ρ is taken as %q", w)
	}
	if w := z.Decide(lossPrice(dp.Pure{Epsilon: 0.1}, nil)); w == Refused {
		t.Error("and the branch of ε is closed too")
	}
}
