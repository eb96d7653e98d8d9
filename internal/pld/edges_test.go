package pld

import (
	"math"
	"testing"
)

// TestAtTheEdgesBoundsAreWhatTheirDocumentationSays is every value that the
// documentation of a function names: at 0, at infinity, at δ of 1, and at numbers
// that are none.
func TestAtTheEdgesBoundsAreWhatTheirDocumentationSays(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, f := range []struct {
		name string
		f    func(x, y float64) float64
		at   [][3]float64 // x, y and the value
	}{
		{"GaussianDelta", GaussianDelta, [][3]float64{{0, 0, 0}, {0, 1, 0}, {1, inf, 0}, {0, inf, 0}, {nan, 1, 1}, {1, nan, 1}, {-1, 1, 1}, {1, -1, 1}, {inf, 1, 1}, {inf, inf, 1}, {100, 0, 1}}},
		{"GaussianEpsilon", GaussianEpsilon, [][3]float64{{0, 0, 0}, {0, 0.1, 0}, {1, 1, 0}, {1, 2, 0}, {nan, 0.1, inf}, {1, nan, inf}, {-1, 0.1, inf}, {1, -1, inf}, {inf, 0.1, inf}, {inf, 1, inf}, {1, 0, inf}, {1, 0.5, 0}}},
		{"GaussianMu", GaussianMu, [][3]float64{{nan, 0.1, 0}, {-1, 0.1, 0}, {inf, 0.1, 0}, {1, nan, 0}, {1, 0, 0}, {1, 1, 0}, {1, -1, 0}, {1, 2, 0}, {1, inf, 0}, {0, 1, 0}}},
		{"RhoDelta", RhoDelta, [][3]float64{{0, 0, 0}, {0, 1, 0}, {1, inf, 0}, {nan, 1, 1}, {1, nan, 1}, {-1, 1, 1}, {1, -1, 1}, {inf, 1, 1}, {1e300, 1, 1}, {100, 0, 1}, {1, 1e300, math.SmallestNonzeroFloat64}}},
		{"RhoEpsilon", RhoEpsilon, [][3]float64{{0, 0, 0}, {0, 0.1, 0}, {1, 1, 0}, {1, 2, 0}, {nan, 0.1, inf}, {1, nan, inf}, {-1, 0.1, inf}, {1, -1, inf}, {inf, 0.1, inf}, {inf, 1, inf}, {1, 0, inf}}},
		{"RhoMax", RhoMax, [][3]float64{{nan, 0.1, 0}, {-1, 0.1, 0}, {inf, 0.1, 0}, {1, nan, 0}, {1, 0, 0}, {1, 1, 0}, {1, -1, 0}, {1, 2, 0}, {1, inf, 0}, {0, 1, 0}}},
		{"DiscreteLaplaceDelta with a shift of 2", func(x, y float64) float64 { return DiscreteLaplaceDelta(x, 2, y) },
			[][3]float64{{0, 1, 1}, {-1, 1, 1}, {nan, 1, 1}, {inf, 1, 1}, {1, nan, 1}, {1, -1, 1}, {1, inf, 0}, {1, 2.000001, 0}, {1e-300, 1, 1}, {4, 0.5000001, 0}}},
		{"DiscreteLaplaceDelta with a scale of 1", func(x, y float64) float64 { return DiscreteLaplaceDelta(1, x, y) },
			[][3]float64{{0, 0, 0}, {0.5, 1, 1}, {nan, 1, 1}, {inf, 1, 1}, {0, nan, 1}}},
		{"DiscreteGaussianDelta with a shift of 2", func(x, y float64) float64 { return DiscreteGaussianDelta(x, 2, y) },
			[][3]float64{{0, 1, 1}, {-1, 1, 1}, {nan, 1, 1}, {inf, 1, 1}, {1, nan, 1}, {1, -1, 1}, {1, inf, 0}}},
		{"DiscreteGaussianDelta with a sigma of 1", func(x, y float64) float64 { return DiscreteGaussianDelta(1, x, y) },
			[][3]float64{{0, 0, 0}, {0.5, 1, 1}, {nan, 1, 1}, {inf, 1, 1}, {0, nan, 1}}},
		{"FineLatticeMu", func(x, _ float64) float64 { return FineLatticeMu(x) }, [][3]float64{{0, 0, 0}, {nan, 0, inf}, {-1, 0, inf}, {inf, 0, inf}}},
	} {
		for _, a := range f.at {
			got := f.f(a[0], a[1])
			if got != a[2] {
				t.Errorf("%s: at %g and %g it is %g, must be %g", f.name, a[0], a[1], got, a[2])
			}
		}
	}
}

