package filter

import (
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
)

// A defaultFilter is a basicFilter or an eventFilter over Rényi divergences,
// each with the whole limit. It becomes one of them with the first charge:
// the one that allows more charges like it. No answer was given before the first
// charge, so its choice cannot depend on one; a choice made later could, and
// would not be sound. Proof: docs/proofs/filter-default.md, Theorem 2.
type defaultFilter struct {
	basic  *basicFilter
	renyi  *eventFilter
	chosen Filter // nil before the first charge
}

func newDefault(l dp.Approx, s *Setup, star float64) Filter {
	return &defaultFilter{basic: newBasic(l), renyi: newEventFilter(l, s.share, newRenyiMeter(s.orders, star))}
}

// Becoming returns an empty filter of rule Default with a limit that has chosen already: basic composition,
// or Rényi divergences.
func (s *Setup) Becoming(epsilon, delta, star float64, basic bool) Filter {
	f := newDefault(dp.Approx{Epsilon: epsilon, Delta: delta}, s, star).(*defaultFilter)
	if f.chosen = f.renyi; basic {
		f.chosen = f.basic
	}
	return f
}

const countMost = 1 << 20

func (f *defaultFilter) Decide(p *Price) Way {
	if f.chosen != nil {
		return f.chosen.Decide(p)
	}
	n, _ := Fill(f.renyi, p, countMost)
	if n < countMost && f.basic.count(p).Cmp(big.NewInt(n)) > 0 {
		return ByLoss
	}
	if n > 0 {
		return f.renyi.Decide(p)
	}
	return Refused
}

func (f *defaultFilter) Add(p *Price, w Way, n int64) {
	if f.chosen == nil {
		f.chosen = f.renyi
		if w == ByLoss {
			f.chosen = f.basic
		}
	}
	f.chosen.Add(p, w, n)
}

func (f *defaultFilter) Clone() Filter {
	if f.chosen != nil {
		return &defaultFilter{chosen: f.chosen.Clone()}
	}
	return &defaultFilter{basic: f.basic.Clone().(*basicFilter), renyi: f.renyi.Clone().(*eventFilter)}
}

func (f *defaultFilter) Raise(l dp.Loss) Filter {
	if f.chosen != nil {
		return &defaultFilter{chosen: f.chosen.Raise(l)}
	}
	return &defaultFilter{basic: f.basic.Raise(l).(*basicFilter), renyi: f.renyi.Raise(l).(*eventFilter)}
}

func (f *defaultFilter) current() Filter {
	if f.chosen != nil {
		return f.chosen
	}
	return f.basic
}

func (f *defaultFilter) Limit() dp.Loss { return f.current().Limit() }
func (f *defaultFilter) Spent() dp.Loss { return f.current().Spent() }
func (f *defaultFilter) Left() dp.Loss  { return f.current().Left() }

func (f *defaultFilter) leftRho() (rho, delta *big.Rat) {
	if f.chosen != nil {
		return f.chosen.leftRho()
	}
	return f.renyi.leftRho()
}

func (f *defaultFilter) Binds(p *Price) []string { return f.current().Binds(p) }

func (f *defaultFilter) Lacks(p *Price) string {
	if f.chosen != nil {
		return f.chosen.Lacks(p)
	}
	return "" // basic composition takes every kind
}
