package pld

import (
	"math"
	"math/big"
	"math/cmplx"
	"math/rand/v2"
	"testing"
)

// What the proof counts as round-off (docs/proofs/accounting-contour.md, section 4,
// and accounting-grid.md) is in every sum. The tests give the terms so large an error
// that it shows in the result.

// near fails unless got is want up to a part of it.
func near(t *testing.T, what string, got, want, part float64) {
	t.Helper()
	if !(math.Abs(got-want) <= part*math.Abs(want)) {
		t.Errorf("%s is %.15g, must be %.15g", what, got, want)
	}
}

func TestSumsAlongTheContourCarryTheirRoundOff(t *testing.T) {
	c := &contour{
		tilt: 2, step: 0.5, log: -3, size: 2e14, dropped: 0.01,
		y: []float64{0, 1e13, 3e13}, f: []complex128{0.5, 0.25i, -0.125 + 0.0625i}, unit: []float64{1e14, 2e14, 0},
	}
	const eps = 3.0
	re, slope, moduli := 0.0, 0.0, 0.0
	for i, y := range c.y {
		g := c.f[i] * cmplx.Exp(complex(0, -eps*y))
		re += real(g)
		slope += real(g * complex(-c.tilt, -y))
		moduli += (math.Abs(real(g)) + math.Abs(imag(g))) * (c.unit[i] + 8*eps*y + 8)
	}
	value, d := c.sum(eps)
	near(t, "the sum", value, c.step/math.Pi*(re+moduli*0x1p-53*(2+3))+0.01, 1e-12)
	near(t, "its slope", d, c.step/math.Pi*slope, 1e-12)
	size := 8 * 0x1p-53 * (c.size + c.tilt*eps + 3)
	near(t, "δ", c.delta(eps+0.25, 0.25), math.Exp(-3-2*eps+size)*value, 1e-11)
}

func TestSumsOverAPeriodCarryTheirRoundOff(t *testing.T) {
	c := &folded{
		spacing: spacing{gap: 0.75, offset: 1e14 * 0.75}, tilt: 2, log: -3, size: 2e14, dropped: 0.01, nodes: 8,
		y: []float64{0, 1e13, 3e13}, f: []complex128{0.5, 0.25i, -0.125 + 0.0625i}, far: []complex128{0.2, 0.1i, -0.05}, unit: []float64{1e14, 2e14, 0},
	}
	const eps = 2.0
	const point = 2.25
	w := math.Exp(eps - point)
	re, moduli := 0.0, 0.0
	for i, y := range c.y {
		g := c.f[i] * cmplx.Exp(complex(0, -point*y))
		re += real(g * (complex(1-w, 0) + c.far[i]*complex(w-math.Exp(-c.gap), 0)))
		moduli += (math.Abs(real(g)) + math.Abs(imag(g))) * ((1 - w) + math.Exp(-c.tilt*c.gap)*(w-math.Exp(-c.gap))) * (c.unit[i] + 8*point*y)
	}
	value := c.sum(eps)
	near(t, "the sum", value, 2.0/8*(re+moduli*0x1p-53*(2+3))+0.01, 1e-12)
	size := 8 * 0x1p-53 * (c.size + c.tilt*(point+c.offset) + 3)
	near(t, "δ", c.delta(eps+0.25, 0.25), math.Exp(-3-2*point+size)*value, 1e-11)
}

// A stubLine is a factor whose value is known.
type stubLine struct {
	value complex128
	end   float64
	most  float64
}

func (s stubLine) at(float64) complex128 { return s.value }
func (s stubLine) half() float64         { return s.end }
func (s stubLine) bound(float64) float64 { return s.most }

func TestNodesCarryTheRoundOffOfTheirFactors(t *testing.T) {
	w := &walk{t: 2, v: 0.5, lines: []line{stubLine{value: 0.5i}, stubLine{value: 0.1}}, counts: []int{1, 3}, reach: []float64{4, 7}}
	const y = 1.5
	r, unit, whole := w.at(y)
	phase := 0.5 * y * 2.5
	if want := complex(math.Exp(-0.5*y*y/2), 0) * cmplx.Exp(complex(0, phase)) * 0.5i * 0.001; !whole || cmplx.Abs(r-want) > 1e-15*cmplx.Abs(want)*10 {
		t.Errorf("the product is %v, must be %v", r, want)
	}
	near(t, "its round-off", unit, 12+4*phase+4*0.5*y*y+(4+(8+4*y*4)/0.5)+3*(4+(8+4*y*7)/0.1), 1e-13)
	w.lines[0] = stubLine{value: 1e-25}
	if r, _, whole := w.at(y); whole || real(r) < 1e-25*math.Exp(-0.5*y*y/2) {
		t.Errorf("a node that is negligible is finished: %v", r)
	}
}