// TestAtTheEdgesCompositionsCost is what compositions of no noise, of all noise, and
// of what is only declared cost.
func TestAtTheEdgesCompositionsCost(t *testing.T) {
	inf := math.Inf(1)
	of := func(count int, ms ...Mechanism) *Composition {
		c := new(Composition)
		for _, m := range ms {
			c.Add(m, count)
		}
		return c
	}
	for _, c := range []struct {
		name       string
		c          *Composition
		delta      float64 // to ask for an ε
		epsilon    float64
		eps        float64 // to ask for a δ
		deltaAtEps float64
	}{
		{"nothing", of(1), 0, 0, 0, 0},
		{"nothing by its parameters", of(3, Laplace(0), Gaussian(0), Zcdp(0), BoundedRange(0), Pure(0), PureZcdp(0, 1), PureZcdp(1, 0), DiscreteLaplace(2, 0), DiscreteGaussian(2, 0)), 0, 0, 0, 0},
		{"no use", of(0, Laplace(1)), 0, 0, 0, 0},
		{"fewer uses than none", of(-1, Laplace(1)), 0.1, inf, 5, 1},
		{"invalid", of(1, Laplace(-1)), 0.1, inf, 5, 1},
		{"invalid, at δ of 1", of(1, Laplace(-1)), 1, 0, 5, 1},
		{"invalid, at infinite ε", of(1, Laplace(-1)), 0.1, inf, inf, 1},
		{"invalid at no use", of(0, Laplace(-1)), 0.1, inf, 5, 1},
		{"more uses than can be counted", func() *Composition {
			c := of(math.MaxInt, Laplace(1e-30))
			c.Add(Laplace(1e-30), 1)
			return c
		}(), 0.1, inf, 5, 1},
		{"δ that is none", of(1, Laplace(1)), math.NaN(), inf, math.NaN(), 1},
		{"negative", of(1, Laplace(1)), -1, inf, -1, 1},
		{"Laplace without δ", of(1, Laplace(1)), 0, 1, 1, 0},
		{"Laplace five times without δ", of(5, Laplace(0.5)), 0, 2.5, 2.5001, 0},
		{"Gaussian without δ", of(1, Gaussian(1)), 0, inf, inf, 0},
		{"zCDP without δ", of(1, Zcdp(1)), 0, inf, inf, 0},
		{"declared, as declared", of(1, Declared(1, 0.25)), 0.25 * (1 + 1e-12), 1, 1, 0.25},
		{"declared, at less δ", of(1, Declared(1, 0.25)), 0.24, inf, inf, 0.25},
		{"everything is revealed", of(1, Declared(1, 1)), 0.5, inf, 3, 1},
		{"thresholds alone", of(2, Threshold(0.5)), 0.75 * (1 + 1e-12), 0, 0, 0.75},
		{"a table with a revealing row", of(1, Table([]float64{1, 1}, []float64{0, 2})), 0.5 * (1 + 1e-12), 0, 0, 0.5},
		{"a table the other way round", of(1, Table([]float64{0, 2}, []float64{1, 1})), 0.5 * (1 + 1e-12), 0, 0, 0.5},
		{"a table of one row", of(1, Table([]float64{3}, []float64{2})), 0, 0, 0, 0},
		{"a table of rows apart", of(1, Table([]float64{1, 0}, []float64{0, 1})), 0.9, inf, 7, 1},
	} {
		if got := c.c.Epsilon(c.delta); !(got >= c.epsilon*(1-1e-11) && got <= c.epsilon*(1+1e-10)+1e-10) && got != c.epsilon {
			t.Errorf("%s: at a δ of %g ε is %.15g, must be %g", c.name, c.delta, got, c.epsilon)
		}
		if got := c.c.Delta(c.eps); !(got >= c.deltaAtEps && got <= c.deltaAtEps*(1+1e-10)+1e-10) {
			t.Errorf("%s: at an ε of %g δ is %.15g, must be %g", c.name, c.eps, got, c.deltaAtEps)
		}
	}
}

