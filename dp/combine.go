package dp

import "math"

// Plus returns the estimate of e + other. It is made like [Estimate.Minus]. Package
// aggregate has Total for sums over groups, whose intervals are narrower where the groups
// share noise.
func (e Estimate[T]) Plus(other Estimate[T]) Estimate[float64] {
	return plus(e.operand(), other.operand())
}

// Minus returns the estimate of e - other. It is the difference of the raw numbers
// ([Estimate.Raw]), brought into the range that differences have only then, so that
// many of them are right on average. It is Unknown if one of the two is.
//
// Its interval is that of the difference, which is narrower than a comparison of two
// intervals would have it: half-widths add as squares (Zou, Donner 2008, MOVER),
// which is exact for Gaussian noise and a little too wide for Laplace noise. Where
// an interval ends because the range does, half-widths add as they are.
//
// So do those of estimates that share noise, as their [Spread] says: columns of one vector,
// and all its groups where it is one of all groups. The more of them are added up or
// subtracted, the more confidence each one needs ([Jointly]), so that the interval holds
// whatever they have to do with one another. Package aggregate has Column.Change for two
// groups of one release, which is narrower. Of noise that is not told of, and of one
// [Noise.Add] that is used twice, nothing is known here: such estimates must be independent.
func (e Estimate[T]) Minus(other Estimate[T]) Estimate[float64] {
	return plus(e.operand(), other.operand().times(-1))
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

func plus(a, b operand) Estimate[float64] {
	if a.raw.Unknown || b.raw.Unknown {
		return NewUnknown(a.lo+b.lo, a.hi+b.hi)
	}
	o := sumOf(a, b)
	return o.raw.Within(o.lo, o.hi)
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

// and returns how far two may go together that need not be independent.
func (r reach) and(other reach) reach {
	return reach{r.width + other.width, r.hard || other.hard}
}

// join returns how far the interval of a sum of independent numbers goes. Squares may be
// added of what the noise is likely to do. What is hard is the most that it can do, and may
// well be what it did: where it is added as it is, the sum is missed only if the other
// intervals miss too.
func join(all []reach) float64 {
	hard, soft := 0.0, 0.0
	for _, r := range all {
		if r.hard {
			hard += r.width
		} else {
			soft = math.Hypot(soft, r.width)
		}
	}
	return hard + soft
}
