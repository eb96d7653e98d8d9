package budget

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
	chosen filter // nil before the first charge
}

func newDefault(l dp.Approx, s *setup, star float64) filter {
	return &defaultFilter{basic: newBasic(l), renyi: newEventFilter(l, s.share, newRenyiMeter(s.orders, star))}
}

const countMost = 1 << 20

func (f *defaultFilter) decide(p *price) way {
	if f.chosen != nil {
		return f.chosen.decide(p)
	}
	n := f.renyi.count(p, countMost)
	if n < countMost && f.basic.count(p).Cmp(big.NewInt(n)) > 0 {
		return byLoss
	}
	if n > 0 {
		return f.renyi.decide(p)
	}
	return refused
}

func (f *defaultFilter) add(p *price, w way, n int64) {
	if f.chosen == nil {
		f.chosen = f.renyi
		if w == byLoss {
			f.chosen = f.basic
		}
	}
	f.chosen.add(p, w, n)
}

func (f *defaultFilter) clone() filter {
	if f.chosen != nil {
		return &defaultFilter{chosen: f.chosen.clone()}
	}
	return &defaultFilter{basic: f.basic.clone().(*basicFilter), renyi: f.renyi.clone().(*eventFilter)}
}

func (f *defaultFilter) raise(l dp.Loss) filter {
	if f.chosen != nil {
		return &defaultFilter{chosen: f.chosen.raise(l)}
	}
	return &defaultFilter{basic: f.basic.raise(l).(*basicFilter), renyi: f.renyi.raise(l).(*eventFilter)}
}

func (f *defaultFilter) current() filter {
	if f.chosen != nil {
		return f.chosen
	}
	return f.basic
}

func (f *defaultFilter) limit() dp.Loss { return f.current().limit() }
func (f *defaultFilter) spent() dp.Loss { return f.current().spent() }
func (f *defaultFilter) left() dp.Loss  { return f.current().left() }

func (f *defaultFilter) leftRho() *big.Rat {
	if f.chosen != nil {
		return f.chosen.leftRho()
	}
	return f.renyi.leftRho()
}

func (f *defaultFilter) lacks(p *price) string {
	if f.chosen != nil {
		return f.chosen.lacks(p)
	}
	return "" // basic composition takes every kind
}
