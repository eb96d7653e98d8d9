package pld

import (
	"math"
	"math/cmplx"
)

// When every loss lies on one lattice c + gZ the integrand is periodic but for its
// kernel, and the sum over all periods of the kernel is closed: with l the first
// lattice point at or above ε,
//
//	δ(ε) = mean over one period of e^(K(z) - zl) ((1-w) + e^(-zg) (w - e^(-g))) / ((1-e^(-zg)) (1-e^(-(z+1)g))),
//
// w = e^(ε-l). N nodes fold the lattice modulo Ng, which again only adds positive
// terms (docs/proofs/accounting-contour.md, section 5).

type spacing struct{ gap, offset float64 }

// lattice finds the common lattice of all losses, if there is one no more than
// twelve times finer than the least spacing. Spacings may miss it by an ulp or two:
// that moves the losses by less than slack.
func (p *profile) lattice() (spacing, bool) {
	s := spacing{gap: math.Inf(1)}
	if p.v > 0 {
		return s, false
	}
	for _, q := range p.parts {
		gap, offset, ok := q.grid()
		if !ok || !(gap > 0) {
			return s, false
		}
		s.gap = math.Min(s.gap, gap)
		s.offset += float64(q.count) * offset
	}
	least := s.gap
	for finer := 1.0; finer <= 12; finer++ {
		if s.gap = least / finer; p.divides(s.gap) {
			return s, true
		}
	}
	return s, false
}

func (p *profile) divides(unit float64) bool {
	for _, q := range p.parts {
		gap, _, _ := q.grid()
		n := math.Round(gap / unit)
		if n > 512 || math.Abs(gap-n*unit) > 4*ulp*gap {
			return false
		}
	}
	return true
}

// folded is the integrand over one period.
type folded struct {
	spacing
	tilt, log, size float64
	nodes           int
	y               []float64
	f               []complex128 // the product over the kernel's denominators
	far             []complex128 // e^(-zg)
	unit            []float64
	dropped         float64
}

// mostFolded is the number of nodes a period may need before the general contour is
// the cheaper way.
const mostFolded = 20000

// newFolded samples one period; ok is false if that takes too many nodes.
func newFolded(p *profile, g spacing, t, goal float64) (c *folded, ok bool) {
	_, second := p.slopes(t)
	second += 1 / (t * t)
	span := math.Max((math.Max(0, -goal)+alias)/t, deviations*math.Sqrt(second))
	c = &folded{spacing: g, tilt: t}
	c.log, c.size = p.log(t)
	half := math.Ceil(span/g.gap/2) + 1
	if !(half < 1e15) {
		half = 1e15
	}
	c.nodes = 2 * int(half)
	return c, c.sample(newWalk(p, t))
}

// sample evaluates one half period, stopping early where the bounds of all
// mechanisms allow.
func (c *folded) sample(w *walk) (ok bool) {
	half := c.nodes / 2
	base := 2 * math.Pi / c.gap / float64(c.nodes)
	check := 32
	for i := 0; i <= half; i++ {
		y := float64(i) * base
		if i == check {
			rest := math.Exp(w.boundLog(y, math.Pi/c.gap*(1-1e-9)))
			if rest < 1e-20 {
				c.dropped += rest * c.kernelBound(y) * (1 + 1e-9)
				return true
			}
			if i > mostFolded {
				return false
			}
			check += check/4 + 1
		}
		r, unit, whole := w.at(y)
		if !whole {
			c.dropped += cmplx.Abs(r) * c.kernelBound(y) * 2 / float64(c.nodes)
			continue
		}
		if i == 0 || i == half {
			r /= 2
		}
		back := expm1(complex(-c.tilt*c.gap, -y*c.gap))
		c.y = append(c.y, y)
		c.f = append(c.f, r/(back*expm1(complex(-(c.tilt+1)*c.gap, -y*c.gap))))
		c.far = append(c.far, complex(math.Exp(-c.tilt*c.gap), 0)*expi(-y*c.gap))
		c.unit = append(c.unit, unit+40+8*y*c.gap)
	}
	return true
}

// kernelBound is at least the kernel's modulus from y to the half period, where
// both of its denominators grow.
func (c *folded) kernelBound(y float64) float64 {
	a := cmplx.Abs(expm1(complex(-c.tilt*c.gap, -y*c.gap)))
	b := cmplx.Abs(expm1(complex(-(c.tilt+1)*c.gap, -y*c.gap)))
	return -math.Expm1(-c.gap) * 2 / (a * b)
}

// first returns the first lattice point at or above ε, and its distance from ε.
func (c *folded) first(eps float64) (point, distance float64) {
	steps := math.Ceil((eps - c.offset) / c.gap)
	point = c.offset + steps*c.gap
	distance = point - eps
	return point, math.Max(0, math.Min(distance, c.gap))
}

// sum returns an upper bound on the finite part of δ(ε), relative to e^(log - tilt*point).
func (c *folded) sum(eps float64) float64 {
	point, distance := c.first(eps)
	w := math.Exp(-distance)
	below := -math.Expm1(-distance)
	above := w * -math.Expm1(distance-c.gap)
	far := math.Exp(-c.tilt * c.gap)
	var re, moduli float64
	for i, y := range c.y {
		turn := c.f[i] * expi(-point*y)
		re += real(turn * (complex(below, 0) + c.far[i]*complex(above, 0)))
		moduli += (math.Abs(real(turn)) + math.Abs(imag(turn))) * (below + far*above) * (c.unit[i] + 8*math.Abs(point)*y)
	}
	m := 2 / float64(c.nodes)
	count := float64(len(c.y))
	return m*re + c.dropped + m*moduli*ulp*(2+count)
}

// δ is an upper bound on the finite part of δ(ε).
func (c *folded) delta(eps, slack float64) float64 {
	eps -= slack
	value := c.sum(eps)
	if !(value > 0) {
		return math.Inf(1)
	}
	point, _ := c.first(eps)
	size := 8 * ulp * (c.size + c.tilt*(math.Abs(point)+math.Abs(c.offset)) + math.Abs(c.log))
	return math.Exp(c.log-c.tilt*point+size)*value*up + math.SmallestNonzeroFloat64
}

// epsilon bisects: between lattice points δ is linear in e^ε, so the secant in it
// finishes at once.
func (c *folded) epsilon(delta, guess, slack float64) float64 {
	if c.delta(0, slack) <= delta {
		return 0
	}
	lo, hi := 0.0, math.Max(guess, c.gap)
	for range 80 {
		if c.delta(hi, slack) <= delta {
			break
		}
		lo, hi = hi, hi+math.Max(c.gap, hi/16)
		if math.IsInf(hi, 1) {
			return hi
		}
	}
	if !(c.delta(hi, slack) <= delta) {
		return math.Inf(1)
	}
	return c.narrowEpsilon(lo, hi, delta, slack)
}

func (c *folded) narrowEpsilon(lo, hi, delta, slack float64) float64 {
	dlo, dhi := math.Log(c.delta(lo, slack)/delta), math.Log(c.delta(hi, slack)/delta)
	for i := 0; i < 90 && hi-lo > 1e-14*hi; i++ {
		mid := lo + (hi-lo)*dlo/(dlo-dhi)*(1+1e-12)
		if i%3 == 2 || !(mid > lo && mid < hi) {
			mid = lo + (hi-lo)/2
		}
		if mid <= lo || mid >= hi {
			break
		}
		if d := math.Log(c.delta(mid, slack) / delta); d <= 0 {
			hi, dhi = mid, d
		} else {
			lo, dlo = mid, d
		}
	}
	return hi
}
