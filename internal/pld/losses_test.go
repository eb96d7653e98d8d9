package pld

import (
	"math"
	"math/cmplx"
	"testing"
)

// A lossCase is a mechanism and its losses with their probabilities, straight
// from what the noise is.
type lossCase struct {
	name string
	m    Mechanism
	loss []float64
	p    []float64
}

func (c *lossCase) add(loss, p float64) {
	c.loss = append(c.loss, loss)
	c.p = append(c.p, p)
}

// density adds a density over an interval, by the five-point rule of Boole.
func (c *lossCase) density(from, to float64, loss, density func(x float64) float64) {
	const n = 2048
	h := (to - from) / n
	for i := range n + 1 {
		w := [...]float64{14, 32, 12, 32}[i%4]
		if i == 0 || i == n {
			w = 7
		}
		x := from + float64(i)*h
		c.add(loss(x), w*2*h/45*density(x))
	}
}

func lossesOfPure(eps float64) lossCase {
	c := lossCase{name: "pure", m: Pure(eps)}
	c.add(eps, math.Exp(eps)/(1+math.Exp(eps)))
	c.add(-eps, 1/(1+math.Exp(eps)))
	return c
}

func lossesOfLaplace(eps float64) lossCase {
	c := lossCase{name: "laplace", m: Laplace(eps)}
	c.add(eps, 0.5)
	c.add(-eps, math.Exp(-eps)/2)
	c.density(0, eps, func(x float64) float64 { return eps - 2*x }, func(x float64) float64 { return math.Exp(-x) / 2 })
	return c
}

func lossesOfRange(eps float64) lossCase {
	c := lossCase{name: "bounded range", m: BoundedRange(eps)}
	norm := 4 * math.Sinh(eps/2)
	c.density(-eps, eps, func(x float64) float64 { return x }, func(x float64) float64 { return math.Exp(x/2) / norm })
	return c
}

func lossesOfDiscreteLaplace(scale, s float64) lossCase {
	c := lossCase{name: "discrete laplace", m: DiscreteLaplace(scale, s)}
	q := math.Exp(-1 / scale)
	for x := -math.Ceil(60 * scale); x <= math.Ceil(60*scale)+s; x++ {
		c.add((math.Abs(x-s)-math.Abs(x))/scale, (1-q)/(1+q)*math.Exp(-math.Abs(x)/scale))
	}
	return c
}

func lossesOfDiscreteGaussian(sigma, s float64) lossCase {
	c := lossCase{name: "discrete gaussian", m: DiscreteGaussian(sigma, s)}
	norm := 0.0
	for x := -math.Ceil(39 * sigma); x <= math.Ceil(39*sigma); x++ {
		norm += math.Exp(-x * x / 2 / sigma / sigma)
	}
	for x := -math.Ceil(39 * sigma); x <= math.Ceil(39*sigma); x++ {
		c.add((s*s-2*s*x)/2/sigma/sigma, math.Exp(-x*x/2/sigma/sigma)/norm)
	}
	return c
}

func lossesOfTable(p, q []float64) lossCase {
	c := lossCase{name: "table", m: Table(p, q)}
	for i := range p {
		c.add(math.Log(p[i]/sum(p)*sum(q)/q[i]), p[i]/sum(p))
	}
	return c
}

func lossCases() []lossCase {
	var all []lossCase
	for _, eps := range []float64{0.01, 0.7, 3} {
		all = append(all, lossesOfPure(eps), lossesOfLaplace(eps), lossesOfRange(eps))
	}
	for _, scale := range []float64{0.4, 1, 5.3} {
		for _, s := range []float64{1, 2, 7} {
			all = append(all, lossesOfDiscreteLaplace(scale, s))
		}
	}
	for _, sigma := range []float64{0.4, 1, 2.5, 63, 70} {
		for _, s := range []float64{1, 2, 9} {
			all = append(all, lossesOfDiscreteGaussian(sigma, s))
		}
	}
	return append(all,
		lossesOfTable([]float64{0.5, 0.3, 0.2}, []float64{0.25, 0.25, 0.5}),
		lossesOfTable([]float64{6, 1, 3}, []float64{1, 6, 3}),
		lossesOfTable([]float64{2, 1}, []float64{3, 4}),
		lossesOfTable([]float64{3}, []float64{5}))
}

// moment is E e^(zL), relative to e^(x top) where x is the real part of z.
func (c lossCase) moment(z complex128, top float64) complex128 {
	total := complex(0, 0)
	for i, l := range c.loss {
		total += complex(c.p[i], 0) * cmplx.Exp(z*complex(l, 0)-complex(real(z)*top, 0))
	}
	return total
}

// largest is the largest loss that has a probability at all.
func (c lossCase) largest() (largest, size float64) {
	largest = math.Inf(-1)
	for _, l := range c.loss {
		largest, size = math.Max(largest, l), math.Max(size, math.Abs(l))
	}
	return largest, size
}

// TestTransformsAreThoseOfTheLosses holds every closed form against the sum over
// the losses: the logarithm on the real axis, the line above it, the bound on what
// is further up, the largest loss, and the lattice.
func TestTransformsAreThoseOfTheLosses(t *testing.T) {
	for _, c := range lossCases() {
		tr, infinite := transformOf(c.m, false)
		if !(infinite <= 0 && infinite > -1e-300) {
			t.Errorf("%s %v: the logarithm of the finite mass is %g", c.name, c.m, infinite)
		}
		c.checkEnds(t, tr)
		for _, tilt := range []float64{1e-3, 0.4, 2, 11} {
			if c.m.kind != discreteGaussian || tilt*c.m.b < 20*c.m.a { // further out than the sum below goes
				c.checkLine(t, tr, tilt)
			}
		}
	}
}

