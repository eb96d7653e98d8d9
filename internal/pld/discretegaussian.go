package pld

import (
	"math"
	"math/cmplx"

	"github.com/equipoise-dp/equipoise/internal/normal"
)

// smallSigma divides the discrete Gaussians priced as finite tables from those
// priced by their theta function.
const smallSigma = 1.0

// farOut is the number of standard deviations kept in a table: the rest, below
// 1e-340, counts as infinite loss.
const farOut = 40

// discreteGaussianOf prices the integers directly for small sigma and by Poisson
// summation otherwise.
func discreteGaussianOf(sigma, shift float64) (transform, float64) {
	if sigma >= smallSigma {
		return thetaTransform{sigma, shift}, 0
	}
	return discreteGaussianTable(sigma, shift), -1e-320
}

// discreteGaussianTable lists the losses (s^2 - 2sx)/(2 sigma^2) for |x| <= 40
// sigma, in rising order.
func discreteGaussianTable(sigma, shift float64) stepTable {
	n := math.Ceil(farOut * sigma)
	unit := shift / sigma / sigma
	for n > 0 && math.Exp(-(n/sigma)*(n/sigma)/2) == 0 {
		n--
	}
	t := stepTable{step: unit, offset: unit * (shift/2 - n)}
	for x := n; x >= -n; x-- {
		t.loss = append(t.loss, unit*(shift/2-x))
		t.p = append(t.p, math.Exp(-(x/sigma)*(x/sigma)/2))
	}
	t.tableTransform = t.normal()
	return t
}

// thetaTransform is the discrete Gaussian for sigma >= 1. With mu = s/sigma,
//
//	M(z) = e^(mu^2 z(z+1)/2) theta(sz)/theta(0),  theta(w) = sum over k of e^(-2 pi^2 sigma^2 k^2) e^(2 pi i k w),
//
// the continuous Gaussian's transform times a ratio that is one at integers
// (docs/proofs/accounting-vector.md).
type thetaTransform struct{ sigma, s float64 }

// square is mu^2, a little up.
func (g thetaTransform) square() float64 {
	mu := g.s / g.sigma
	return mu * mu * (1 + 4*ulp)
}

// nome is e^(-2 pi^2 sigma^2).
func (g thetaTransform) nome() float64 { return math.Exp(-2 * math.Pi * math.Pi * g.sigma * g.sigma) }

// theta at real arguments: terms beyond k = 1 are below 1e-33.
func (g thetaTransform) theta(w float64) float64 {
	return 1 + 2*g.nome()*math.Cos(2*math.Pi*math.Remainder(w, 1))
}
func (g thetaTransform) log(t float64) float64 {
	return g.square()*t*(t+1)/2 + math.Log(g.theta(g.s*t)/g.theta(0))
}

// reach is what 40 standard deviations of noise can lose.
func (g thetaTransform) reach() float64 { return g.s / g.sigma * (g.s/g.sigma/2 + farOut) }
func (g thetaTransform) top() float64   { return math.Inf(1) }
func (g thetaTransform) grid() (float64, float64, bool) {
	unit := g.s / g.sigma / g.sigma
	return unit, unit * math.Remainder(g.s/2, 1), true
}
func (g thetaTransform) line(t float64) line {
	return thetaLine{
		v: g.square(), t: t, s: g.s, sigma: g.sigma, nome: g.nome(), scale: 1 / g.theta(g.s*t),
		wt: 2 * math.Pi * math.Remainder(g.s*t, 1), period: 2 * math.Pi * g.sigma * g.sigma / g.s,
		offset: g.s / g.sigma / g.sigma * math.Remainder(g.s/2, 1),
	}
}

type thetaLine struct{ v, t, s, sigma, nome, scale, wt, period, offset float64 }

