package pld

import (
	"math"
	"math/cmplx"
)

// ulp is the unit round-off of float64.
const ulp = 0x1p-53

// A transform is the two-sided Laplace transform M(z) = E[e^(zL)] of one
// mechanism's finite losses, L distributed as under the mechanism with the person.
type transform interface {
	// log returns ln M(t) at real t > 0, with an absolute error below 8 ulp (1 + t*reach).
	log(t float64) float64
	// line fixes the real part.
	line(t float64) line
	// reach is a bound on |L|, or for unbounded losses the scale that matters to round-off.
	reach() float64
	// top is the largest finite loss, +Inf if there is none.
	top() float64
	// grid returns the spacing and offset of a loss lattice, if the losses lie on one.
	grid() (spacing, offset float64, ok bool)
}

// A line is M along t+iy, relative to M(t).
type line interface {
	// at returns M(t+iy)/M(t) with an absolute error below ulp (8 + 4|y| reach).
	at(y float64) complex128
	// bound is at least |at(v)| for every v from y up to half.
	bound(y float64) float64
	// half is how far bound is good; beyond it |at| <= 1 is all that is known. +Inf
	// for most continuous losses.
	half() float64
}

// transformOf returns the finite part of a mechanism and the logarithm of one minus
// its infinite mass. flip prices the opposite direction. A nil transform has no
// finite loss but zero.
func transformOf(m Mechanism, flip bool) (t transform, logFinite float64) {
	switch m.kind {
	case declared:
		if m.a == 0 {
			return nil, math.Log1p(-m.b)
		}
		return newTwoPoint(m.a), math.Log1p(-m.b)
	case pureZcdp:
		return newTwoPoint(m.a), 0
	case laplace:
		return laplaceTransform{m.a}, 0
	case boundedRange:
		return rangeTransform{m.a}, 0
	case discreteLaplace:
		return discreteLaplaceOf(m.a, m.b), 0
	case discreteGaussian:
		return discreteGaussianOf(m.a, m.b)
	case table:
		p, q := m.rows()
		if flip {
			p, q = q, p
		}
		return tableOf(p, q)
	}
	return nil, 0
}

// expm1 is e^z - 1 without cancellation near zero.
func expm1(z complex128) complex128 {
	x, y := real(z), imag(z)
	s, c := math.Sincos(y)
	h := math.Sin(y / 2)
	return complex(math.Expm1(x)*c-2*h*h, math.Exp(x)*s)
}

// expi is e^(iy).
func expi(y float64) complex128 {
	s, c := math.Sincos(y)
	return complex(c, s)
}

// power is r^k by repeated squaring; each multiplication adds a few ulp, k times in all.
func power(r complex128, k int) complex128 {
	p := complex(1, 0)
	for ; k > 0; k >>= 1 {
		if k&1 == 1 {
			p *= r
		}
		r *= r
	}
	return p
}

// twoPoint is the pair of randomized response: losses +-ε with odds e^ε.
// M(z) = (e^ε e^(z ε) + e^(-z ε)) / (1 + e^ε).
type twoPoint struct{ eps, low float64 }

func newTwoPoint(eps float64) twoPoint { return twoPoint{eps, 1 / (1 + math.Exp(eps))} }

func (p twoPoint) log(t float64) float64 {
	return t*p.eps + math.Log1p(p.low*math.Expm1(-2*t*p.eps))
}
func (p twoPoint) reach() float64                 { return p.eps }
func (p twoPoint) top() float64                   { return p.eps }
func (p twoPoint) grid() (float64, float64, bool) { return 2 * p.eps, -p.eps, true }
func (p twoPoint) line(t float64) line {
	e := p.low * math.Exp(-2*t*p.eps)
	return twoPointLine{p.eps, e / (1 - p.low + e)}
}

// twoPointLine holds the tilted probability of the lower loss. |at| falls until
// half a period, so the bound is exact.
type twoPointLine struct{ eps, low float64 }

func (l twoPointLine) at(y float64) complex128 {
	s, c := math.Sincos(y * l.eps)
	return complex(c, (1-2*l.low)*s)
}
func (l twoPointLine) half() float64 { return math.Pi / 2 / l.eps }
func (l twoPointLine) bound(y float64) float64 {
	return math.Min(1, cmplx.Abs(l.at(y))*(1+1e-14)+1e-14)
}

// laplaceTransform is continuous Laplace noise:
// M(z) = ((z+1) e^(z ε) + z e^(-(z+1) ε)) / (2z+1).
type laplaceTransform struct{ eps float64 }

func (l laplaceTransform) log(t float64) float64 {
	return t*l.eps + math.Log1p(t*math.Expm1(-(2*t+1)*l.eps)/(2*t+1))
}
func (l laplaceTransform) grid() (float64, float64, bool) { return 0, 0, false }
func (l laplaceTransform) reach() float64                 { return l.eps }
func (l laplaceTransform) top() float64                   { return l.eps }
func (l laplaceTransform) line(t float64) line {
	e := math.Exp(-(2*t + 1) * l.eps)
	return laplaceLine{eps: l.eps, t: t, e: e, scale: (2*t + 1) / (t + 1 + t*e)}
}

type laplaceLine struct{ eps, t, e, scale float64 }

func (l laplaceLine) at(y float64) complex128 {
	w := expi(y * l.eps)
	back := complex(real(w), -imag(w)) // e^(-iy ε)
	num := complex(l.t+1, y)*w + complex(l.t*l.e, y*l.e)*back
	return num / complex(2*l.t+1, 2*y) * complex(l.scale, 0)
}
func (l laplaceLine) half() float64 { return math.Inf(1) }

// bound is the triangle inequality: |z+1|/|2z+1| falls in y and |z|/|2z+1| stays below 1/2.
func (l laplaceLine) bound(y float64) float64 {
	return math.Min(1, (math.Hypot(l.t+1, y)/math.Hypot(2*l.t+1, 2*y)+l.e/2)*l.scale*(1+1e-14))
}

// rangeTransform is the worst pair of bounded range ε: density proportional to
// e^(l/2) on [-ε, ε], M(z) = sinh((z+1/2) ε) / ((2z+1) sinh(ε/2)).
type rangeTransform struct{ eps float64 }

func (r rangeTransform) log(t float64) float64 {
	a := (t + 0.5) * r.eps
	return t*r.eps + math.Log(-math.Expm1(-2*a)) - math.Log(-math.Expm1(-r.eps)) - math.Log(2*t+1)
}
func (r rangeTransform) grid() (float64, float64, bool) { return 0, 0, false }
func (r rangeTransform) reach() float64                 { return r.eps }
func (r rangeTransform) top() float64                   { return r.eps }
func (r rangeTransform) line(t float64) line {
	return rangeLine{r.eps, t, 1 / math.Tanh((t+0.5)*r.eps)}
}

type rangeLine struct{ eps, t, coth float64 }

func (r rangeLine) at(y float64) complex128 {
	s, c := math.Sincos(y * r.eps)
	return complex(c, s*r.coth) * complex(2*r.t+1, 0) / complex(2*r.t+1, 2*y)
}
func (r rangeLine) half() float64 { return math.Inf(1) }
func (r rangeLine) bound(y float64) float64 {
	return math.Min(1, r.coth*(2*r.t+1)/math.Hypot(2*r.t+1, 2*y)*(1+1e-14))
}
