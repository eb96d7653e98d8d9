// Package normal is the law of a standard normal variable Z: its density, its
// tails and their inverses, as far out as floats reach.
//
// Error bounds are relative and hold for every argument unless another is said.
// They come from the analysis in the comments and are tested against vectors of
// 30 digits that another library made (testdata/vectors.py).
package normal

import "math"

// InvSqrt2Pi is 1/√(2π), the density at zero.
const InvSqrt2Pi = 0.398942280401432677939946059934

// farFrom is where the continued fraction of the Mills ratio takes over from Erfc.
const farFrom = 4.0

// Density returns the density at x, with an error below 1e-13 down to
// underflow: the rounding of x² is recovered by a fused multiply-add, which is
// exact on every platform.
func Density(x float64) float64 {
	s := x * x
	if s > 1500 {
		return 0
	}
	low := math.FMA(x, x, -s)
	return InvSqrt2Pi * (math.Exp(-s/2) * (1 - low/2))
}

// Mills returns the Mills ratio P(Z > x)/Density(x), with an error below 1e-13
// for x ≥ -38. Below that it overflows.
func Mills(x float64) float64 {
	if x < farFrom {
		return 0.5 * math.Erfc(x/math.Sqrt2) / Density(x)
	}
	return 1 / (x + millsTail(x))
}

// MillsSlope returns 1 - x·Mills(x), which is minus the slope of Mills and
// positive, without cancellation (Laplace's continued fraction; Abramowitz,
// Stegun 1964, 26.2.14), with an error below 1e-12 for x ≥ -38.
func MillsSlope(x float64) float64 {
	if x < farFrom {
		return 1 - x*Mills(x)
	}
	c := millsTail(x)
	return c / (x + c)
}

// millsTail returns 1/(x+2/(x+3/(x+…))). The n-th convergent is off by about
// exp(-x√(2n)), so the depth is chosen to reach 1e-19, which at x = 4 takes 82
// levels; positive terms only, hence no cancellation.
func millsTail(x float64) float64 {
	if x > 1e9 {
		return 1 / x
	}
	depth := 20 + int(1000/(x*x))
	t := x
	for k := depth; k >= 2; k-- {
		t = x + float64(k)/t
	}
	return 1 / t
}

// Tail returns P(Z > x), with an error below 1e-13 down to underflow, which
// begins beyond 37. The argument of Erfc is rounded, which costs x²/2 units in
// the last place: nothing to speak of below farFrom, and digits beyond.
func Tail(x float64) float64 {
	if x < farFrom {
		return 0.5 * math.Erfc(x/math.Sqrt2)
	}
	return Density(x) * Mills(x)
}

// LogTail returns ln P(Z > x), with an error below 1e-13 where the tail is at
// most one half and above; it is -Inf only where x² is.
func LogTail(x float64) float64 {
	switch {
	case x >= farFrom:
		return -x*x/2 + math.Log(InvSqrt2Pi*Mills(x))
	case x < 0:
		return math.Log1p(-Tail(-x))
	}
	return math.Log(Tail(x))
}
