package pld

import (
	"math"
	"math/cmplx"
)

// discreteLaplaceTransform is discrete Laplace noise with decay a per step and an
// integer shift s. With q = e^(-a) and r = q e^(-2az), summing the geometric series
// gives
//
//	M(z) = e^(zas) (1 - qr + r^s (q - r)) / ((1+q)(1-r)),
//
// whose three differences are computed by expm1. With s = 1 it is randomized
// response.
type discreteLaplaceTransform struct{ a, s float64 }

func discreteLaplaceOf(scale, shift float64) transform {
	a := 1 / scale
	if math.FMA(-a, scale, 1) > 0 { // rounded down: less noise is the safe side
		a = math.Nextafter(a, math.Inf(1))
	}
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
		a: d.a, s: d.s, q: q, rho: rho, far: math.Exp(-d.a * (1 + 2*t) * d.s),
		scale: 1 / (d.bracket(t) * (1 + q)),
		head:  newDecay(-2 * d.a * (1 + t)), tail: newDecay(-2 * d.a * t), den: newDecay(-d.a * (1 + 2*t)),
	}
}

type discreteLaplaceLine struct {
	a, s, q, rho, far, scale float64
	head, tail, den          decay
}

// A decay is the real part of an exponent, ready for 1 - e^(x+iv).
type decay struct{ exp, expm1 float64 }

func newDecay(x float64) decay { return decay{math.Exp(x), math.Expm1(x)} }

// gap is 1 - e^(x-iv) from the sine and cosine of v/2: exact to rounding for small x and v.
func (d decay) gap(sin, cos float64) complex128 {
	return complex(-d.expm1+2*sin*sin*d.exp, 2*sin*cos*d.exp)
}

func (l discreteLaplaceLine) at(y float64) complex128 {
	w := expi(l.a * l.s * y)
	back := complex(l.far*l.q*real(w), -l.far*l.q*imag(w))
	s, c := math.Sincos(l.a * y)
	return (l.head.gap(s, c)*w + l.tail.gap(s, c)*back) / l.den.gap(s, c) * complex(l.scale, 0)
}
func (l discreteLaplaceLine) half() float64 { return math.Pi / 2 / l.a }

// bound is the triangle inequality; both |1-qr|/|1-r|, which falls, and
// |q-r|/|1-r|, which stays below (q+rho)/(1+rho), are monotone in cos(2ay), hence
// in y up to half a period.
func (l discreteLaplaceLine) bound(y float64) float64 {
	s, c := math.Sincos(l.a * y)
	head, den := cmplx.Abs(l.head.gap(s, c)), cmplx.Abs(l.den.gap(s, c))
	return math.Min(1, (head/den+l.far*(l.q+l.rho)/(1+l.rho))*l.scale*(1+1e-13))
}

// DiscreteLaplaceDelta returns an upper bound on δ(ε) of discrete Laplace noise,
// P(x) in proportion to exp(-|x|/scale), against itself moved by an integer shift.
// The sum over the lattice is geometric and taken in closed form: with q =
// e^(-1/scale) and m the last integer below shift/2 - ε scale/2,
//
//	δ(ε) = (q - q^(m+1) + 1 - e^(ε - (shift-m)/scale)) / (1 + q)
//
// (Ghosh, Roughgarden and Sundararajan 2012 for the mechanism). It exceeds the
// truth by less than 1e-9, relatively, except where ε comes within a millionth of
// the largest loss, shift/scale, or nearer: there by a few ulp of ε. It is 0 from
// the largest loss on, and 1 for a scale that is not positive and finite, a shift
// that is no integer, or an ε that is NaN or negative. Proof:
// docs/proofs/accounting-contour.md, section 7.
func DiscreteLaplaceDelta(scale, shift, eps float64) float64 {
	m := DiscreteLaplace(scale, shift)
	if m.kind == invalid || !(eps >= 0) {
		return 1
	}
	top := m.b / scale
	if m.kind == nothing || math.IsInf(eps, 1) || eps > top*(1+2*ulp) {
		return 0
	}
	if !(top < 1e15) {
		return 1
	}
	last := math.Max(0, math.Ceil(m.b/2-eps*scale/2)-1)
	steps := (m.b - last) / scale
	gap := steps - eps + math.FMA(-steps, scale, m.b-last)/scale
	gap = math.Max(0, gap) + 4*ulp*eps
	q := math.Exp(-1 / scale)
	delta := (-q*math.Expm1(-last/scale) - math.Expm1(-gap)) / (1 + q)
	return math.Min(1, delta*up+math.SmallestNonzeroFloat64)
}
