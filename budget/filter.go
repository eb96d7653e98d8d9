package budget

import (
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
)

// A filter holds one limit. What it accepted never exceeds the limit, however
// charges were chosen; the proof is named at each implementation.
type filter interface {
	// decide says how the filter would take a charge, or refused.
	decide(*price) way

	// add takes a charge in the given way, without asking whether it fits:
	// what was decided once is not decided again. n copies are taken.
	add(p *price, w way, n int64)

	clone() filter

	// raise returns the filter with another limit of the same kind, at least as
	// large, and all that was added.
	raise(dp.Loss) filter

	limit() dp.Loss

	// spent is the least limit that would have sufficed, rounded up; nil for
	// nothing.
	spent() dp.Loss

	// left is a loss such that a charge that declares it fits, rounded down;
	// nil for nothing.
	left() dp.Loss

	// leftRho is the same for a charge that declares a dp.Concentrated.
	leftRho() *big.Rat

	// lacks says why a charge can never fit, or returns "".
	lacks(*price) string
}

// setup is what the filters of an account share.
type setup struct {
	rule   Rule
	share  *big.Rat  // of δ that is kept for events with a δ of their own
	orders []float64 // increasing
}

// newFilter returns an empty filter. star is the order with most weight.
func (s *setup) newFilter(l dp.Loss, star float64) filter {
	switch l := l.(type) {
	case dp.Pure:
		return newBasic(l)
	case dp.Concentrated:
		return newZCDP(l, s.share)
	case dp.Approx:
		switch s.rule {
		case Basic:
			return newBasic(l)
		case GDP:
			return newGDP(l, s.share)
		case ZCDP:
			return newZCDP(l, s.share)
		}
		return newDefault(l, s, star)
	}
	panic("budget: internal error: a limit of unknown kind was let through")
}

// parts returns the ways to see a charge, the tighter one first.
func (p *price) parts() [2]*part { return [2]*part{&p.events, &p.declared} }

func (p *price) by(w way) *part {
	if w == byEvents {
		return &p.events
	}
	return &p.declared
}
