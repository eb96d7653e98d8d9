package pld

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// An exactPair lists the atoms of one mechanism as wide floats, straight from the
// definition of its noise.
type exactPair struct{ p, q []*big.Float }

// latticePair is noise with the given weights at -n..n against itself moved by s;
// weights beyond n are zero in exact terms of a truncated reference, so n is chosen
// to leave less than 1e-60.
func latticePair(weight func(x int) *big.Float, n, s int) exactPair {
	total := bigNew()
	for x := -n; x <= n; x++ {
		total = bigAdd(total, weight(x))
	}
	var e exactPair
	for x := -n; x <= n+s; x++ {
		e.p = append(e.p, bigQuo(weight(x), total))
		e.q = append(e.q, bigQuo(weight(x-s), total))
	}
	return e
}

func exactDiscreteGaussian(sigma float64, s int) exactPair {
	n := int(17*sigma) + 2 + s
	return latticePair(func(x int) *big.Float {
		u := bigQuo(bigF(float64(x)), bigF(sigma))
		h := bigNew().SetMantExp(bigMul(u, u), -1)
		return bigExp(h.Neg(h))
	}, n, s)
}

func exactDiscreteLaplace(scale float64, s int) exactPair {
	n := int(140*scale) + 2 + s
	return latticePair(func(x int) *big.Float {
		return bigExp(bigQuo(bigF(-math.Abs(float64(x))), bigF(scale)))
	}, n, s)
}

func exactPure(eps, delta float64) exactPair {
	e := bigExp(bigF(eps))
	d := bigSub(bigF(1), bigF(delta))
	low := bigQuo(d, bigAdd(e, bigF(1)))
	high := bigMul(low, e)
	return exactPair{[]*big.Float{bigF(delta), high, low, bigF(0)}, []*big.Float{bigF(0), low, high, bigF(delta)}}
}

// group merges atoms of one likelihood ratio, so that products stay small.
func (e exactPair) group() exactPair {
	index := map[string]int{}
	var g exactPair
	for i := range e.p {
		key := "inf"
		if e.q[i].Sign() != 0 {
			key = bigQuo(e.p[i], e.q[i]).Text('e', 60)
		} else if e.p[i].Sign() == 0 {
			continue
		}
		if j, ok := index[key]; ok {
			g.p[j], g.q[j] = bigAdd(g.p[j], e.p[i]), bigAdd(g.q[j], e.q[i])
			continue
		}
		index[key] = len(g.p)
		g.p, g.q = append(g.p, e.p[i]), append(g.q, e.q[i])
	}
	return g
}

func (e exactPair) times(f exactPair) exactPair {
	var out exactPair
	for i := range e.p {
		for j := range f.p {
			out.p = append(out.p, bigMul(e.p[i], f.p[j]))
			out.q = append(out.q, bigMul(e.q[i], f.q[j]))
		}
	}
	return out.group()
}

func (e exactPair) delta(eps float64) *big.Float {
	total, w := bigNew(), bigExp(bigF(eps))
	for i := range e.p {
		if d := bigSub(e.p[i], bigMul(w, e.q[i])); d.Sign() > 0 {
			total = bigAdd(total, d)
		}
	}
	return total
}

// A bruteCase is a mechanism, its exact atoms, and how often it is used at most.
type bruteCase struct {
	name string
	m    Mechanism
	e    exactPair
	n    int
}

