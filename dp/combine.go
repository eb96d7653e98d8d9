package dp

import "math"

// Plus returns the estimate of e + other, for estimates whose noise is independent,
// such as those of two releases. Two columns of one group may be of one vector, and all
// groups of a release may be: then they share noise, and the interval of their sum would
// be too short; package aggregate has Total for sums over groups. It is made like
// [Estimate.Minus].
func (e Estimate[T]) Plus(other Estimate[T]) Estimate[float64] {
	return plus(e.operand(), other.operand())
}

// Minus returns the estimate of e - other, for estimates whose noise is
// independent, as [Estimate.Plus] says; package aggregate has Column.Change for two groups
// of one release. It is the difference of the raw numbers
// ([Estimate.Raw]), brought into the range that differences have only then, so that
// many of them are right on average. It is Unknown if one of the two is.
//
// Its interval is that of the difference, which is narrower than a comparison of two
// intervals would have it: half-widths add as squares (Zou, Donner 2008, MOVER),
// which is exact for Gaussian noise and a little too wide for Laplace noise. Where
// an interval ends because the range does, half-widths add as they are.
func (e Estimate[T]) Minus(other Estimate[T]) Estimate[float64] {
	return plus(e.operand(), other.operand().negative())
}

// An operand is a raw estimate, with the range of the number before noise, and the
// range that the raw number itself can be in.
type operand struct {
	raw      Estimate[float64]
	lo, hi   float64
	rawRange [2]float64
}

func (e Estimate[T]) operand() operand {
	raw := e.Raw()
	lo, hi := e.ends()
	rawLo, rawHi := raw.ends()
	return operand{raw: raw, lo: lo, hi: hi, rawRange: [2]float64{rawLo, rawHi}}
}

func (o operand) negative() operand {
	negated := Estimate[float64]{Value: -o.raw.Value, StdDev: o.raw.StdDev, Unknown: o.raw.Unknown, spread: negative{o.raw}}
	return operand{raw: negated, lo: -o.hi, hi: -o.lo, rawRange: [2]float64{-o.rawRange[1], -o.rawRange[0]}}
}

type negative struct{ of Estimate[float64] }

// Interval implements Spread.
func (n negative) Interval(confidence float64) (lo, hi float64) {
	lo, hi = n.of.Interval(confidence)
	return -hi, -lo
}

func plus(a, b operand) Estimate[float64] {
	if a.raw.Unknown || b.raw.Unknown {
		return NewUnknown(a.lo+b.lo, a.hi+b.hi)
	}
	o := a.plus(b)
	return o.raw.Within(o.lo, o.hi)
}

// sum is the spread of a + b.
type sum struct{ a, b operand }

// Interval implements Spread.
func (s sum) Interval(confidence float64) (lo, hi float64) {
	belowA, aboveA := s.a.reaches(confidence)
	belowB, aboveB := s.b.reaches(confidence)
	value := s.a.raw.Value + s.b.raw.Value
	return value - join(belowA, belowB), value + join(aboveA, aboveB)
}

// A reach is how far an interval goes to one side. It is hard if no number beyond is
// possible, at any confidence.
type reach struct {
	width float64
	hard  bool
}

func (o operand) reaches(confidence float64) (below, above reach) {
	lo, hi := o.raw.Interval(confidence)
	return reach{o.raw.Value - lo, lo <= o.rawRange[0]}, reach{hi - o.raw.Value, hi >= o.rawRange[1]}
}

// join returns how far the interval of a sum goes. Squares may be added of what the
// noise is likely to do. What is hard is the most that it can do, and may well be
// what it did: where it is added as it is, the sum is missed only if the other
// interval misses too.
func join(a, b reach) float64 {
	if a.hard || b.hard {
		return a.width + b.width
	}
	return math.Hypot(a.width, b.width)
}
