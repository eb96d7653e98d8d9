package pld

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestBothEnginesAgree prices random compositions by both engines. Each is an upper
// bound, so the two can only differ by what one of them is loose; a bound below the
// other by more than that would be a bound below the truth.
func TestBothEnginesAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	compared, worst := 0, 0.0
	for range 40 {
		c := new(Composition)
		for range 1 + rng.IntN(4) {
			c.Add(randomMechanism(rng), 1+rng.IntN(50))
		}
		p := newProfile(c.entries, false)
		delta := math.Exp(-2 - 60*rng.Float64())
		tilt, _ := p.saddleFor(math.Log(delta))
		g, ok := newGrid(p, tilt)
		if !ok {
			continue
		}
		a, b := p.engineEpsilon(delta), g.epsilon(delta, p.slack())
		if a == 0 || b == 0 || math.IsInf(a, 1) || math.IsInf(b, 1) {
			continue
		}
		compared++
		off := (a - b) / math.Max(1e-2, b)
		worst = math.Max(worst, math.Abs(off))
		if math.Abs(off) > 2e-3 {
			t.Errorf("%+v at delta %g: contour %.12g, grid %.12g", c.entries, delta, a, b)
		}
	}
	if compared < 30 {
		t.Errorf("only %d of 40 compositions could be compared", compared)
	}
	t.Logf("%d compositions, engines differ by at most %.3g", compared, worst)
}

// TestGridIsAnUpperBound holds the grid against the Gaussian's closed form and
// against golden values it can reach.
func TestGridIsAnUpperBound(t *testing.T) {
	for _, v := range []float64{0.01, 1, 9} {
		for _, delta := range []float64{1e-3, 1e-10, 1e-30, 1e-100} {
			p := &profile{v: v}
			tilt, _ := p.saddleFor(math.Log(delta))
			g, ok := newGrid(p, tilt)
			if !ok {
				t.Fatal("no grid")
			}
			eps := GaussianEpsilon(math.Sqrt(v), delta)
			got := g.delta(eps, 0)
			if !(got >= delta*(1-1e-9) && got <= delta*1.001) {
				t.Errorf("variance %g at %g: grid delta is %g, truth %g", v, eps, got, delta)
			}
		}
	}
}

func TestGridOnGolden(t *testing.T) {
	var file struct{ Results []goldenRow }
	readGolden(t, "heterogeneous.json", &file)
	worst := 0.0
	for i, row := range file.Results {
		p := newProfile(row.composition(t).entries, false)
		deltas, truth := row.truth(t)
		for j, delta := range deltas[:1] {
			left := (delta - p.infinite()) / (1 - p.infinite())
			if want := float64(truth[j]); left > 0 && !math.IsInf(want, 1) {
				tilt, _ := p.saddleFor(math.Log(left))
				g, ok := newGrid(p, tilt)
				if !ok {
					t.Errorf("row %d: no grid", i)
					continue
				}
				got := g.epsilon(left, p.slack())
				if !(got >= want-1e-7*math.Max(1, want) && got <= want*(1+1e-3)+1e-6) {
					t.Errorf("row %d: grid epsilon at %g is %.12g, want %.12g", i, delta, got, want)
				}
				worst = math.Max(worst, (got-want)/want)
			}
		}
	}
	t.Logf("largest relative excess %.3g", worst)
}

func BenchmarkGrid30Distinct(b *testing.B) {
	c := thousandEvents(families["gaussian"], families["laplace"], families["discreteLaplace"])
	for b.Loop() {
		p := newProfile(c.entries, false)
		tilt, _ := p.saddleFor(math.Log(1e-6))
		g, _ := newGrid(p, tilt)
		g.epsilon(1e-6, p.slack())
	}
}
