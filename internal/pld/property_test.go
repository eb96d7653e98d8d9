package pld

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func randomMechanism(rng *rand.Rand) Mechanism {
	s := math.Exp(rng.Float64()*6 - 4.5)
	switch rng.IntN(10) {
	case 0:
		return Gaussian(s)
	case 1:
		return Laplace(s)
	case 2:
		return Pure(s)
	case 3:
		return Declared(s, math.Exp(-5-30*rng.Float64()))
	case 4:
		return DiscreteLaplace(1/s, 1+float64(rng.IntN(5)))
	case 5:
		return DiscreteGaussian(1/s, 1+float64(rng.IntN(5)))
	case 6:
		return BoundedRange(s)
	case 7:
		return KRandomizedResponse(1/(1+s), 2+rng.IntN(9))
	case 8:
		return PureZcdp(s, s*s*rng.Float64()/2)
	}
	p := []float64{rng.Float64(), rng.Float64(), rng.Float64(), 0.01}
	q := []float64{rng.Float64(), rng.Float64(), rng.Float64(), 0.02}
	return Table(p, q)
}

// TestBoundsAreMonotone checks that bounds fall in ε and δ and rise with what is composed,
// up to their tightness.
func TestBoundsAreMonotone(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	const loose = 1 + 5e-3
	for range 10 {
		c := new(Composition)
		var last Mechanism
		for range 1 + rng.IntN(3) {
			last = randomMechanism(rng)
			c.Add(last, 1+rng.IntN(20))
		}
		more := new(Composition)
		for _, e := range c.entries {
			more.Add(e.mechanism, e.count)
		}
		more.Add(last, 1)
		before := 1.0
		for _, eps := range []float64{0, 0.1, 0.7, 2, 5, 11} {
			d, m := c.Delta(eps), more.Delta(eps)
			if d > before*loose || d > m*loose+1e-300 {
				t.Errorf("%+v: delta at %g is %g, was %g, with one more %g", c.entries, eps, d, before, m)
			}
			before = d
		}
		prior := 0.0
		for _, delta := range []float64{0.3, 1e-3, 1e-7, 1e-15, 1e-60} {
			e, m := c.Epsilon(delta), more.Epsilon(delta)
			if e*loose+1e-6 < prior || e > m*loose+1e-6 {
				t.Errorf("%+v: epsilon at %g is %g, was %g, with one more %g", c.entries, delta, e, prior, m)
			}
			if e > 0 && !math.IsInf(e, 1) && c.Delta(e) > delta*1.01 {
				t.Errorf("%+v: delta at epsilon(%g)=%g is %g", c.entries, delta, e, c.Delta(e))
			}
			prior = e
		}
	}
}

// TestThereIsNoSmallestDelta checks that there is no smallest δ, against closed forms.
func TestThereIsNoSmallestDelta(t *testing.T) {
	for _, delta := range []float64{1e-20, 1e-100, 1e-250, 1e-300} {
		var c Composition
		c.Add(Gaussian(0.1), 50)
		c.Add(Laplace(1e-9), 1) // sends it through the contour
		got, want := c.Epsilon(delta), GaussianEpsilon(0.1*math.Sqrt(50), delta)
		if !(got >= want*(1-1e-11) && got <= want*(1+1e-6)) {
			t.Errorf("epsilon at %g is %.12g, want %.12g", delta, got, want)
		}
	}
}

// TestNonsenseIsAnsweredAndDoesNotPanic feeds every constructor nonsense and extremes: no panic, no
// NaN, an answer within a second.
func TestNonsenseIsAnsweredAndDoesNotPanic(t *testing.T) {
	make2 := []func(a, b float64) Mechanism{
		func(a, b float64) Mechanism { return Gaussian(a) },
		func(a, b float64) Mechanism { return Laplace(a) },
		func(a, b float64) Mechanism { return BoundedRange(a) },
		func(a, b float64) Mechanism { return Zcdp(a) },
		Declared, DiscreteLaplace, DiscreteGaussian, PureZcdp,
		func(a, b float64) Mechanism { return KRandomizedResponse(a, int(math.Max(-5, math.Min(b, 1e6)))) },
		func(a, b float64) Mechanism { return Table([]float64{a, 1}, []float64{b, 2}) },
	}
	more := []float64{math.NaN(), math.Inf(1), -1, 0, 5e-324, 1e-300, 1e-12, 1e-9, 0x1p-10, 0.3, 1, 40, 1e3, 1e9, 1e15, 1e155, math.MaxFloat64}
	for i, f := range make2 {
		for _, a := range more {
			for j, b := range more {
				if i >= 4 && (i+j)%3 == 1 {
					continue
				}
				m := f(a, b)
				checkSane(t, i, m, a, b)
				if i < 4 {
					break
				}
			}
		}
	}
}

