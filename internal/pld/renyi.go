package pld

import "math"

// Renyi returns an upper bound on the Rényi divergence of the given order alpha >=
// 1 between the mechanism's two output distributions, in the worse direction; order
// 1 is the Kullback-Leibler divergence and is bounded by a slightly higher order.
// These add up over adaptively chosen mechanisms at a fixed order (Feldman and
// Zrnic 2021), so they are what filters count. It returns +Inf for an alpha that is
// NaN or below 1, for an invalid mechanism, and for one that may reveal everything
// (declare that part with Threshold and add its δ separately). Proof:
// docs/proofs/accounting-conversions.md.
func (m Mechanism) Renyi(alpha float64) float64 {
	if !(alpha >= 1) || m.kind == invalid || m.revealing() {
		return math.Inf(1)
	}
	worst := m.renyi(alpha, false)
	if m.kind == table {
		worst = math.Max(worst, m.renyi(alpha, true))
	}
	if !(worst >= 0) {
		return math.Inf(1)
	}
	return worst
}

func (m Mechanism) revealing() bool {
	switch m.kind {
	case declared:
		return m.b > 0
	case table:
		p, q := m.rows()
		for i := range p {
			if (p[i] == 0) != (q[i] == 0) {
				return true
			}
		}
	}
	return false
}

// renyi bounds the divergence of the finite part.
func (m Mechanism) renyi(alpha float64, flip bool) float64 {
	switch m.kind {
	case nothing:
		return 0
	case gaussian:
		return alpha * m.a * m.a / 2 * (1 + 8*ulp)
	case zcdp:
		return alpha * m.a * (1 + 4*ulp)
	case pureZcdp:
		return math.Min(Pure(m.a).renyi(alpha, flip), Zcdp(m.b).renyi(alpha, flip))
	case discreteGaussian:
		mu := m.b / m.a // Canonne, Kamath and Steinke 2020, Theorem 4: integer shift, at most the continuous one
		return alpha * mu * mu / 2 * (1 + 16*ulp)
	}
	t, _ := transformOf(m, flip)
	if t == nil {
		return 0
	}
	return rangeOr(t, math.Max(alpha, 1+1e-6)-1)
}

// rangeOr is ln M(t)/t, or for bounded range the sharper value below; never above
// the largest loss.
func rangeOr(tr transform, t float64) float64 {
	log := tr.log(t)
	if r, ok := tr.(rangeTransform); ok {
		log = math.Min(log, r.worst(t))
	}
	bound := log/t + 16*ulp*(1+t*tr.reach())/t
	if math.IsNaN(bound) { // the order is infinite
		return tr.top()
	}
	return math.Min(bound, tr.top()*(1+4*ulp))
}

// worst is the largest ln M(t) that losses in an interval of length ε allow. Losses
// at its two ends u and u-ε with E e^(-L) = 1 are the worst, and the best u in the
// interval solves e^u = t (e^ε - e^(-t ε)) / ((t+1)(1 - e^(-t ε))). It is below
// t(t+1) ε^2/8 (Cesar and Rogers 2021).
func (r rangeTransform) worst(t float64) float64 {
	low := -math.Expm1(-t * r.eps)
	u := r.eps + math.Log(t/(t+1)) + math.Log(-math.Expm1(-(t+1)*r.eps)) - math.Log(low)
	u = math.Min(r.eps, math.Max(0, u))
	below := math.Expm1(u-r.eps) / math.Expm1(-r.eps) // probability of the upper end
	log := t*u + math.Log1p(-(1-below)*low)
	return math.Min(log*(1+1e-9)+1e-13*t*r.eps, t*(t+1)*r.eps*r.eps/8*(1+8*ulp))
}

// logMoment bounds (alpha-1) times the total divergence of order 1+t of the finite parts.
func (c *Composition) logMoment(p *profile, t float64) float64 {
	total := 0.0
	for _, e := range c.entries {
		total += float64(e.count) * e.mechanism.renyi(1+t, p.direction)
	}
	return t * total * (1 + float64(8+len(c.entries))*4*ulp)
}

// renyiDelta converts the total divergence to δ at the best order.
func (c *Composition) renyiDelta(p *profile, eps float64) float64 {
	log := func(t float64) float64 {
		return c.logMoment(p, t) - t*eps - t*math.Log1p(1/t) - math.Log1p(t)
	}
	t := lowest(log)
	value := log(t)
	size := math.Abs(c.logMoment(p, t)) + t*eps + 2*math.Log1p(t) + 2
	return sane01(math.Exp(value+16*ulp*size)*up + math.SmallestNonzeroFloat64)
}

// renyiEpsilon converts the total divergence to epsilon at the best order.
func (c *Composition) renyiEpsilon(p *profile, delta float64) float64 {
	goal := math.Log(delta)
	eps := func(t float64) float64 {
		return (c.logMoment(p, t)-math.Log1p(t)-goal)/t - math.Log1p(1/t)
	}
	t := lowest(eps)
	size := (c.logMoment(p, t)+math.Log1p(t)-goal)/t + math.Log1p(1/t)
	best := eps(t) + 16*ulp*size
	if math.IsNaN(best) {
		return math.Inf(1)
	}
	return math.Max(0, best)
}

// lowest returns a t > 0 at which f is small: a scan in ln t, then golden section.
// Any t gives a valid bound.
func lowest(f func(float64) float64) float64 {
	best, at := math.Inf(1), 0.0
	for x := -9.0; x <= 20; x += 0.5 {
		if v := f(math.Exp(x)); v < best {
			best, at = v, x
		}
	}
	lo, hi := at-0.5, at+0.5
	const golden = 0.6180339887498949
	a, b := hi-golden*(hi-lo), lo+golden*(hi-lo)
	fa, fb := f(math.Exp(a)), f(math.Exp(b))
	for range 40 {
		if fa < fb {
			hi, b, fb = b, a, fa
			a = hi - golden*(hi-lo)
			fa = f(math.Exp(a))
		} else {
			lo, a, fa = a, b, fb
			b = lo + golden*(hi-lo)
			fb = f(math.Exp(b))
		}
	}
	return math.Exp((lo + hi) / 2)
}
