package pld

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestRenyiOfTables compares with the definition, in both directions.
func TestRenyiOfTables(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		p := []float64{rng.Float64(), rng.Float64(), rng.Float64()}
		q := []float64{rng.Float64(), rng.Float64(), rng.Float64()}
		for _, alpha := range []float64{1.01, 1.5, 2, 8, 40} {
			got, want := Table(p, q).Renyi(alpha), math.Max(divergence(p, q, alpha), divergence(q, p, alpha))
			if !(got >= want*(1-1e-12)-1e-13 && got <= want*(1+1e-9)+1e-11) {
				t.Errorf("%v %v order %g: %.15g, want %.15g", p, q, alpha, got, want)
			}
		}
	}
}

func divergence(p, q []float64, alpha float64) float64 {
	total := 0.0
	for i := range p {
		total += math.Pow(p[i]/sum(p), alpha) * math.Pow(q[i]/sum(q), 1-alpha)
	}
	return math.Log(total) / (alpha - 1)
}

// TestABoundedRangeCostsWhatItsWorstPairDoes checks that every two-point mechanism of the range costs no more
// than its descriptor, in divergence and in δ, and that the exponential mechanism
// is cheaper than any pure one.
func TestABoundedRangeCostsWhatItsWorstPairDoes(t *testing.T) {
	for _, e := range []float64{0.01, 0.3, 1, 4} {
		m := BoundedRange(e)
		for v := 0.05; v < 1; v += 0.05 {
			// Losses u and u-e with probability p of the upper one.
			u := v * e
			p := math.Expm1(e-u) * math.Exp(u) / math.Expm1(e)
			two := Table([]float64{p, 1 - p}, []float64{p * math.Exp(-u), (1 - p) * math.Exp(e-u)})
			for _, alpha := range []float64{1.5, 2, 10, 60} {
				if got := m.Renyi(alpha); got < two.renyi(alpha, false)*(1-1e-9)-1e-12 || got > alpha*e*e/8*(1+1e-9) {
					t.Errorf("range %g, ends at %g, order %g: %g, two-point %g", e, u, alpha, got, two.renyi(alpha, false))
				}
			}
			checkCheaper(t, two, m)
		}
		checkCheaper(t, m, Pure(e))
	}
}

func checkCheaper(t *testing.T, cheap, dear Mechanism) {
	t.Helper()
	for _, k := range []int{1, 5, 60} {
		var a, b Composition
		a.Add(cheap, k)
		b.Add(dear, k)
		for _, delta := range []float64{1e-2, 1e-6, 1e-12} {
			p, q := newProfile(a.entries, false), newProfile(b.entries, false)
			if x, y := a.finiteEpsilon(p, delta), b.finiteEpsilon(q, delta); x > y*(1+1e-3)+1e-6 {
				t.Errorf("%+v x%d at %g: %g, but %+v: %g", cheap.kind, k, delta, x, dear.kind, y)
			}
		}
	}
}

// TestZCDPAddsUp checks that descriptors of zero concentration add up and take
// declared masses out.
func TestZCDPAddsUp(t *testing.T) {
	var c Composition
	c.Add(Zcdp(0.01), 30)
	c.Add(Gaussian(math.Sqrt(2*0.2)), 1)
	if got, want := c.Epsilon(1e-6), RhoEpsilon(0.5, 1e-6); math.Abs(got-want) > 1e-6*want {
		t.Errorf("epsilon is %g, want %g", got, want)
	}
	c.Add(Threshold(1e-7), 5)
	if got, want := c.Epsilon(1e-6), RhoEpsilon(0.5, 5e-7); math.Abs(got-want) > 1e-6*want {
		t.Errorf("epsilon with thresholds is %g, want %g", got, want)
	}
	if got := c.Epsilon(4e-7); !math.IsInf(got, 1) {
		t.Errorf("epsilon below the thresholds' mass is %g", got)
	}
}
