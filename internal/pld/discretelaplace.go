package pld

import (
	"math"
	"math/cmplx"
)

// discreteLaplaceTransform is discrete Laplace noise with decay a per step and an integer shift s. With q = e^(-a)
// and r = q e^(-2az), summing the geometric series gives
//
//	M(z) = e^(zas) (1 - qr + r^s (q - r)) / ((1+q)(1-r)),
//
// whose three differences are computed by expm1. With s = 1 it is randomized response.
type discreteLaplaceTransform struct{ a, s float64 }

func discreteLaplaceOf(scale, shift float64) transform {
	a := math.Nextafter(1/scale, math.Inf(1))
	if shift == 1 {
		return newTwoPoint(a)
	}
	return discreteLaplaceTransform{a, shift}
}

// bracket is (1 - qr + r^s (q-r)) / ((1+q)(1-r)) at a real argument.
func (d discreteLaplaceTransform) bracket(t float64) float64 {
	q := math.Exp(-d.a)
	num := -math.Expm1(-2*d.a*(1+t)) - math.Exp(-d.a*(1+2*t)*d.s)*q*math.Expm1(-2*d.a*t)
	return num / (-math.Expm1(-d.a*(1+2*t)) * (1 + q))
}
func (d discreteLaplaceTransform) log(t float64) float64 {
	return t*d.top() + math.Log(d.bracket(t))
}
func (d discreteLaplaceTransform) reach() float64                 { return d.a * d.s }
func (d discreteLaplaceTransform) top() float64                   { return d.a * d.s }
func (d discreteLaplaceTransform) grid() (float64, float64, bool) { return 2 * d.a, -d.a * d.s, true }
func (d discreteLaplaceTransform) line(t float64) line {
	q := math.Exp(-d.a)
	rho := math.Exp(-d.a * (1 + 2*t))
	return discreteLaplaceLine{
		a: d.a, s: d.s, t: t, q: q, rho: rho, far: math.Exp(-d.a * (1 + 2*t) * d.s),
		scale: 1 / (d.bracket(t) * (1 + q)),
	}
}

type discreteLaplaceLine struct{ a, s, t, q, rho, far, scale float64 }

func (l discreteLaplaceLine) at(y float64) complex128 {
	w := expi(l.a * l.s * y)
	back := complex(real(w), -imag(w))
	head := -expm1(complex(-2*l.a*(1+l.t), -2*l.a*y))
	tail := -expm1(complex(-2*l.a*l.t, -2*l.a*y))
	den := -expm1(complex(-l.a*(1+2*l.t), -2*l.a*y))
	return (head*w + complex(l.far*l.q, 0)*tail*back) / den * complex(l.scale, 0)
}
func (l discreteLaplaceLine) half() float64 { return math.Pi / 2 / l.a }

// bound is the triangle inequality; both |1-qr|/|1-r|, which falls, and |q-r|/|1-r|, which stays below
// (q+rho)/(1+rho), are monotone in cos(2ay), hence in y up to half a period.
func (l discreteLaplaceLine) bound(y float64) float64 {
	head := cmplx.Abs(expm1(complex(-2*l.a*(1+l.t), -2*l.a*y)))
	den := cmplx.Abs(expm1(complex(-l.a*(1+2*l.t), -2*l.a*y)))
	return math.Min(1, (head/den+l.far*(l.q+l.rho)/(1+l.rho))*l.scale*(1+1e-13))
}

// DiscreteLaplaceDelta returns an upper bound on delta(eps) of discrete Laplace noise, P(x) in proportion to
// exp(-|x|/scale), against itself moved by an integer shift. The sum over the lattice is geometric and taken in
// closed form: with q = e^(-1/scale) and m the last integer below shift/2 - eps scale/2,
//
//	delta(eps) = (q - q^(m+1) + 1 - e^(eps - (shift-m)/scale)) / (1 + q)
//
// (Ghosh, Roughgarden and Sundararajan 2012 for the mechanism). It exceeds the truth by less than 1e-9, relatively,
// and by an ulp of eps where eps is within an ulp of shift/scale. It returns 1 for a scale that is not positive and
// finite, a shift that is no integer, or an eps that is NaN or negative.
// Proof: docs/proofs/accounting-contour.md, section 7.
func DiscreteLaplaceDelta(scale, shift, eps float64) float64 {
	m := DiscreteLaplace(scale, shift)
	if m.kind == invalid || !(eps >= 0) {
		return 1
	}
	if m.kind == nothing || math.IsInf(eps, 1) {
		return 0
	}
	s, q := m.b, math.Exp(-1/scale)
	last := math.Ceil(s/2-eps*scale/2) - 1
	if last < 0 {
		last = 0
	}
	steps := (s - last) / scale
	gap := steps - eps + math.FMA(-steps, scale, s-last)/scale
	if !(gap > 0) {
		return math.Min(1, 4*ulp*eps+math.SmallestNonzeroFloat64) * boolTo(eps <= s/scale*(1+8*ulp))
	}
	delta := (-q*math.Expm1(-last/scale) - math.Expm1(-gap)) / (1 + q)
	return math.Min(1, delta*up+4*ulp*ulp*eps+math.SmallestNonzeroFloat64)
}

func boolTo(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