func checkSane(t *testing.T, i int, m Mechanism, a, b float64) {
	t.Helper()
	start := time.Now()
	for _, count := range []int{1, 700, math.MaxInt} {
		var c Composition
		c.Add(m, count)
		for _, x := range []float64{1e-9, 0.7} {
			if d := c.Delta(x); !(d >= 0 && d <= 1) {
				t.Errorf("constructor %d(%g, %g) x%d: delta at %g is %g", i, a, b, count, x, d)
			}
			if e := c.Epsilon(x); !(e >= 0) {
				t.Errorf("constructor %d(%g, %g) x%d: epsilon at %g is %g", i, a, b, count, x, e)
			}
		}
	}
	for _, alpha := range []float64{1, 1.5, 30, 1e9, math.Inf(1), math.NaN()} {
		if r := m.Renyi(alpha); !(r >= 0) {
			t.Errorf("constructor %d(%g, %g): divergence of order %g is %g", i, a, b, alpha, r)
		}
	}
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("constructor %d(%g, %g) took %v", i, a, b, took)
	} else if took > 200*time.Millisecond {
		t.Logf("constructor %d(%g, %g) took %v", i, a, b, took)
	}
}

func FuzzComposition(f *testing.F) {
	f.Add(uint8(0), 1.0, 1.0, 5, uint8(4), 0.3, 1.0, 2, 0.7)
	f.Add(uint8(5), 0.01, 3.0, 100, uint8(6), 50.0, 1.0, 2000, 1e-9)
	f.Fuzz(func(t *testing.T, k1 uint8, a1, b1 float64, n1 int, k2 uint8, a2, b2 float64, n2 int, x float64) {
		start := time.Now()
		var c Composition
		c.Add(fuzzed(k1, a1, b1), n1)
		c.Add(fuzzed(k2, a2, b2), n2)
		if d := c.Delta(x); !(d >= 0 && d <= 1) {
			t.Errorf("%+v: delta at %g is %g", c.entries, x, d)
		}
		if e := c.Epsilon(x); !(e >= 0) {
			t.Errorf("%+v: epsilon at %g is %g", c.entries, x, e)
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%+v took %v", c.entries, took)
		}
	})
}

func fuzzed(k uint8, a, b float64) Mechanism {
	switch k % 8 {
	case 0:
		return Gaussian(a)
	case 1:
		return Laplace(a)
	case 2:
		return BoundedRange(a)
	case 3:
		return Zcdp(a)
	case 4:
		return Declared(a, b)
	case 5:
		return DiscreteLaplace(a, math.Trunc(b))
	case 6:
		return DiscreteGaussian(a, math.Trunc(b))
	}
	return Table([]float64{a, 1, 2}, []float64{b, 2, 1})
}

// TestLargeMixturesInTime prices what is hardest for the contour: hundreds of
// distinct small losses, and long tables.
func TestLargeMixturesInTime(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	long := func() Mechanism {
		p, q := make([]float64, 1024), make([]float64, 1024)
		for i := range p {
			p[i] = 0.5 + rng.Float64()
			q[i] = p[i] * (0.8 + 0.4*rng.Float64())
		}
		return Table(p, q)
	}
	cases := map[string]func(i int) Mechanism{
		"laplace":  func(i int) Mechanism { return Laplace(1e-3 * (1 + rng.Float64())) },
		"pure":     func(i int) Mechanism { return Pure(0.01 * (1 + rng.Float64())) },
		"mixed":    func(i int) Mechanism { return randomMechanism(rng) },
		"tables":   func(i int) Mechanism { return long() },
		"dlaplace": func(i int) Mechanism { return DiscreteLaplace(100+rng.Float64(), 1+float64(i%7)) },
	}
	for name, f := range cases {
		n := 300
		if name == "tables" {
			n = 3
		}
		var c Composition
		for i := range n {
			c.Add(f(i), 1+i%3)
		}
		start := time.Now()
		eps := c.Epsilon(1e-6)
		took := time.Since(start)
		for _, x := range []float64{math.Min(eps, 900) * 0.9, 0.1, 200} {
			start = time.Now()
			delta := c.Delta(x)
			t.Logf("%s: epsilon %g in %v, delta(%g) = %g in %v", name, eps, took, x, delta, time.Since(start))
			took = max(took, time.Since(start))
		}
		if took > 30*time.Second { // a third of a second when nothing else runs; this finds what hangs
			t.Errorf("%s took %v", name, took)
		}
	}
}