// What is left out beyond the last node is bounded, up to half a period by the bounds of
// all factors, and beyond by those that have no period.
func TestWhatIsBeyondTheLastNodeIsBounded(t *testing.T) {
	w := &walk{t: 2, v: 0.5, lines: []line{stubLine{0.5, 9, 0.25}, stubLine{0.5, math.Inf(1), 0.5}, stubLine{0.5, 4, 0.125}}, counts: []int{1, 2, 3}, reach: []float64{1, 1, 1}}
	gauss := func(y float64) float64 { return math.Exp(-0.5 * y * y / 2) }
	all := 0.25 * 0.25 * 0.125 * 0.125 * 0.125
	near(t, "from 2 on", w.rest(2, 0.5), all*gauss(2)/2+0.25*gauss(4)/4, 2e-12)
	near(t, "from 4 on", w.rest(4, 0.5), 0.25*0.25*gauss(4)/4+0.25*gauss(9)/9, 2e-12)
	near(t, "from 9 on", w.rest(9, 0.5), 0.25*gauss(9)/9, 2e-12)
	c := &contour{tilt: 2, step: 0.5}
	c.sample(w, 3.2)
	if len(c.y) != 8 || c.y[7] != 3.5 {
		t.Errorf("nodes are at %v, must be at every half up to 3.5", c.y)
	}
	near(t, "what is dropped", c.dropped, w.rest(3.5, 0.5)/math.Pi, 1e-14)
	first, _, _ := w.at(0)
	near(t, "the first node", real(c.f[0]), real(first)/2/6, 1e-14)
	second, _, _ := w.at(0.5)
	z := complex(2, 0.5)
	if want := second / (z * (z + 1)); cmplx.Abs(c.f[1]-want) > 1e-16 {
		t.Errorf("the second node is %v, must be %v", c.f[1], want)
	}
	for i := range w.lines {
		w.lines[i] = stubLine{1e-20, 4, 1e-20}
	}
	c = &contour{tilt: 2, step: 0.5}
	c.sample(w, 1)
	if len(c.y) != 0 || !(c.dropped > 0) {
		t.Errorf("nodes that are negligible are at %v, and %g is dropped", c.y, c.dropped)
	}
	c = &contour{tilt: 2, step: 0}
	if c.sample(w, 0); !math.IsInf(c.dropped, 1) {
		t.Errorf("without steps %g is dropped", c.dropped)
	}
}

// The kernel falls, and its bound is its modulus, from each place on.
func TestTheKernelOfAPeriodIsBounded(t *testing.T) {
	c := &folded{spacing: spacing{gap: 0.75}, tilt: 2}
	for y := 0.0; y < math.Pi/0.75; y += 0.1 {
		most := 0.0
		for v := y; v < math.Pi/0.75; v += 0.05 {
			z := complex(2, v)
			for _, w := range []float64{1, math.Exp(-0.3), math.Exp(-0.75)} { // the point may be anywhere between two
				far := cmplx.Exp(-z * 0.75)
				most = math.Max(most, cmplx.Abs((complex(1-w, 0)+far*complex(w-math.Exp(-0.75), 0))/((1-far)*(1-cmplx.Exp(-(z+1)*0.75)))))
			}
		}
		if b := c.kernelBound(y); !(b >= most && b <= 3*most) {
			t.Errorf("from %g on the kernel is at most %g, and its bound %g", y, most, b)
		}
	}
}

