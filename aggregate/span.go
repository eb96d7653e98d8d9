package aggregate

import "math/big"

// An estimate is what a cell says of a column, before it gets the column's type: as
// the noise left it, and the range that the number before noise is surely in. Proofs:
// docs/proofs/estimates.md.
type estimate struct {
	value    *big.Rat
	stdDev   float64
	interval func(confidence float64) (lo, hi *big.Rat) // nil is unbounded
	within   span
	linear   bool // in the noise, so that value is right on average
	unknown  bool // value and interval say nothing

	sources func() []any // of its noise
}

// A span is a range; nil is no end. It follows from the question alone.
type span struct{ least, most *big.Rat }

// clamp returns the number of the range that is nearest to x.
func (s span) clamp(x *big.Rat) *big.Rat {
	switch {
	case s.least != nil && x.Cmp(s.least) < 0:
		return s.least
	case s.most != nil && x.Cmp(s.most) > 0:
		return s.most
	}
	return x
}

// overlap returns what an interval has in common with the range: all of the range
// if that is nothing, which would be a certainty that is wrong.
func (s span) overlap(lo, hi *big.Rat) (*big.Rat, *big.Rat) {
	if lo == nil || s.least != nil && lo.Cmp(s.least) < 0 {
		lo = s.least
	}
	if hi == nil || s.most != nil && hi.Cmp(s.most) > 0 {
		hi = s.most
	}
	if lo != nil && hi != nil && lo.Cmp(hi) > 0 {
		return s.least, s.most
	}
	return lo, hi
}

// limited returns the estimate within its range.
func (e estimate) limited() estimate {
	interval := e.interval
	e.value = e.within.clamp(e.value)
	if e.unknown {
		width, _ := new(big.Rat).Sub(e.within.most, e.within.least).Float64()
		e.stdDev = width / 2
	}
	e.interval = func(confidence float64) (lo, hi *big.Rat) {
		if e.unknown {
			return e.within.least, e.within.most
		}
		return e.within.overlap(interval(confidence))
	}
	return e
}
