package dp

import (
	"fmt"
	"math"
)

// An Estimate is a released number and its uncertainty. It is safe to store,
// print and share: it is a function of what was released and of public
// parameters, and of nothing else.
type Estimate[T Number] struct {
	// Value is the released number.
	Value T

	// StdDev is the standard deviation of the noise in Value, in its unit. It
	// is an approximation where Value is not linear in the noise.
	StdDev float64

	spread Spread[T]
}

// A Spread says how far an estimate may be from the number before noise.
type Spread[T Number] interface {
	// Interval returns bounds that contain the number before noise with at
	// least the confidence. The bounds are public.
	Interval(confidence float64) (lo, hi T)
}

// NewEstimate joins a released value and its spread. Most users need not: they
// get estimates from [Noise.Add] or from a release.
func NewEstimate[T Number](value T, stdDev float64, spread Spread[T]) Estimate[T] {
	return Estimate[T]{value, stdDev, spread}
}

// Interval returns bounds that contain the number before noise with at least
// the given confidence, such as 0.95. The number before noise is the one after
// contribution bounding and clamping: the interval is about noise, and not
// about what the bounds cut off, nor about sampling. It costs nothing.
//
// A confidence of 1 or more, or NaN, gives the widest interval that T has or
// the bounds of the value allow; one of 0 or less gives that of confidence 0.
func (e Estimate[T]) Interval(confidence float64) (lo, hi T) {
	if e.spread == nil {
		return e.Value, e.Value
	}
	return e.spread.Interval(confidence)
}

// Minus returns the estimate of e - other, for estimates whose noise is
// independent, such as those of two groups. Its interval is that of the
// difference, which is narrower than a comparison of two intervals would have
// it: half-widths add as squares (Zou, Donner 2008, MOVER), which is exact for
// Gaussian noise and a little too wide for Laplace noise.
func (e Estimate[T]) Minus(other Estimate[T]) Estimate[float64] {
	return Estimate[float64]{
		Value:  float64(e.Value) - float64(other.Value),
		StdDev: math.Hypot(e.StdDev, other.StdDev),
		spread: difference[T]{e, other},
	}
}

type difference[T Number] struct{ a, b Estimate[T] }

// Interval implements Spread.
func (d difference[T]) Interval(confidence float64) (lo, hi float64) {
	la, ha := d.a.Interval(confidence)
	lb, hb := d.b.Interval(confidence)
	a, b := float64(d.a.Value), float64(d.b.Value)
	lo = a - b - math.Hypot(a-float64(la), float64(hb)-b)
	hi = a - b + math.Hypot(float64(ha)-a, b-float64(lb))
	return lo, hi
}

// String returns the value and its 95 % noise interval, as in
// "1042 (1021 to 1063)".
func (e Estimate[T]) String() string {
	lo, hi := e.Interval(0.95)
	return fmt.Sprintf("%v (%v to %v)", e.Value, lo, hi)
}
