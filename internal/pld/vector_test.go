package pld

import (
	"math"
	"testing"
)

// TestFineLatticeOnTheLine holds the lemma against exact lattice sums at the
// coarsest lattice it allows, up to shifts of many sigma.
func TestFineLatticeOnTheLine(t *testing.T) {
	const sigma = 4096
	for _, s := range []float64{1, 3, 41, 409, 4096, 12000, 60000} {
		mu := s / sigma
		for _, a := range []float64{-1, 0, 0.7, 2, 5, 9, 20} {
			eps := mu * (a + mu/2)
			if eps < 0 {
				continue
			}
			disc, cont := DiscreteGaussianDelta(sigma, s, eps), GaussianDelta(FineLatticeMu(mu), eps)
			// Both are rounded up, the lattice by at most 1e-9.
			if disc > cont*(1+1e-9) {
				t.Errorf("shift %g at %g: lattice %g, bound %g", s, eps, disc, cont)
			}
			if s >= 41 && cont > disc*(1+1e-2) {
				t.Errorf("shift %g at %g: lattice %g, bound %g is not tight", s, eps, disc, cont)
			}
		}
	}
}

// TestFineLatticeLemmaInThePlane checks the lemma as proved, with rounding variance
// r instead of 40, by brute force in two dimensions at small sigma, where its error
// term is visible.
func TestFineLatticeLemmaInThePlane(t *testing.T) {
	for _, sigma := range []float64{1.5, 2.5, 4} {
		for _, v := range [][2]int{{1, 0}, {1, 1}, {2, 1}, {3, 5}, {7, -2}} {
			m := math.Hypot(float64(v[0]), float64(v[1])) / sigma
			for _, r := range []float64{0.25, 0.5, 1, 2} {
				error := 14 * 2 * 2.1 * math.Exp(-2*math.Pi*math.Pi*r)
				mu := m / math.Sqrt(1-r/(sigma*sigma))
				for _, eps := range []float64{0, 0.1, 0.5, 1, 2, 4} {
					disc, cont := planeDelta(sigma, v, eps), GaussianDelta(mu, eps)
					if disc > cont+error+1e-14 {
						t.Errorf("sigma %g, shift %v, rounding variance %g, eps %g: lattice %g, bound %g", sigma, v, r, eps, disc, cont+error)
					}
				}
			}
		}
	}
}

// planeDelta sums (P - e^ε Q)+ over a square of the plane.
func planeDelta(sigma float64, v [2]int, eps float64) float64 {
	n := int(9*sigma) + 8
	norm := 0.0
	for x := -n; x <= n; x++ {
		norm += math.Exp(-float64(x*x) / (2 * sigma * sigma))
	}
	total := 0.0
	for x := -n; x <= n; x++ {
		for y := -n; y <= n; y++ {
			p := math.Exp(-float64(x*x+y*y) / (2 * sigma * sigma))
			dx, dy := x-v[0], y-v[1]
			q := math.Exp(-float64(dx*dx+dy*dy) / (2 * sigma * sigma))
			total += math.Max(0, p-math.Exp(eps)*q)
		}
	}
	return total / (norm * norm)
}

// TestTheLargestShiftDominates checks that the largest shift dominates smaller ones, the scalar
// half of the box lemma.
func TestTheLargestShiftDominates(t *testing.T) {
	for _, eps := range []float64{0, 0.2, 1, 3} {
		for s := 1.0; s < 9; s++ {
			if DiscreteLaplaceDelta(3, s, eps) > DiscreteLaplaceDelta(3, s+1, eps) {
				t.Errorf("discrete Laplace: shift %g costs more than %g at %g", s, s+1, eps)
			}
			if DiscreteGaussianDelta(3, s, eps) > DiscreteGaussianDelta(3, s+1, eps) {
				t.Errorf("discrete Gaussian: shift %g costs more than %g at %g", s, s+1, eps)
			}
		}
	}
}

func TestFineLatticeMuStrange(t *testing.T) {
	for _, x := range strange {
		if mu := FineLatticeMu(x); !(mu >= x) && !math.IsInf(mu, 1) || math.IsNaN(mu) {
			t.Errorf("FineLatticeMu(%g) = %g", x, mu)
		}
	}
}
