package calibrate

import (
	"math"
	"math/big"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/core"
)

// P(X ≥ t), added up, is at most p; that of Laplace noise is more than p one before,
// and that of Gaussian noise two before.
func TestTailsAreLeastThresholds(t *testing.T) {
	for _, scale := range []int64{1, 4, 25} {
		for f, weight := range map[core.Family]func(x float64) float64{
			core.Laplace:  func(x float64) float64 { return math.Exp(-math.Abs(x)) },
			core.Gaussian: func(x float64) float64 { return math.Exp(-x * x / 2) },
		} {
			law, err := Law(f, big.NewRat(scale, 1))
			if err != nil {
				t.Fatal(err)
			}
			from := func(k int64) float64 {
				sum, all := 0.0, 0.0
				for x := int64(2000); x >= -2000; x-- {
					w := weight(float64(x) / float64(scale))
					all += w
					if x >= k {
						sum += w
					}
				}
				return sum / all
			}
			for _, p := range []float64{0.45, 0.3, 0.05, 1e-3, 1e-6, 1e-12} {
				at := Tail(law, p)
				before := at - map[core.Family]int64{core.Laplace: 1, core.Gaussian: 2}[f]
				if at < 1 || from(at) > p*(1+1e-12) || at > 3 && from(before) <= p*(1-1e-7) {
					t.Errorf("%v of scale %d, %v: threshold %d, with %v beyond it, and %v from %d", f, scale, p, at, from(at), from(before), before)
				}
			}
		}
	}
}

// The noise that Least returns keeps δ, by the composition that it was not told to
// use.
func TestTheLeastNoiseIsEnough(t *testing.T) {
	for _, epsilon := range []float64{0.1, 1, 5} {
		for _, delta := range []float64{1e-9, 1e-4, 0.1, 0.5, 0.9} {
			for _, c := range []Change{{big.NewInt(1), big.NewInt(1)}, {big.NewInt(3), big.NewInt(2)}, {big.NewInt(40), big.NewInt(1)}} {
				e, d := new(big.Rat).SetFloat64(epsilon), new(big.Rat).SetFloat64(delta)
				law, err := Least(e, d, c)
				if err != nil || law == nil {
					t.Fatalf("ε=%v δ=%v %v: %v, %v", epsilon, delta, c, law, err)
				}
				scale, _ := law.Scale.Float64()
				linf, _ := new(big.Rat).SetInt(c.LInf).Float64()
				b := box{c, int(c.L0.Int64()), linf, epsilon, min(delta, 0.5)}
				got := b.laplaceDelta(scale)
				if law.Family == core.Gaussian {
					got = b.gaussianDelta(scale)
				}
				if got > b.delta*(1+1e-9) {
					t.Errorf("ε=%v δ=%v %v: %v of scale %v has δ=%v", epsilon, delta, c, law.Family, scale, got)
				}
			}
		}
	}
}

// Without δ the least noise is that of Laplace, at the scale that ε asks for.
func TestWithoutDeltaTheLeastNoiseIsLaplace(t *testing.T) {
	c := Change{big.NewInt(3), big.NewInt(2)}
	law, err := Least(big.NewRat(1, 2), new(big.Rat), c)
	if err != nil || law == nil || law.Family != core.Laplace || law.Scale.Cmp(big.NewRat(12, 1)) < 0 || law.Scale.Cmp(big.NewRat(12001, 1000)) > 0 {
		t.Errorf("it is %+v, %v, want Laplace noise of scale 12", law, err)
	}
}
