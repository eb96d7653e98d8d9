package pld

import (
	"math"
	"math/cmplx"
)

// The first engine. For any t > 0, with f(y) = e^(K(t+iy) - ε(t+iy)) /
// ((t+iy)(1+t+iy)),
//
//	δ(ε) = (1/pi) int_0^inf Re f(y) dy,
//
// and the trapezoid rule of any step h overestimates it: by Poisson's summation it
// equals the sum over integers m of e^(-2 pi m t/h) δ(ε - 2 pi m/h), whose terms
// are all positive (docs/proofs/accounting-contour.md).

const (
	// alias is how far, in nepers below δ, the neighbouring terms of Poisson's sum
	// are pushed.
	alias = 34
	// deviations is the distance of those on the far side, in standard deviations
	// of the tilted loss.
	deviations = 10
	// negligible is the modulus under which a node is not evaluated but added to the error.
	negligible = 1e-24
	// mostNodes is the most a sum may have.
	mostNodes = 1 << 16
	// fewNodes is what a sum may have before a fictitious Gaussian is considered.
	fewNodes = 1500
)

// A contour is the integrand sampled along one vertical line; ε enters only when it
// is summed.
type contour struct {
	tilt, step float64
	log, size  float64 // K(tilt) and what its round-off is proportional to
	y          []float64
	f          []complex128 // M(t+iy)/M(t) / (z(z+1)); the first is halved
	unit       []float64    // round-off of f in ulp of its modulus, apart from ε
	dropped    float64      // bound on the terms left out, divided by e^(K - t ε)
}

// newContour samples the profile. goal is ln δ, expected; ε its expected place;
// fine divides the variance of a fictitious Gaussian if one is needed, and used
// tells whether it was.
func newContour(p *profile, t, eps, goal, fine float64) (c *contour, used bool) {
	_, second := p.slopes(t)
	second += 1 / (t * t)
	step := math.Min(2*math.Pi*t/(math.Max(0, -goal)+alias), 2*math.Pi/(deviations*math.Sqrt(second)))
	c = &contour{tilt: t, step: step}
	w := newWalk(p, t)
	extra, end, used := w.plan(step, eps, second, fine)
	c.log, c.size = p.log(t)
	c.log += extra * t * (t + 1) / 2
	c.size += extra * t * (t + 1)
	w.v += extra
	c.sample(w, end)
	return c, used
}

// A walk is the product of all mechanisms along one vertical line.
type walk struct {
	t, v   float64
	lines  []line
	counts []int
	reach  []float64
}

func newWalk(p *profile, t float64) *walk {
	w := &walk{t: t, v: p.v}
	for _, q := range p.parts {
		w.lines = append(w.lines, q.line(t))
		w.counts = append(w.counts, q.count)
		w.reach = append(w.reach, q.reach())
		if _, ok := q.transform.(discreteLaplaceTransform); ok {
			w.reach[len(w.reach)-1]++ // its closed form is stiffer than the function: proof, section 4
		}
	}
	return w
}

// cost is the work of one node, in sines.
func (w *walk) cost() float64 {
	total := 1.0
	for _, l := range w.lines {
		total++
		if t, ok := l.(tableLine); ok {
			total += float64(len(t.w))
		}
	}
	return total
}

// rest bounds the sum over nodes beyond y, times pi/h: for kernel 1/y^2 the sum of
// h/(nh)^2 is at most 1/y. Up to the nearest half period of a lattice every bound
// holds; beyond it only those without one do.
func (w *walk) rest(y, v float64) float64 {
	near := math.Inf(1)
	for _, l := range w.lines {
		if h := l.half(); h > y && h < near {
			near = h
		}
	}
	total := math.Exp(w.boundLog(y, near)-v*y*y/2) / y
	if !math.IsInf(near, 1) {
		total += math.Exp(w.boundLog(near, math.Inf(1))-v*near*near/2) / near
	}
	return total * (1 + 1e-12)
}

// boundLog is the logarithm of a bound on the product, Gaussian apart, from y to end.
func (w *walk) boundLog(y, end float64) float64 {
	log := 0.0
	for i, l := range w.lines {
		if l.half() >= end {
			log += float64(w.counts[i]) * math.Log(l.bound(y))
		}
		if log < -800 {
			break
		}
	}
	return log
}

// plan chooses where to stop, and the variance of a fictitious Gaussian if the
// integrand would not die out in time. Composing with more can only raise δ; where
// the loss is spread smoothly it moves ε by extra (t+1)/2, which is kept to 1e-5 of
// ε, divided by fine.
func (w *walk) plan(step, eps, second, fine float64) (extra, end float64, used bool) {
	// The whole integral is of the order of 1/(t (t+1) sd).
	enough := 1e-14 * step / (w.t * (w.t + 1))
	start := 6 / math.Sqrt(second)
	if end, ok := w.stop(start, fewNodes*step, w.v, enough); ok {
		return 0, end, false
	}
	most := 2 * math.Max(2e-7, 1e-5*math.Abs(eps)) / (w.t + 1)
	if near := w.nearest(start); !math.IsInf(near, 1) {
		if extra := 150 / (near * near); extra < most*1e-8 {
			if end, ok := w.stop(start, fewNodes*step, w.v+extra, enough); ok {
				return extra, end, false
			}
		}
	}
	nodes := math.Max(1000, math.Min(mostNodes, 4e5/w.cost()))
	extra = most / fine
	for range 200 {
		if end, ok := w.stop(start, nodes*step, w.v+extra, enough); ok {
			return extra, end, true
		}
		extra *= 2
	}
	return extra, start, true
}