// TestLossesTooSmallForATransformAreAddedToEpsilon composes a Gaussian with a
// million pure mechanisms that lose next to nothing.
func TestLossesTooSmallForATransformAreAddedToEpsilon(t *testing.T) {
	var c Composition
	c.Add(Gaussian(1), 1)
	c.Add(Pure(1e-19), 1e6)
	small := newProfile(c.entries, false).small
	if !(small >= 1e-13 && small < 1e-13*(1+1e-9)) {
		t.Fatalf("they lose %g, must be 1e-13", small)
	}
	for _, eps := range []float64{0, small / 2, small * (1 - 1e-15), small, 2 * small, 0.7, 30} {
		want := GaussianDelta(1, math.Max(0, eps-small))
		if eps < small {
			want += small
		}
		if got := c.Delta(eps); !(got >= want*(1-1e-15) && got <= want*(1+1e-13+1e-12*eps)) {
			t.Errorf("at %g δ is %.17g, must be %.17g", eps, got, want)
		}
	}
	for _, delta := range []float64{0.1, 1e-9} {
		if got, want := c.Epsilon(delta), GaussianEpsilon(1, delta); !(got >= want+small && got <= (want+small)*(1+1e-13)+small/10) {
			t.Errorf("at %g ε is %.17g, must be %.17g and %g", delta, got, want, small)
		}
	}
	var alone Composition
	alone.Add(Pure(1e-19), 1e6)
	if got := alone.Epsilon(0); !(got >= small && got <= small*(1+1e-12)) {
		t.Errorf("alone they lose %g, must be %g", got, small)
	}
	if got := alone.Delta(0); !(got > small/4 && got <= small*(1+1e-12)) {
		t.Errorf("alone they have a δ of %g at 0, must be at most %g", got, small)
	}
}

// TestAtTheEdgesDivergences are the orders at which a divergence is known: the
// greatest loss at infinity, the mean loss at one, and none for what may reveal
// everything.
func TestAtTheEdgesDivergences(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range lossCases() {
		top, _ := c.largest()
		mean := 0.0
		for i, l := range c.loss {
			mean += c.p[i] * l
		}
		if c.m.kind == table {
			p, q := c.m.rows()
			back := lossesOfTable(q, p)
			other, _ := back.largest()
			top = math.Max(top, other)
			down := 0.0
			for i, l := range back.loss {
				down += back.p[i] * l
			}
			mean = math.Max(mean, down)
		}
		if c.m.kind == discreteGaussian {
			top = inf
		}
		if got := c.m.Renyi(inf); got != top && !(got >= top*(1-1e-12) && got <= top*(1+1e-12)) {
			t.Errorf("%s %v: the divergence of infinite order is %g, must be %g", c.name, c.m, got, top)
		}
		mu := c.m.b / c.m.a
		if c.m.kind == discreteGaussian {
			mean = mu * mu / 2 // the bound is that of the continuous law
		}
		if c.m.kind == boundedRange {
			continue // the mean that counts is the worst one of all mechanisms with that range
		}
		if got := c.m.Renyi(1); !(got >= mean*(1-1e-9) && got <= mean*(1+1e-5)+1e-8) {
			t.Errorf("%s %v: the divergence of order 1 is %g, must be %g", c.name, c.m, got, mean)
		}
	}
	for name, m := range map[string]Mechanism{
		"invalid": {}, "declared with δ": Declared(0, 0.1), "revealing": Table([]float64{1, 1}, []float64{0, 2}), "the other way round": Table([]float64{0, 2}, []float64{1, 1}),
	} {
		if got := m.Renyi(2); !math.IsInf(got, 1) {
			t.Errorf("%s: the divergence is %g, must be infinite", name, got)
		}
	}
	for _, alpha := range []float64{math.NaN(), 0.999, 0, -1} {
		if got := Pure(1).Renyi(alpha); !math.IsInf(got, 1) {
			t.Errorf("the divergence of order %g is %g, must be infinite", alpha, got)
		}
	}
	for name, m := range map[string]Mechanism{"nothing": Pure(0), "a table of equal rows": Table([]float64{1, 2}, []float64{2, 4})} {
		if got := m.Renyi(3); !(got >= 0 && got < 1e-13) {
			t.Errorf("%s: the divergence is %g, must be 0", name, got)
		}
	}
}