// TestBruteForceComposition composes up to twenty small mechanisms exactly and
// demands that no bound is below the truth, and that every bound is close to it.
func TestBruteForceComposition(t *testing.T) {
	defer setPrecision(320)()
	g1 := exactDiscreteGaussian(1, 1)
	menu := []bruteCase{
		{"pure 0.3", Pure(0.3), exactPure(0.3, 0), 8},
		{"pure 1.1", Pure(1.1), exactPure(1.1, 0), 5},
		{"declared", Declared(0.2, 1e-7), exactPure(0.2, 1e-7), 3},
		{"dgauss 1", DiscreteGaussian(1, 1), g1, 2},
		{"dgauss 0.5", DiscreteGaussian(0.5, 1), exactDiscreteGaussian(0.5, 1), 1},
		{"dgauss 2/3", DiscreteGaussian(2, 3), exactDiscreteGaussian(2, 3), 1},
		{"dlaplace 1/1", DiscreteLaplace(1, 1), exactDiscreteLaplace(1, 1), 3},
		{"dlaplace 2/3", DiscreteLaplace(2, 3), exactDiscreteLaplace(2, 3), 2},
		{"table", Table([]float64{0.5, 0.3, 0.2}, []float64{0.25, 0.25, 0.5}), exactPair{
			[]*big.Float{bigF(0.5), bigF(0.3), bigF(0.2)}, []*big.Float{bigF(0.25), bigF(0.25), bigF(0.5)}}, 3},
	}
	for i := range menu {
		menu[i].e = menu[i].e.group()
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for trial := range 30 {
		total := exactPair{[]*big.Float{bigF(1)}, []*big.Float{bigF(1)}}
		c, name := new(Composition), ""
		for range 1 + trial%3 {
			b := menu[rng.IntN(len(menu))]
			k := 1 + rng.IntN(b.n)
			if len(total.p)*len(b.e.p) > 4000 {
				break
			}
			for j := range k {
				if len(total.p)*len(b.e.p) > 20000 {
					k = j
					break
				}
				total = total.times(b.e)
			}
			c.Add(b.m, k)
			name += fmt.Sprintf("%s x%d, ", b.name, k)
		}
		checkAgainstExact(t, name, c, total)
	}
}

func checkAgainstExact(t *testing.T, name string, c *Composition, total exactPair) {
	t.Helper()
	reverse := exactPair{total.q, total.p}
	loose := 1e-4
	if _, ok := newProfile(c.entries, false).lattice(); ok {
		loose = 1e-9 // a sum over one period is exact
	}
	for _, eps := range []float64{0, 0.05, 0.31, 1, 2.4, 4, 6.5, 9} {
		want := total.delta(eps)
		if r := reverse.delta(eps); r.Cmp(want) > 0 {
			want = r
		}
		got := c.Delta(eps)
		if bigF(got).Cmp(want) < 0 {
			w, _ := want.Float64()
			t.Errorf("%s: delta at %g is %g, below %g by %g", name, eps, got, w, (w-got)/w)
		}
		// An ulp of the losses may matter where ε is on one of them.
		near, _ := total.delta(eps * (1 - 1e-12)).Float64()
		back, _ := reverse.delta(eps * (1 - 1e-12)).Float64()
		w := math.Max(near, back)
		if got > w*(1+loose)+1e-60 {
			t.Errorf("%s: delta at %g is %g, truth %g", name, eps, got, w)
		}
	}
	for _, delta := range []float64{0.1, 1e-3, 1e-6, 1e-12, 1e-25} {
		got := c.Epsilon(delta)
		if math.IsInf(got, 1) {
			if inf := infiniteMass(total); inf <= delta {
				t.Errorf("%s: epsilon at %g is infinite, infinite mass %g", name, delta, inf)
			}
			continue
		}
		if total.delta(got).Cmp(bigF(delta)) > 0 || reverse.delta(got).Cmp(bigF(delta)) > 0 {
			t.Errorf("%s: epsilon at %g is %.17g, below the truth", name, delta, got)
		}
		lower := got - math.Min(3e-5, 10*loose)*math.Max(1, got)
		if lower > 0 && total.delta(lower).Cmp(bigF(delta)) <= 0 && reverse.delta(lower).Cmp(bigF(delta)) <= 0 {
			t.Errorf("%s: epsilon at %g is %.12g, not tight", name, delta, got)
		}
	}
}

func infiniteMass(e exactPair) float64 {
	total := bigNew()
	for i := range e.p {
		if e.q[i].Sign() == 0 {
			total = bigAdd(total, e.p[i])
		}
	}
	x, _ := total.Float64()
	return x
}

func TestDiscreteDeltasAgainstBrute(t *testing.T) {
	defer setPrecision(400)()
	for _, s := range []int{1, 2, 5} {
		for _, scale := range []float64{1.0 / 1024, 0.1, 0.5, 1, 3, 10} {
			gauss, lap := exactDiscreteGaussian(scale, s), exactDiscreteLaplace(scale, s)
			for _, eps := range []float64{0, 0.01, 0.099, 0.5, 1, 3, 7.1, 12} {
				checkOne(t, fmt.Sprintf("dgauss %g shift %d eps %g", scale, s, eps),
					DiscreteGaussianDelta(scale, float64(s), eps), gauss.delta(eps))
				checkOne(t, fmt.Sprintf("dlaplace %g shift %d eps %g", scale, s, eps),
					DiscreteLaplaceDelta(scale, float64(s), eps), lap.delta(eps))
			}
		}
	}
}

// checkOne allows for what the reference leaves out beyond its last lattice point.
func checkOne(t *testing.T, name string, got float64, want *big.Float) {
	t.Helper()
	w, _ := want.Float64()
	if got < w*(1-1e-15)-1e-58 || got > w*(1+1e-9)+1e-15 {
		t.Errorf("%s: %.16g, want %.16g (off by %.3g)", name, got, w, (got-w)/w)
	}
}