func TestTheGridAddsUpWhatItsProofAddsUp(t *testing.T) {
	g := &grid{tilt: 2, h: 0.25, first: -1, mass: []float64{0.4, 0.3, 0.2, 0.1}, log: -3, size: 1e14, extra: 0.01}
	const eps = 0.1
	total := 0.01
	for j, m := range g.mass {
		if over := float64(j-1)*0.25 - eps; over > 0 {
			total += m * math.Exp(-2*over) * (1 - math.Exp(-over))
		}
	}
	size := 8 * 0x1p-53 * (1e14 + 2*eps + 3 + gridPoints)
	near(t, "δ", g.delta(eps+0.5, 0.5), math.Exp(-3-2*eps+size)*total, 2e-9)

	p := newProfile([]entry{{DiscreteGaussian(50, 1), 1}}, false)
	c := newComposer(0.5)
	made := &grid{tilt: 1, h: 1e-4, first: -gridPoints / 2}
	if !c.compose(made, p.parts[0].transform.(spreader), 1000) {
		t.Fatal("it is not composed")
	}
	// Losses 4 h apart, each on one cell or two, with a normal law: the squares of the
	// masses add up to between half of 1/(2σ√π) and all of it.
	norm := 1 / (2 * 50 * math.Sqrt(math.Pi))
	low, high := 1000*0x1p-53*(8*14*math.Sqrt(norm/2)+8), 1000*0x1p-53*(8*14*math.Sqrt(norm)+8)
	if !(c.noise >= low && c.noise <= high*(1+1e-6)) {
		t.Errorf("the noise of the transform is bounded by %g, must be from %g to %g", c.noise, low, high)
	}
	near(t, "what is cut off", made.extra, 1000e-40, 1e-12)
	s, _ := p.parts[0].transform.(spreader).spread(made.tilt)
	moment := 0.0
	for i, l := range s.loss {
		moment += s.weight[i] * math.Exp(c.tau*l)
	}
	near(t, "the logarithm of what bounds the mass that folds", c.chernov, 1000*math.Log(moment), 1e-3)
	c.product[0], c.noise, c.chernov = 0, 1e-3, math.Log(1e-5)
	for i := range c.product {
		c.product[i] = 0
	}
	made.extra = 0
	c.finish(made, 2)
	near(t, "what is added", made.extra, 1e-3/math.Sqrt(-math.Expm1(-2*1e-4))+1e-5*math.Exp(-0.5*2), 1e-8)
}

// A Gaussian is made up only where the bounds do not allow to stop without one.
func TestAGaussianIsMadeUpOnlyWhereOneIsNeeded(t *testing.T) {
	for name, c := range map[string]struct {
		entries []entry
		used    bool
	}{
		"Gaussian noise":                            {[]entry{{Gaussian(0.3), 5}, {Laplace(0.2), 3}}, false},
		"many of Laplace noise":                     {[]entry{{Laplace(0.2), 3000}}, false},
		"lattices of much noise beside it":          {[]entry{{Gaussian(0.3), 5}, {Pure(0.2), 3}, {Pure(0.3), 3}}, false},
		"few of Laplace noise":                      {[]entry{{Laplace(0.2), 2}}, true},
		"two lattices that have no point in common": {[]entry{{Pure(0.2), 3}, {Pure(math.Sqrt2), 3}}, true},
	} {
		p := newProfile(c.entries, false)
		goal := math.Log(1e-6)
		tilt, eps := p.saddleFor(goal)
		made, used := newContour(p, tilt, eps, goal, 1)
		if used != c.used || !used && len(made.y) > fewNodes+1 {
			t.Errorf("%s: a Gaussian is made up: %v, must be %v; there are %d nodes", name, used, c.used, len(made.y))
		}
	}
}

// The ε that is found is that of the bound itself: a little less does not do.
func TestEpsilonsAreTheLeastOfTheirBound(t *testing.T) {
	for _, entries := range [][]entry{{{Gaussian(0.3), 5}, {Laplace(0.2), 3}}, {{Laplace(0.5), 400}}, {{Laplace(0.01), 1000}, {Gaussian(0.1), 1}}} {
		p := newProfile(entries, false)
		for _, delta := range []float64{0.1, 1e-6, 1e-40} {
			tilt, eps := p.saddleFor(math.Log(delta))
			c, _ := newContour(p, tilt, eps, math.Log(delta), 1)
			for _, guess := range []float64{eps, eps * 1.2} {
				got := c.epsilon(delta, guess, p.slack(), p.top())
				if !(c.delta(got, p.slack()) <= delta) || got > 1e-9 && c.delta(got*(1-1e-11), p.slack()) <= delta {
					t.Errorf("%v at %g, guessed at %g: %.15g is not the least ε", entries, delta, guess, got)
				}
			}
		}
	}
	for _, k := range []int{1, 3, 50} {
		p := newProfile([]entry{{Pure(0.4), k}}, false)
		for _, delta := range []float64{0.03, 1e-6, 1e-12} {
			tilt, eps := p.saddleFor(math.Log(delta))
			g, _ := p.lattice()
			c, ok := newFolded(p, g, tilt, math.Log(delta))
			if !ok || c.delta(0, p.slack()) <= delta {
				t.Fatalf("%d, %g: there is no sum over a period, or no ε at all", k, delta)
			}
			for _, guess := range []float64{eps, eps * 1.7, 0} {
				got := c.epsilon(delta, guess, p.slack())
				if !(c.delta(got, p.slack()) <= delta) || got < 0.999*p.top() && c.delta(got*(1-1e-12), p.slack()) <= delta {
					t.Errorf("%d uses at %g, guessed at %g: %.15g is not the least ε", k, delta, guess, got)
				}
			}
		}
	}
}