// TestDivergencesAreThoseOfTheLosses holds every order against the sum over the
// losses.
func TestDivergencesAreThoseOfTheLosses(t *testing.T) {
	for _, c := range lossCases() {
		if c.m.kind == boundedRange || c.m.kind == table {
			continue // tests of their own
		}
		for _, alpha := range []float64{1.001, 1.4, 3, 12} {
			if c.m.kind == discreteGaussian {
				mu := c.m.b / c.m.a
				if got, want := c.m.Renyi(alpha), alpha*mu*mu/2; !(got >= want && got <= want*(1+1e-14)) {
					t.Errorf("%s %v: the divergence of order %g is %g, must be %g", c.name, c.m, alpha, got, want)
				}
				continue
			}
			top, _ := c.largest()
			want := top + math.Log(real(c.moment(complex(alpha-1, 0), top)))/(alpha-1)
			if got := c.m.Renyi(alpha); !(got >= want*(1-1e-9) && got <= want*(1+1e-8)+1e-11) {
				t.Errorf("%s %v: the divergence of order %g is %g, must be %g", c.name, c.m, alpha, got, want)
			}
		}
	}
}

// TestBoundedRangeCostsTheWorstOfItsMechanisms looks for the worst two ends of all.
func TestBoundedRangeCostsTheWorstOfItsMechanisms(t *testing.T) {
	for _, eps := range []float64{0.01, 0.7, 3, 9} {
		for _, alpha := range []float64{1.001, 1.3, 2, 7, 40} {
			worst := 0.0
			for i := range 2001 {
				u := eps * float64(i) / 2000 // the upper end; the lower one is u - ε
				p := math.Expm1(u-eps) / math.Expm1(-eps)
				// ln E e^(tL) under the mechanism itself, of which p is the chance of the upper end.
				t := alpha - 1
				worst = math.Max(worst, (t*u+math.Log(p+(1-p)*math.Exp(-t*eps)))/t)
			}
			got := BoundedRange(eps).Renyi(alpha)
			if !(got >= worst*(1-1e-9) && got <= worst*(1+1e-4)+1e-9) {
				t.Errorf("range %g, order %g: %.12g, must be %.12g", eps, alpha, got, worst)
			}
		}
	}
}

// TestWhatIsTooFineForTheGridIsNotSpread counts on it: a million losses would take
// a second for each of many mechanisms.
func TestWhatIsTooFineForTheGridIsNotSpread(t *testing.T) {
	for _, c := range []struct {
		s  spreader
		ok bool
	}{
		{discreteLaplaceTransform{1e-5, 1e5}, true}, {discreteLaplaceTransform{1e-5, 1e5 + 1}, false},
		{thetaTransform{1e4, 10}, true}, {thetaTransform{1e4 + 1, 10}, false},
	} {
		if _, ok := c.s.spread(1); ok != c.ok {
			t.Errorf("%v is spread: %v, must be %v", c.s, ok, c.ok)
		}
	}
}

