package dp

import (
	"math"
	"reflect"
)

// An Estimate is a released number and its uncertainty. It is safe to store,
// print and share: it is a function of what was released and of public
// parameters, and of nothing else.
type Estimate[T Number] struct {
	// Value is the released number, within the range that public facts allow. If
	// the estimate is Unknown, it is NaN; or, for integers, which have none, the
	// middle of the range, and says nothing.
	Value T

	// StdDev is the standard deviation of the noise in Value, in its unit. It
	// is an approximation where Value is not linear in the noise.
	StdDev float64

	// Unknown reports that the noise hides the number altogether, such as a mean
	// where it hides of how many. The interval is then all that is possible, at
	// every confidence.
	Unknown bool

	spread  Spread[T]
	spreads interface{ At(i int) Spread[T] } // or nil; its own is that of at
	at      int
}

// own returns the spread of the estimate, or nil.
func (e Estimate[T]) own() Spread[T] {
	if e.spreads != nil {
		return e.spreads.At(e.at)
	}
	return e.spread
}

// A Spread says how far an estimate may be from the number before noise. If it also
// has a method Raw() Estimate[float64], that is what [Estimate.Raw] returns. If it has
// Sources() []any, these are comparable names of what its noise came from: estimates with
// an equal one share noise, and [Estimate.Plus], [Estimate.Minus], [Estimate.Over] and
// [Estimate.ShareWith] allow for it. All others are taken to be independent.
type Spread[T Number] interface {
	// Interval returns bounds that contain the number before noise with at
	// least the confidence. The bounds are public.
	Interval(confidence float64) (lo, hi T)
}

// NewEstimate joins a released value and its spread. Most users need not: they
// get estimates from [Noise.Add] or from a release.
func NewEstimate[T Number](value T, stdDev float64, spread Spread[T]) Estimate[T] {
	return Estimate[T]{Value: value, StdDev: stdDev, spread: spread}
}

// NewEstimateAt is [NewEstimate] with the i-th of many spreads, which is made when somebody
// asks for it. It allocates nothing.
func NewEstimateAt[T Number](value T, stdDev float64, spreads interface{ At(i int) Spread[T] }, i int) Estimate[T] {
	return Estimate[T]{Value: value, StdDev: stdDev, spreads: spreads, at: i}
}

// NewUnknown returns the estimate of a number of which nothing is known but that it
// is in the range from lo to hi.
func NewUnknown[T Number](lo, hi T) Estimate[T] {
	half := float64(hi)/2 - float64(lo)/2
	e := Estimate[T]{StdDev: half, Unknown: true, spread: limits[T]{lo, hi}}
	if v := reflect.ValueOf(&e.Value).Elem(); v.CanFloat() {
		v.SetFloat(math.NaN())
	} else {
		e.Value = lo/2 + hi/2
	}
	return e
}

// limits is the spread of what is unknown.
type limits[T Number] struct{ lo, hi T }

// Interval implements Spread.
func (l limits[T]) Interval(float64) (lo, hi T) { return l.lo, l.hi }

// Interval returns bounds that contain the number before noise with at least
// the given confidence, such as 0.95. The number before noise is the one after
// contribution bounding and clamping: the interval is about noise, and not
// about what the bounds cut off, nor about sampling. It costs nothing.
//
// The bounds are within the range that public facts allow. If nothing in it is as
// near to the noisy number as the confidence asks for, they are the whole range,
// and not a point that looks certain.
//
// A confidence of 1 or more, or NaN, gives the whole range; one of 0 or less gives
// the interval of confidence 0.
func (e Estimate[T]) Interval(confidence float64) (lo, hi T) {
	spread := e.own()
	if spread == nil {
		return e.Value, e.Value
	}
	return spread.Interval(confidence)
}

// Raw returns the estimate as the noise left it, before it was brought into the
// range that public facts allow: a count may be negative, and the sum of many is
// right on average. Estimates that are not linear in the noise, such as means and
// quantiles, have no other form and are their own.
func (e Estimate[T]) Raw() Estimate[float64] {
	if e.Unknown {
		lo, hi := e.ends()
		return NewUnknown(lo, hi)
	}
	if s, ok := e.own().(interface{ Raw() Estimate[float64] }); ok {
		return s.Raw()
	}
	return NewEstimate(float64(e.Value), e.StdDev, Spread[float64](asFloat[T]{e}))
}

// asFloat is the spread of an estimate as one of a float.
type asFloat[T Number] struct{ of Estimate[T] }

// Interval implements Spread.
func (f asFloat[T]) Interval(confidence float64) (lo, hi float64) {
	l, h := f.of.Interval(confidence)
	return endOf(l), endOf(h)
}

// ends returns the range of an estimate.
func (e Estimate[T]) ends() (lo, hi float64) { return asFloat[T]{e}.Interval(1) }

// Sources is for [Spread].
func (f asFloat[T]) Sources() []any { return f.of.sources() }

// endOf returns the end of an interval, and an infinity where T has no number that is
// further out: an integer of 64 bits stands there for no bound.
func endOf[T Number](end T) float64 {
	switch v := reflect.ValueOf(end); {
	case v.CanInt() && v.Int() == math.MaxInt64, v.CanUint() && v.Uint() == math.MaxUint64:
		return math.Inf(1)
	case v.CanInt() && v.Int() == math.MinInt64:
		return math.Inf(-1)
	}
	return float64(end)
}

// Within brings the estimate into a range that the number before noise is surely
// in, such as 0 to math.MaxInt64 for a count. The range must follow from what is
// public: from bounds and caps, and not from another noisy number. Then the interval
// holds the number before noise at least as often as it did. It is the whole range
// where nothing else is left of it. [Estimate.Raw] is as it was.
func (e Estimate[T]) Within(lo, hi T) Estimate[T] {
	if e.Unknown {
		l, h := e.Interval(1)
		return NewUnknown(overlap(l, h, lo, hi))
	}
	spread := within[T]{e, lo, hi}
	return NewEstimate(min(max(e.Value, lo), hi), e.StdDev, Spread[T](spread))
}

type within[T Number] struct {
	of     Estimate[T]
	lo, hi T
}

// Interval implements Spread.
func (w within[T]) Interval(confidence float64) (lo, hi T) {
	l, h := w.of.Interval(confidence)
	return overlap(l, h, w.lo, w.hi)
}

// Raw is what [Estimate.Raw] returns.
func (w within[T]) Raw() Estimate[float64] { return w.of.Raw() }

// Sources is for [Spread].
func (w within[T]) Sources() []any { return w.of.sources() }

// overlap returns what [l, h] and the range [lo, hi] have in common, or the range
// if that is nothing.
func overlap[T Number](l, h, lo, hi T) (T, T) {
	if l, h := max(l, lo), min(h, hi); l <= h {
		return l, h
	}
	return lo, hi
}