// Scales of noise are computed from these, and a plan whose scale is another one would not
// find what was paid for: they stay what they are, to the last bit.
func TestCalibrationsStayWhatTheyAreToTheLastBit(t *testing.T) {
	for _, c := range []struct{ eps, delta, mu float64 }{
		{0.1, 1e-12, 0x1.0a3cc81d2f262p-06}, {0.1, 1e-09, 0x1.464f88cd7cf6fp-06}, {0.1, 1e-06, 0x1.c34aa2fe8701cp-06}, {0.1, 0.001, 0x1.d6af887de132bp-05},
		{1, 1e-12, 0x1.384c7e88a3ac7p-03}, {1, 1e-09, 0x1.74af35303c10ep-03}, {1, 1e-06, 0x1.e4c5442e2799bp-03}, {1, 0.001, 0x1.8db90e8ccf062p-02},
		{3, 1e-12, 0x1.c085b06811e8p-02}, {3, 1e-09, 0x1.07696edca95a4p-01}, {3, 1e-06, 0x1.4ba2cfd41e77dp-01}, {3, 0.001, 0x1.ed9cb2a63acb4p-01},
	} {
		if got := GaussianMu(c.eps, c.delta); got != c.mu {
			t.Errorf("GaussianMu(%g, %g) = %x, must be %x", c.eps, c.delta, got, c.mu)
		}
	}
}

// Many mechanisms of bounded range cost less by their divergences than by the worst pair,
// and that is what they are charged.
func TestBoundedRangesAreChargedTheLeastOfTheirBounds(t *testing.T) {
	var c Composition
	c.Add(BoundedRange(0.1), 1000)
	p := newProfile(c.entries, false)
	by := c.renyiEpsilon(p, 1e-6)
	if got := c.Epsilon(1e-6); !(got <= by) || !(p.engineEpsilon(1e-6) > by*1.01) {
		t.Errorf("ε is %g, by divergences %g and by the pair %g", got, by, p.engineEpsilon(1e-6))
	}
	if got, by := c.Delta(5), c.renyiDelta(p, 5); !(got <= by*(1+1e-14)) || !(p.engineDelta(5) > by*1.01) {
		t.Errorf("δ is %g, by divergences %g and by the pair %g", got, by, p.engineDelta(5))
	}
}

// Long tables cost a node as many sines as they have rows.
func TestTheCostOfANodeIsItsSines(t *testing.T) {
	w := &walk{lines: []line{stubLine{}, tableLine{w: make([]float64, 1000)}, stubLine{}}}
	if got := w.cost(); got != 1004 {
		t.Errorf("a node costs %v, must cost 1 and 3 and 1000", got)
	}
}

// Where a δ is allowed that the composition has at ε of 0, that is its ε exactly.
func TestEpsilonsAreZeroWhereNoneIsNeeded(t *testing.T) {
	for _, m := range []Mechanism{Laplace(0.3), DiscreteGaussian(4, 1), Table([]float64{3, 1, 1}, []float64{2, 1, 2})} {
		var c Composition
		c.Add(m, 3)
		c.Add(Laplace(0.05), 2)
		if got := c.Epsilon(0.999); got != 0 {
			t.Errorf("%v: at a δ of 0.999 ε is %g", m, got)
		}
	}
}

// The decay of discrete Laplace noise is 1/scale, and never below it, since less decay is a
// smaller loss; and it is the number next to it.
func TestDecaysAreNotRoundedDown(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 20))
	up := 0
	for range 400 {
		scale := math.Exp(rng.Float64()*40 - 5)
		a := discreteLaplaceOf(scale, 2).(discreteLaplaceTransform).a
		times := func(a float64) int {
			product := new(big.Rat).Mul(new(big.Rat).SetFloat64(a), new(big.Rat).SetFloat64(scale))
			return product.Cmp(big.NewRat(1, 1))
		}
		if times(a) < 0 || times(a) > 0 && times(math.Nextafter(a, 0)) >= 0 {
			t.Errorf("scale %v: a decay of %v", scale, a)
		}
		if a != 1/scale {
			up++
		}
	}
	if up < 50 || up > 350 {
		t.Errorf("of 400 quotients %d were rounded up", up)
	}
}