// TestSearchesFindTheEdge looks for edges from tiny to huge, from any guess.
func TestSearchesFindTheEdge(t *testing.T) {
	guesses := []float64{math.NaN(), math.Inf(1), -1, 0, 1e-300, 0.9, 1, 1e5, 1e300}
	for _, edge := range []float64{1e-250, 1e-9, 0.7, 1, 3, 1e10, 1e250} {
		for _, guess := range guesses {
			calls := 0
			got := least(guess, func(x float64) bool { calls++; return x >= edge })
			if !(got >= edge && got <= edge*(1+1.01e-14)) || calls > 180 {
				t.Errorf("the least from %g on, guessed at %g, is %g after %d calls", edge, guess, got, calls)
			}
			calls = 0
			got = greatest(guess, func(x float64) bool { calls++; return x <= edge })
			if !(got <= edge && got >= edge*(1-1.01e-14)) || calls > 180 {
				t.Errorf("the greatest up to %g, guessed at %g, is %g after %d calls", edge, guess, got, calls)
			}
		}
	}
	for _, guess := range guesses {
		if got := least(guess, func(float64) bool { return false }); !math.IsInf(got, 1) {
			t.Errorf("the least of nothing, guessed at %g, is %g", guess, got)
		}
		if got := greatest(guess, func(float64) bool { return false }); got != 0 {
			t.Errorf("the greatest of nothing, guessed at %g, is %g", guess, got)
		}
		if got := least(guess, func(x float64) bool { return x >= math.MaxFloat64 }); got != math.MaxFloat64 {
			t.Errorf("where only the largest number will do, guessed at %g, it is %g", guess, got)
		}
		if got := greatest(guess, func(float64) bool { return true }); !(got >= 1e293) || math.IsInf(got, 1) {
			t.Errorf("the greatest of all, guessed at %g, is %g", guess, got)
		}
		if got := least(guess, func(float64) bool { return true }); !(got > 0 && got < 1e-293) {
			t.Errorf("the least of all, guessed at %g, is %g", guess, got)
		}
	}
}

// TestSlopesAreDifferencesOfTheLogarithm holds the estimates of the first and the
// second derivative against differences.
func TestSlopesAreDifferencesOfTheLogarithm(t *testing.T) {
	for _, c := range lossCases() {
		if c.m.kind == discreteGaussian && c.m.a < 1 {
			continue // so few losses matter that the differences are noise
		}
		p := newProfile([]entry{{c.m, 3}, {Gaussian(0.2), 2}}, false)
		for _, tilt := range []float64{0.4, 2} {
			const h = 1e-3
			low, _ := p.log(tilt - h)
			mid, _ := p.log(tilt)
			high, _ := p.log(tilt + h)
			first, second := p.slopes(tilt)
			if a, b := (high-low)/2/h, (high-2*mid+low)/h/h; math.Abs(first-a) > 1e-4*math.Max(1, math.Abs(a)) || math.Abs(second-b) > 1e-2*math.Max(1, b) {
				t.Errorf("%s %v: slopes at %g are %g and %g, must be %g and %g", c.name, c.m, tilt, first, second, a, b)
			}
		}
	}
}

// TestLowestFindsTheLowest of functions of which the place is known.
func TestLowestFindsTheLowest(t *testing.T) {
	for _, x := range []float64{-8.7, -3.24, 0, 0.1, 0.49, 7.75, 19.2} {
		calls := 0
		got := math.Log(lowest(func(v float64) float64 { calls++; return math.Abs(math.Log(v) - x) }))
		if math.Abs(got-x) > 1e-7 || calls > 110 {
			t.Errorf("the lowest is found at %g after %d calls, must be at %g", got, calls, x)
		}
	}
}

// TestProfilesFileLossesBySize is at which sizes losses are added to ε, and which are
// too large for the engines.
func TestProfilesFileLossesBySize(t *testing.T) {
	for _, c := range []struct {
		name            string
		m               Mechanism
		count           int
		small, hopeless bool
	}{
		{"a small loss", Pure(0.99e-12), 1, true, false},
		{"a loss that is not small", Pure(1.01e-12), 1, false, false},
		{"many that are small together", Laplace(0.99e-24), 1e12, true, false},
		{"many that are not", Laplace(1e-20), 1e9, false, false},
		{"as many as can be", Laplace(0.5), 1e10, false, false},
		{"one more", Laplace(0.5), 1e10 + 1, false, true},
		{"a loss that is large", Pure(0.99e10), 1, false, false},
		{"a loss that is too large", Pure(1e10), 1, false, true},
		{"noise that is small", Gaussian(0.99e5), 1, false, false},
		{"noise that is too small", Gaussian(1.01e5), 1, false, true},
	} {
		p := newProfile([]entry{{c.m, c.count}}, false)
		if p.small > 0 != c.small || p.hopeless != c.hopeless || (len(p.parts) == 1) == (c.small || c.m.kind == gaussian) {
			t.Errorf("%s: small is %g, hopeless %v, and there are %d parts", c.name, p.small, p.hopeless, len(p.parts))
		}
	}
}

