package pld

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
)

// invSqrt2Pi is 1/sqrt(2 pi), the standard normal density at zero.
const invSqrt2Pi = 0.398942280401432677939946059934

// cfFrom is where the continued fraction of the Mills ratio takes over from Erfc.
const cfFrom = 4.0

// mills returns R(x) = Q(x)/phi(x), the Mills ratio of the standard normal, with a relative error below 1e-14
// for x >= -38. Below that it overflows, and callers do not go there.
func mills(x float64) float64 {
	if x < cfFrom {
		return 0.5 * math.Erfc(x/math.Sqrt2) / phi(x)
	}
	return 1 / (x + millsTail(x))
}

// millsSlope returns S(x) = 1 - x R(x) = -R'(x) > 0 without cancellation (Laplace's continued fraction;
// Abramowitz and Stegun 1964, 26.2.14).
func millsSlope(x float64) float64 {
	if x < cfFrom {
		return 1 - x*mills(x)
	}
	c := millsTail(x)
	return c / (x + c)
}

// millsTail returns 1/(x+2/(x+3/(x+...))). The n-th convergent is off by about exp(-x sqrt(2n)), relatively, so the
// depth is chosen to reach 1e-19, which at x = 4 takes 82 levels; positive terms only, hence no cancellation.
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

// phi returns the standard normal density with a relative error below 1e-13 down to underflow: the rounding
// of x*x is recovered by a fused multiply-add, which is exact on every platform.
func phi(x float64) float64 {
	return invSqrt2Pi * expNegHalfSquare(x)
}

func expNegHalfSquare(x float64) float64 {
	s := x * x
	if s > 1500 {
		return 0
	}
	low := math.FMA(x, x, -s)
	return math.Exp(-s/2) * (1 - low/2)
}

// legendre holds the 20-point Gauss-Legendre rule on [0, 1].
var legendre = newRule(20)

type rule struct{ x, w []float64 }

func newRule(n int) rule {
	r := rule{make([]float64, n), make([]float64, n)}
	quad.Legendre{}.FixedLocations(r.x, r.w, 0, 1)
	return r
}

// millsDrop returns R(a) - R(a+mu) for a >= -mu/2 and mu > 0 (mu < 1 where a is negative), free of cancellation:
// as a difference where the two differ by a factor, and as the integral of S over [a, a+mu] where they do not.
func millsDrop(a, mu float64) float64 {
	if a >= 0 && mu >= a+1 {
		return mills(a) - mills(a+mu)
	}
	sum := 0.0
	for i, x := range legendre.x {
		sum += legendre.w[i] * millsSlope(a+mu*x)
	}
	return mu * sum
}
