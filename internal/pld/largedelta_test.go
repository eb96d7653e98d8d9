package pld

import (
	"math"
	"testing"
)

// Randomised responses so strong that one side of the lattice vanishes in
// floating point, at a δ of one half and more: the bound on epsilon is still
// one. The truth is the binomial sum.
func TestEpsilonAtLargeDelta(t *testing.T) {
	for _, eps0 := range []float64{0.5, 5, 20, 30, 100, 600} {
		for _, k := range []int{1, 2, 4, 9} {
			for _, delta := range []float64{0.3, 0.6, 0.9, 0.97, 0.999} {
				var c Composition
				c.Add(Pure(eps0), k)
				eps := c.Epsilon(delta)
				if truth := responses(eps0, k, eps); !(truth <= delta*(1+1e-9)) {
					t.Errorf("%d times %g: epsilon(%g) is %g, where delta is %g", k, eps0, delta, eps, truth)
				}
			}
		}
	}
}

// responses is δ(ε) of k randomised responses of eps0.
func responses(eps0 float64, k int, eps float64) float64 {
	keep, flip := -math.Log1p(math.Exp(-eps0)), -eps0-math.Log1p(math.Exp(-eps0))
	sum, choose := 0.0, 1.0
	for j := range k + 1 {
		if loss := float64(k-2*j) * eps0; loss > eps {
			sum += choose * math.Exp(float64(k-j)*keep+float64(j)*flip) * -math.Expm1(eps-loss)
		}
		choose = choose * float64(k-j) / float64(j+1)
	}
	return sum
}
