package budget

import (
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// TestGoldenHowMany compares how many equal charges fit with the table of exact
// figures: never more than the exact number, and for the rules that lose
// nothing exactly as many.
func TestGoldenHowMany(t *testing.T) {
	exactCount := []struct {
		limit           dp.Approx
		sigma, scale    int64
		gaussian, least int // exact number, and what Default must reach
		laplace, leastL int
	}{
		{dp.Approx{Epsilon: 1, Delta: 1e-6}, 20, 20, 22, 18, 26, 21},
		{dp.Approx{Epsilon: 2, Delta: 1e-6}, 20, 20, 80, 67, 84, 71},
		{dp.Approx{Epsilon: 4, Delta: 1e-8}, 20, 20, 205, 180, 213, 189},
	}
	for _, c := range exactCount {
		a := newAccount(t, testTerms(c.limit))
		g, _, err := a.HowMany(t.Context(), gaussianCharge("k", dp.Approx{Epsilon: 0.5, Delta: 1e-5}, c.sigma))
		if err != nil || g > c.gaussian || g < c.least {
			t.Errorf("%v: %d Gaussians fit (%v), want %d to %d", c.limit, g, err, c.least, c.gaussian)
		}
		l, _, err := a.HowMany(t.Context(), laplaceCharge("k", dp.Pure{Epsilon: 0.05}, c.scale))
		if err != nil || l > c.laplace || l < c.leastL {
			t.Errorf("%v: %d Laplace charges fit (%v), want %d to %d", c.limit, l, err, c.leastL, c.laplace)
		}
		terms := testTerms(c.limit)
		terms.Rule = GDP
		a = newAccount(t, terms)
		g, _, err = a.HowMany(t.Context(), gaussianCharge("k", dp.Approx{Epsilon: 0.5, Delta: 1e-5}, c.sigma))
		if err != nil || g != c.gaussian {
			t.Errorf("%v under GDP: %d Gaussians fit (%v), want %d", c.limit, g, err, c.gaussian)
		}
	}
}