func (w *walk) nearest(y float64) float64 {
	near := math.Inf(1)
	for _, l := range w.lines {
		if h := l.half(); h > y {
			near = math.Min(near, h)
		}
	}
	return near
}

// stop returns the first of a rising sequence of ends beyond which little enough remains.
func (w *walk) stop(from, to, v, enough float64) (end float64, ok bool) {
	if !(from > 0) || !(to > 0) {
		return from, false
	}
	for y := from; y < to; y *= 1.2 {
		if w.rest(y, v) <= enough {
			return y, true
		}
	}
	return to, w.rest(to, v) <= enough
}

// sample evaluates the integrand up to end. Nodes whose partial product is already
// negligible only add to the error.
func (c *contour) sample(w *walk, end float64) {
	if !(end/c.step >= 0) {
		c.dropped = math.Inf(1)
		return
	}
	n := int(math.Min(math.Ceil(end/c.step), 2*mostNodes))
	c.y = make([]float64, 0, min(n+1, 4096))
	for i := 0; i <= n; i++ {
		y := float64(i) * c.step
		z := complex(w.t, y)
		kernel := 1 / (z * (z + 1))
		r, unit, whole := w.at(y)
		if !whole {
			c.dropped += cmplx.Abs(r*kernel) * c.step / math.Pi * (1 + 1e-9)
			continue
		}
		f := r * kernel
		if i == 0 {
			f /= 2
		}
		c.y = append(c.y, y)
		c.f = append(c.f, f)
		c.unit = append(c.unit, unit)
	}
	c.dropped += w.rest(float64(n)*c.step, w.v) / math.Pi
}

// at returns the product at y and its round-off in ulp; whole is false if it was
// found negligible on the way, and then the value returned bounds it.
func (w *walk) at(y float64) (r complex128, unit float64, whole bool) {
	phase := w.v * y * (w.t + 0.5)
	modulus := math.Exp(-w.v * y * y / 2)
	unit = 12 + 4*math.Abs(phase) + 4*w.v*y*y
	r = complex(modulus, 0) * expi(phase)
	for i, l := range w.lines {
		if a := math.Abs(real(r)) + math.Abs(imag(r)); a < negligible {
			return complex(a, 0), unit, false
		}
		x := l.at(y)
		size := cmplx.Abs(x) + math.SmallestNonzeroFloat64
		unit += float64(w.counts[i]) * (4 + (8+4*y*w.reach[i])/size)
		if w.counts[i] == 1 {
			r *= x
		} else {
			r *= power(x, w.counts[i])
		}
	}
	return r, unit, true
}

// sum returns an upper bound on the finite part of δ(ε), relative to e^(log -
// tilt*ε), and its derivative in ε relative to the same.
func (c *contour) sum(eps float64) (value, slope float64) {
	var re, dre, moduli float64
	for i, y := range c.y {
		g := c.f[i] * expi(-eps*y)
		re += real(g)
		dre -= c.tilt*real(g) - y*imag(g)
		a := math.Abs(real(g)) + math.Abs(imag(g))
		moduli += a * (c.unit[i] + 8*math.Abs(eps)*y + 8)
	}
	h := c.step / math.Pi
	count := float64(len(c.y))
	value = h*re + c.dropped + h*moduli*ulp*(2+count)
	return value, h * dre
}

// δ is an upper bound on the finite part of δ(ε); infinite if round-off drowned it.
func (c *contour) delta(eps, slack float64) float64 {
	eps -= slack
	value, _ := c.sum(eps)
	if !(value > 0) {
		return math.Inf(1)
	}
	size := 8 * ulp * (c.size + c.tilt*math.Abs(eps) + math.Abs(c.log))
	return math.Exp(c.log-c.tilt*eps+size)*value*up + math.SmallestNonzeroFloat64
}

// epsilon returns a value at which the bound does not exceed δ, near ε and at most
// top, or +Inf.
func (c *contour) epsilon(delta, eps, slack, top float64) float64 {
	eps = c.newton(math.Log(delta), eps, slack, top)
	step := 1e-14 * math.Max(1, math.Abs(eps))
	for range 40 {
		if eps >= 0 && c.delta(eps, slack) <= delta {
			return eps
		}
		eps = math.Max(0, eps+step)
		step *= 4
	}
	return math.Inf(1)
}

// newton solves for ln δ = goal inside a shrinking bracket; near the largest loss δ
// is not exponential in ε and a bare step would leave it.
func (c *contour) newton(goal, eps, slack, top float64) float64 {
	lo, hi := -1.0, top
	for range 40 {
		value, slope := c.sum(eps - slack)
		size := 8 * ulp * (c.size + c.tilt*math.Abs(eps) + math.Abs(c.log))
		off := c.log - c.tilt*(eps-slack) + size + math.Log(value*up) - goal
		if off > 0 {
			lo = eps
		} else {
			hi = eps
		}
		next := eps - off*value/slope
		if !(next > lo && next < hi) {
			next = lo + (hi-lo)/2
		}
		if math.IsInf(next, 1) || math.IsNaN(next) || math.Abs(next-eps) <= 1e-13*math.Max(1, math.Abs(eps)) {
			break
		}
		eps = next
	}
	return eps
}