func (c lossCase) checkEnds(t *testing.T, tr transform) {
	largest, size := c.largest()
	near := func(got, want float64) bool { return math.Abs(got-want) <= 1e-12*math.Max(1, size) }
	_, unbounded := tr.(thetaTransform)
	if unbounded {
		mu := c.m.b / c.m.a
		if !math.IsInf(tr.top(), 1) || !near(tr.reach(), mu*mu/2+40*mu) {
			t.Errorf("%s %v: losses end at %g and reach %g", c.name, c.m, tr.top(), tr.reach())
		}
	} else if !(near(tr.top(), largest) || c.m.kind == discreteGaussian && tr.top() <= largest && tr.top() > 0.9*largest) || !(tr.reach() >= 0.9*size && tr.reach() <= size*(1+1e-15)+1e-12) {
		t.Errorf("%s %v: losses end at %g and reach %g, want %g and %g", c.name, c.m, tr.top(), tr.reach(), largest, size)
	}
	gap, offset, ok := tr.grid()
	if !ok {
		if k := c.m.kind; k == declared || k == discreteLaplace || k == discreteGaussian {
			t.Errorf("%s %v has a lattice", c.name, c.m)
		}
		return
	}
	least := math.Inf(1)
	for _, l := range c.loss {
		steps := (l - offset) / gap
		if math.Abs(steps-math.Round(steps)) > 1e-9*math.Max(1, math.Abs(steps)) {
			t.Errorf("%s %v: the loss %g is not on the lattice %g + n %g", c.name, c.m, l, offset, gap)
		}
		if d := math.Abs(l - c.loss[0]); d > 1e-9*gap {
			least = math.Min(least, d)
		}
	}
	if !math.IsInf(least, 1) && math.Abs(gap-least) > 1e-9*gap {
		t.Errorf("%s %v: the lattice has gaps of %g, the losses of %g", c.name, c.m, gap, least)
	}
}

func (c lossCase) checkLine(t *testing.T, tr transform, tilt float64) {
	largest, size := c.largest()
	whole := c.moment(complex(tilt, 0), largest)
	want := tilt*largest + math.Log(real(whole))
	if got := tr.log(tilt); math.Abs(got-want) > 1e-11*(1+tilt*size) {
		t.Errorf("%s %v: log at %g is %.15g, want %.15g", c.name, c.m, tilt, got, want)
	}
	line := tr.line(tilt)
	period := 0.0
	if gap, _, ok := tr.grid(); ok && len(c.loss) > 1 {
		period = 2 * math.Pi / gap
		if half := line.half(); half != 0 && math.Abs(half-period/2) > 1e-12*period {
			t.Errorf("%s %v: half a period is %g, want %g", c.name, c.m, half, period/2)
		}
	}
	s, isSpread := tr.(spreader)
	var row spread
	if isSpread {
		if row, isSpread = s.spread(tilt); !isSpread {
			t.Errorf("%s %v is not spread", c.name, c.m)
		}
	}
	end := 8 / math.Min(size, 40)
	ys := []float64{0, end / 1000, end / 64, end / 8, end / 3, end, period / 4 * 0.99, period / 4 * 1.01, period * 0.45, period * 0.7, period * 2.2}
	for _, y := range ys {
		at := c.moment(complex(tilt, y), largest) / whole
		if got := line.at(y); cmplx.Abs(got-at) > 1e-10 {
			t.Errorf("%s %v: at %g%+gi it is %g, want %g", c.name, c.m, tilt, y, got, at)
		}
		if isSpread {
			if got := row.moment(y); cmplx.Abs(got-at) > 1e-8 {
				t.Errorf("%s %v: what is spread has at %g%+gi the transform %g, want %g", c.name, c.m, tilt, y, got, at)
			}
		}
	}
	c.checkBound(t, line, tilt, end)
}

// checkBound compares the bound with the largest modulus from there on.
func (c lossCase) checkBound(t *testing.T, line line, tilt, end float64) {
	half := math.Min(line.half(), 3*end)
	if half == 0 {
		if line.bound(1) != 1 {
			t.Errorf("%s %v: nothing is known, and the bound is %g", c.name, c.m, line.bound(1))
		}
		return
	}
	const n = 200
	most := 0.0
	for i := n; i >= 0; i-- {
		y := half * float64(i) / n
		most = math.Max(most, cmplx.Abs(line.at(y)))
		if b := line.bound(y); !(b >= most*(1-1e-13) && b <= 1 && b <= 4*most+1e-12) {
			t.Errorf("%s %v: from %g%+gi on it is at most %g, and the bound is %g", c.name, c.m, tilt, y, most, b)
			return
		}
	}
}

// moment is the transform of what was spread.
func (s spread) moment(y float64) complex128 {
	total := complex(0, 0)
	for i, l := range s.loss {
		total += complex(s.weight[i], 0) * expi(y*l)
	}
	if s.density != nil {
		c := lossCase{}
		c.density(s.from, s.to, func(x float64) float64 { return x }, s.density)
		for i, l := range c.loss {
			total += complex(c.p[i], 0) * expi(y*l)
		}
	}
	return total
}
