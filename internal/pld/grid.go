package pld

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"

	"github.com/equipoise-dp/equipoise/internal/normal"
	"github.com/equipoise-dp/equipoise/internal/search"
)

// The second engine: every loss is split between the two grid points around it,
// keeping both its P mass and its Q mass, which can only raise δ; the masses are
// tilted by e^(tl), so that round-off of the Fourier transform is relative to δ
// instead of to one; and what round-off, folding and truncation can do is added
// (docs/proofs/accounting-grid.md). It shares with the contour only the choice of
// t.

// gridPoints is the length of the transform.
const gridPoints = 1 << 14

// smoothTail is how many standard deviations of a tilted Gaussian are put on the
// grid; the rest, below 1e-40, is added.
const smoothTail = 14

// A spread lists a mechanism's losses tilted by e^(tl)/M(t): atoms, and a density
// over an interval.
type spread struct {
	loss, weight []float64
	from, to     float64
	density      func(l float64) float64
}

// A spreader can put its losses on a grid; ok is false if they are too many.
type spreader interface {
	spread(t float64) (s spread, ok bool)
}

// A grid holds the tilted masses of the whole composition.
type grid struct {
	tilt, h float64
	first   int       // index of the lowest loss in units of h
	mass    []float64 // from first upwards
	log     float64   // logarithm of the tilted mass
	size    float64
	extra   float64 // bound on what was lost, relative to e^(log - tilt*ε)
}

// newGrid composes the profile on a grid; ok is false if a mechanism has too many
// losses or the numbers overflow.
func newGrid(p *profile, t float64) (g *grid, ok bool) {
	mean, second := p.slopes(t)
	width := math.Max(24*math.Sqrt(second), 48/t)
	g = &grid{tilt: t, h: width / gridPoints}
	g.first = int(math.Round(mean/g.h)) - gridPoints/2
	g.log, g.size = p.log(t)
	top := float64(g.first+gridPoints) * g.h
	tau := (top - mean) / (second + 1/(t*t))
	c := newComposer(tau)
	if p.v > 0 && !c.compose(g, gaussianSpread{p.v}, 1) {
		return nil, false
	}
	for _, q := range p.parts {
		s, isSpreader := q.transform.(spreader)
		if !isSpreader || !c.compose(g, s, q.count) {
			return nil, false
		}
	}
	c.finish(g, top)
	return g, g.h > 0 && !math.IsNaN(g.extra) && g.log < 1e15
}

// A composer multiplies Fourier transforms.
type composer struct {
	fft     *fourier.FFT
	product []complex128
	tau     float64 // order of the bound on what folds down from above the window
	chernov float64
	noise   float64 // bound on the Euclidean error of the product, divided by the root of its length
}

func newComposer(tau float64) *composer {
	c := &composer{fft: fourier.NewFFT(gridPoints), product: make([]complex128, gridPoints/2+1), tau: tau}
	for i := range c.product {
		c.product[i] = 1
	}
	return c
}

// compose multiplies count uses of one mechanism into the product.
func (c *composer) compose(g *grid, m spreader, count int) bool {
	s, ok := m.spread(g.tilt)
	if !ok || s.density != nil && !(s.to-s.from < 16*gridPoints*g.h) {
		return false
	}
	row := make([]float64, gridPoints)
	total, shifted := g.place(s, row, c.tau)
	if !(total > 0.5) || !(shifted > 0) {
		return false
	}
	norm := 0.0
	for i := range row {
		row[i] /= total
		norm += row[i] * row[i]
	}
	n := float64(count)
	g.log += n * math.Log(total)
	c.chernov += n * (math.Log(shifted/total) + c.tau*s.last())
	c.noise += n * ulp * (8*math.Log2(gridPoints)*math.Sqrt(norm) + 8)
	for i, x := range c.fft.Coefficients(nil, row) {
		c.product[i] *= power(x, count)
	}
	g.extra += n * 1e-40
	return true
}

// last is the largest loss.
func (s spread) last() float64 {
	last := math.Inf(-1)
	for _, l := range s.loss {
		last = math.Max(last, l)
	}
	if s.density != nil {
		last = math.Max(last, s.to)
	}
	return last
}

// place splits the losses over the row, folded modulo its length, and returns their
// sum, plain and tilted by tau more relative to the largest loss.
func (g *grid) place(s spread, row []float64, tau float64) (total, shifted float64) {
	last := s.last()
	put := func(l, weight float64) {
		i := math.Floor(l / g.h)
		low := i * g.h
		right := math.Max(0, math.Min(1, math.Expm1(low-l)/math.Expm1(-g.h)+4*ulp*(1+math.Abs(l)/g.h)))
		a := weight * (1 - right) * math.Exp(g.tilt*(low-l)) * (1 + 8*ulp)
		b := weight * right * math.Exp(g.tilt*(low+g.h-l)) * (1 + 8*ulp)
		k := int(math.Mod(i, gridPoints))
		row[(k+gridPoints)%gridPoints] += a
		row[(k+1+gridPoints)%gridPoints] += b
		total += a + b
		shifted += (a + b*math.Exp(tau*g.h)) * math.Exp(tau*(low-last))
	}
	for i, l := range s.loss {
		put(l, s.weight[i])
	}
	if s.density != nil {
		for u := s.from; u < s.to; {
			v := math.Min(s.to, (math.Floor(u/g.h*(1+2*ulp))+1)*g.h)
			if !(v > u) {
				v = math.Min(s.to, u+g.h)
			}
			for i, x := range fivePoint.x {
				l := u + (v-u)*x
				put(l, (v-u)*fivePoint.w[i]*s.density(l)*(1+1e-12))
			}
			u = v
		}
	}
	return total, shifted
}