// at folds y into the middle period, where four theta terms are enough, and turns
// by the lattice's offset.
func (l thetaLine) at(y float64) complex128 {
	turn := complex(1, 0)
	if n := math.Round(y / l.period); n != 0 {
		y = math.FMA(-n, l.period, y)
		turn = expi(n * l.period * l.offset)
	}
	w := complex(-2*math.Pi*l.s*y, l.wt) // 2 pi i s z
	ln := -2 * math.Pi * math.Pi * l.sigma * l.sigma
	g := complex(-l.v*y*y/2, l.v*y*(l.t+0.5))
	sum := cmplx.Exp(g)
	if l.sigma < 64 {
		for k := 1.0; k <= 2; k++ {
			e := complex(ln*k*k, 0) + g
			kw := complex(k, 0) * w
			sum += cmplx.Exp(e+kw) + cmplx.Exp(e-kw)
		}
	} else if math.Abs(y) > l.period/4 {
		e := complex(ln, 0) + g
		sum += cmplx.Exp(e+w) + cmplx.Exp(e-w)
	}
	return sum * turn * complex(l.scale, 0)
}
func (l thetaLine) half() float64 { return l.period / 2 }

// bound: up to half a period the k-th theta term is at most e^(-2 pi^2 sigma^2
// (k^2-|k|)), 2.1 in all for sigma >= 1.
func (l thetaLine) bound(y float64) float64 {
	return math.Min(1, 2.1*math.Exp(-l.v*y*y/2*(1-8*ulp)))
}

// mostTerms is the sigma above which DiscreteGaussianDelta leaves the sum for the
// quadrature over the same lattice.
const mostTerms = 4096

// DiscreteGaussianDelta returns an upper bound on δ(ε) of discrete Gaussian noise,
// P(x) in proportion to exp(-x^2/(2 sigma^2)) on the integers, against itself moved
// by an integer shift: the sum over the lattice of P(x)(1 - e^(ε-L(x)))+ (Canonne,
// Kamath and Steinke 2020, Theorem 7), every term positive, the tail beyond the
// last term bounded by a geometric series. It exceeds the truth by less than 1e-9,
// relatively, while that is a normal float. It returns 1 for a sigma that is not
// positive and finite, a shift that is no integer, or an ε that is NaN or negative.
// Proof: docs/proofs/accounting-contour.md, section 7.
func DiscreteGaussianDelta(sigma, shift, eps float64) float64 {
	m := DiscreteGaussian(sigma, shift)
	switch {
	case m.kind == invalid || !(eps >= 0):
		return 1
	case m.kind == nothing || math.IsInf(eps, 1):
		return 0
	case sigma > mostTerms:
		c := Composition{}
		c.Add(m, 1)
		return c.Delta(eps)
	}
	return sane01(latticeTail(sigma, m.b, eps)/latticeNorm(sigma)*up + math.SmallestNonzeroFloat64)
}

// latticeTail sums weight(x) (1 - e^(ε-L(x))) downwards from the last x whose loss
// exceeds ε.
func latticeTail(sigma, s, eps float64) float64 {
	far := math.Ceil(farOut*sigma) + 1
	x := math.Min(far, math.Ceil(s/2-eps/s*sigma*sigma)-1)
	total := 0.0
	for ; x >= -far-1; x-- {
		u := x / sigma
		weight := math.Exp(-u * u / 2)
		loss := s / sigma * (s/2 - x) / sigma
		total += weight * (-math.Expm1(math.Min(0, eps-loss)) + 8*ulp*(eps+math.Abs(loss)))
		if x < 0 {
			if ratio := math.Exp(u / sigma); weight*ratio <= 1e-17*total*(1-ratio) {
				return total + weight*ratio/(1-ratio)
			}
		}
	}
	return total + math.SmallestNonzeroFloat64
}

// latticeNorm is the sum of all weights, rounded down: by Poisson summation it is
// at least sigma sqrt(2 pi), and at least the terms near zero.
func latticeNorm(sigma float64) float64 {
	near := 1 + 2*math.Exp(-1/(2*sigma*sigma)) + 2*math.Exp(-4/(2*sigma*sigma)) + 2*math.Exp(-9/(2*sigma*sigma))
	whole := sigma / normal.InvSqrt2Pi * (1 + 2*math.Exp(-2*math.Pi*math.Pi*sigma*sigma))
	return math.Max(near, whole) * (1 - 1e-14)
}