// TestSumsOfLossesOnALatticeAreExact holds compositions of randomised responses
// against the binomial sum: at lattice points, beside them and between.
func TestSumsOfLossesOnALatticeAreExact(t *testing.T) {
	for _, eps0 := range []float64{0.01, 0.4, 3, 9} {
		for _, k := range []int{2, 3, 10, 60} {
			var c Composition
			c.Add(Pure(eps0), k)
			for _, part := range []float64{0, 0.11, 0.34, 0.5, 0.83} {
				steps := math.Floor(part * float64(k) / 2)
				point := float64(k)*eps0 - 2*eps0*steps // a loss that there is
				for _, eps := range []float64{point - eps0/3, point - eps0, point - 1.9*eps0, point * (1 - 1e-6)} {
					if eps < 0 {
						continue
					}
					want := responses(eps0, k, eps)
					got := c.Delta(eps)
					if want < 1e-290 {
						continue
					}
					if !(got >= want*(1-1e-9) && got <= want*(1+2e-8)) {
						t.Errorf("%d times %g: delta at %.15g is %.15g, must be %.15g", k, eps0, eps, got, want)
					}
					if want > 0.9 {
						continue // a bound on ε has no digits left
					}
					back := c.Epsilon(want)
					if !(back >= eps*(1-1e-9)-1e-12 && back <= eps*(1+1e-8)+1e-8) && responses(eps0, k, back*(1-1e-9)) <= want*(1+1e-8) {
						t.Errorf("%d times %g: epsilon at %g is %.15g, must be %.15g", k, eps0, want, back, eps)
					}
				}
			}
		}
	}
}

// TestEqualMechanismsAreEqual: a ledger counts how often each was used, and zeros have a
// sign.
func TestEqualMechanismsAreEqual(t *testing.T) {
	minus := math.Copysign(0, -1)
	for name, pair := range map[string][2]Mechanism{
		"declared ε":         {Declared(0, 0.1), Declared(minus, 0.1)},
		"declared δ":         {Declared(0.1, 0), Declared(0.1, minus)},
		"the rows of people": {Table([]float64{0, 1}, []float64{1, 1}), Table([]float64{minus, 1}, []float64{1, 1})},
		"the rows without":   {Table([]float64{1, 1}, []float64{0, 1}), Table([]float64{1, 1}, []float64{minus, 1})},
		"shifts":             {DiscreteLaplace(2, 3), DiscreteLaplace(2, -3)},
		"no sensitivity":     {Laplace(0), Gaussian(minus)},
	} {
		if pair[0] != pair[1] || pair[0].kind == invalid {
			t.Errorf("%s: %v and %v", name, pair[0], pair[1])
		}
	}
}