var fivePoint = newRule(5)

// finish transforms back and bounds what was lost on the way.
func (c *composer) finish(g *grid, top float64) {
	row := c.fft.Sequence(nil, c.product)
	g.mass = make([]float64, gridPoints)
	norm := 0.0
	for j := range g.mass {
		k := (g.first + j) % gridPoints
		g.mass[j] = math.Max(0, row[(k+gridPoints)%gridPoints]/gridPoints)
		norm += g.mass[j] * g.mass[j]
	}
	noise := c.noise + 8*ulp*math.Log2(gridPoints)*math.Sqrt(norm)
	g.extra += noise / math.Sqrt(-math.Expm1(-2*g.tilt*g.h))
	g.extra += math.Exp(c.chernov - c.tau*top + 1e-9)
}

// δ is an upper bound on the finite part of δ(ε).
func (g *grid) delta(eps, slack float64) float64 {
	eps -= slack
	total := g.extra
	for j := len(g.mass) - 1; j >= 0; j-- {
		over := float64(g.first+j)*g.h - eps
		if over <= 0 {
			break
		}
		total -= g.mass[j] * math.Exp(-g.tilt*over) * math.Expm1(-over)
	}
	size := 8 * ulp * (g.size + g.tilt*math.Abs(eps) + math.Abs(g.log) + gridPoints)
	return math.Exp(g.log-g.tilt*eps+size)*total*(1+1e-9) + math.SmallestNonzeroFloat64
}

// epsilon bisects δ between 0 and the end of the grid; +Inf if even there it is too large.
func (g *grid) epsilon(delta, slack float64) float64 {
	hi := float64(g.first+gridPoints) * g.h
	if !(hi > 0) || !(g.delta(hi, slack) <= delta) {
		return math.Inf(1)
	}
	eps, _ := search.Edge(hi, 0, search.Absolute(hi*0x1p-60), func(eps float64) bool { return g.delta(eps, slack) <= delta })
	return eps
}

// gaussianSpread is a normal loss of mean v/2 and variance v; tilting moves the
// mean to v(t+1/2).
type gaussianSpread struct{ v float64 }

func (g gaussianSpread) spread(t float64) (spread, bool) {
	sd, mean := math.Sqrt(g.v), g.v*(t+0.5)
	return spread{from: mean - smoothTail*sd, to: mean + smoothTail*sd, density: func(l float64) float64 {
		return normal.Density((l-mean)/sd) / sd
	}}, true
}

func (p twoPoint) spread(t float64) (spread, bool) {
	l := p.line(t).(twoPointLine)
	return spread{loss: []float64{-p.eps, p.eps}, weight: []float64{l.low, 1 - l.low}}, true
}

// spread: atoms at both ends, 1/2 and e^(-ε)/2, and density e^((l-ε)/2)/4 between.
func (l laplaceTransform) spread(t float64) (spread, bool) {
	log := l.log(t)
	return spread{
		loss:   []float64{-l.eps, l.eps},
		weight: []float64{math.Exp(-l.eps-t*l.eps-log) / 2, math.Exp(t*l.eps-log) / 2},
		from:   -l.eps, to: l.eps,
		density: func(x float64) float64 { return math.Exp((x-l.eps)/2+t*x-log) / 4 },
	}, true
}

func (r rangeTransform) spread(t float64) (spread, bool) {
	log := r.log(t) + math.Log(-2*math.Expm1(-r.eps))
	return spread{from: -r.eps, to: r.eps, density: func(x float64) float64 {
		return math.Exp((x-r.eps)/2 + t*x - log)
	}}, true
}

func (t tableTransform) spread(theta float64) (spread, bool) {
	log := t.log(theta)
	s := spread{loss: t.loss}
	for i, p := range t.p {
		s.weight = append(s.weight, p*math.Exp(theta*t.loss[i]-log))
	}
	return s, true
}

func (d discreteLaplaceTransform) spread(t float64) (s spread, ok bool) {
	if d.s > 1e5 {
		return s, false
	}
	log, q := d.log(t), math.Exp(-d.a)
	for x := 0.0; x <= d.s; x++ {
		l := d.a * (d.s - 2*x)
		p := math.Exp(-d.a*x) / (1 + q)
		if x > 0 && x < d.s {
			p *= -math.Expm1(-d.a)
		}
		s.loss, s.weight = append(s.loss, l), append(s.weight, p*math.Exp(t*l-log))
	}
	return s, true
}

func (g thetaTransform) spread(t float64) (s spread, ok bool) {
	if g.sigma > 1e4 {
		return s, false
	}
	unit, centre := g.s/g.sigma/g.sigma, -t*g.s
	total := g.sigma / normal.InvSqrt2Pi * g.theta(g.s*t)
	for x := math.Floor(centre - smoothTail*g.sigma); x <= centre+smoothTail*g.sigma+1; x++ {
		u := (x - centre) / g.sigma
		s.loss = append(s.loss, unit*(g.s/2-x))
		s.weight = append(s.weight, math.Exp(-u*u/2)/total)
	}
	return s, true
}

// gridDelta is the grid's bound, or 1.
func (p *profile) gridDelta(eps float64) float64 {
	g, ok := newGrid(p, p.saddleAt(eps))
	if !ok {
		return 1
	}
	return sane01(g.delta(eps, p.slack()))
}

// gridEpsilon is the grid's bound, or +Inf.
func (p *profile) gridEpsilon(delta float64) float64 {
	t, _ := p.saddleFor(math.Log(delta))
	g, ok := newGrid(p, t)
	if !ok {
		return math.Inf(1)
	}
	return g.epsilon(delta, p.slack())
}