// TestAtTheEdgesMechanismsAreInvalid at what no mechanism has, and only there.
func TestAtTheEdgesMechanismsAreInvalid(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	long := make([]float64, 1025)
	for i := range long {
		long[i] = 1
	}
	for name, m := range map[string]Mechanism{
		"zero": {}, "Gaussian NaN": Gaussian(nan), "Gaussian below 0": Gaussian(-1), "Laplace infinite": Laplace(inf), "zCDP": Zcdp(-1e-300), "an ε and no ρ": PureZcdp(1, nan), "a ρ and no ε": PureZcdp(inf, 1), "range": BoundedRange(nan),
		"ε": Declared(-1, 0), "infinite ε": Declared(inf, 0), "δ below 0": Declared(1, -1e-300), "δ above 1": Declared(1, 1+1e-15), "δ NaN": Declared(1, nan),
		"scale 0": DiscreteLaplace(0, 1), "infinite scale": DiscreteGaussian(inf, 1), "half a step": DiscreteLaplace(1, 0.5), "an infinite shift": DiscreteGaussian(1, inf),
		"p of 0": KRandomizedResponse(0, 2), "p above 1": KRandomizedResponse(1.001, 2), "one answer": KRandomizedResponse(0.5, 1), "too many answers": KRandomizedResponse(0.5, 1<<40+1),
		"rows of two lengths": Table([]float64{1}, []float64{1, 1}), "no rows": Table(nil, nil), "too many rows": Table(long, long), "a negative weight": Table([]float64{-1, 2}, []float64{1, 1}),
		"weights of 0": Table([]float64{1, 1}, []float64{0, 0}), "infinite weights": Table([]float64{inf, 1}, []float64{1, 1}), "weights that are none": Table([]float64{1, 1}, []float64{nan, 1}),
	} {
		if m.kind != invalid {
			t.Errorf("%s is %v", name, m)
		}
	}
	for name, m := range map[string]Mechanism{
		"small": Gaussian(5e-324), "large": Laplace(math.MaxFloat64), "δ of 1": Declared(0, 1), "δ of 0": Declared(1, 0), "p of 1": KRandomizedResponse(1, 2), "two answers": KRandomizedResponse(0.5, 2),
		"as many answers": KRandomizedResponse(0.5, 1<<40), "as many rows": Table(long[:1024], long[:1024]), "one row": Table([]float64{1}, []float64{1}), "a weight of 0": Table([]float64{0, 1}, []float64{1, 0}),
	} {
		if m.kind == invalid || m.kind == nothing {
			t.Errorf("%s is %v", name, m)
		}
	}
	if m, want := KRandomizedResponse(0.4, 4), Table([]float64{0.7, 0.1, 0.2}, []float64{0.1, 0.7, 0.2}); math.Abs(m.Renyi(2)-want.Renyi(2)) > 1e-14 {
		t.Errorf("one of four answers: %g, must be %g", m.Renyi(2), want.Renyi(2))
	}
	if m, want := KRandomizedResponse(0.4, 2), Table([]float64{0.8, 0.2}, []float64{0.2, 0.8}); math.Abs(m.Renyi(2)-want.Renyi(2)) > 1e-14 {
		t.Errorf("one of two answers: %g, must be %g", m.Renyi(2), want.Renyi(2))
	}
}

// TestEpsilonIsZeroWhereDeltaAllowsIt exactly.
func TestEpsilonIsZeroWhereDeltaAllowsIt(t *testing.T) {
	for _, mu := range []float64{1e-5, 0.3, 1, 4} {
		if got := GaussianEpsilon(mu, GaussianDelta(mu, 0)); got != 0 {
			t.Errorf("mu %g: ε is %g, must be 0", mu, got)
		}
		if got := GaussianEpsilon(mu, GaussianDelta(mu, 0)*(1-1e-9)); !(got > 0 && got < 1e-7) {
			t.Errorf("mu %g: at a little less δ ε is %g, must be a little more than 0", mu, got)
		}
	}
}

// TestAtTheirTopPureLossesHaveNoDelta: at the ε that they come to, and beyond it, δ is 0
// itself, and just below it is not.
func TestAtTheirTopPureLossesHaveNoDelta(t *testing.T) {
	for _, eps := range [][]float64{{1}, {0.1, 0.2}, {3, 0.7, 1e-3}} {
		var c Composition
		for _, e := range eps {
			c.Add(Pure(e), 3)
		}
		top := newProfile(c.entries, false).top()
		if at, beyond, below := c.Delta(top), c.Delta(2*top), c.Delta(top*(1-1e-3)); at != 0 || beyond != 0 || !(below > 0) {
			t.Errorf("pure losses %v: δ is %v at ε=%v, %v beyond and %v below", eps, at, top, beyond, below)
		}
	}
}
