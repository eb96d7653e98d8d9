package calibrate

import (
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/pld"
	"github.com/equipoise-dp/equipoise/internal/search"
)

// Ranges are mechanisms of bounded range that get a share of a budget together:
// each has range 2·√(Share·budget/Count).
type Ranges struct {
	Share *big.Rat
	Count *big.Int // below 2^31
}

// MixedBudget returns a budget b such that Gaussian noise with (L2/σ)² of at most
// what is left of b, on a grid as fine as [FineBudget] asks for, and the ranges are
// (ε, δ)-private together; or nil if floats can certify none. With ρ = b/2 that is so
// for any composition of ρ-zCDP mechanisms (Bun, Steinke 2016, Lemma 2.3; Cesar,
// Rogers 2021, Lemma 3.4); more is found by composing dominating pairs, which
// holds for draws that are chosen in the light of others (Zhu, Dong, Wang 2022,
// Theorem 10; docs/proofs/accounting-contour.md).
func MixedBudget(epsilon, delta *big.Rat, ranges ...Ranges) *big.Rat {
	e, d := exact.FloatDown(epsilon), exact.FloatDown(delta)
	low := 2 * pld.RhoMax(e, d) / (1 + 1e-5) // less by what a fine lattice costs
	if !(low > 0) || math.IsInf(low, 1) {
		return nil
	}
	fits := func(b float64) bool { return mixed(b, ranges).Delta(e) <= d }
	for fits(2 * low) {
		low *= 2
	}
	found, _ := search.Edge(low, 2*low, search.Relative(1e-4), fits)
	return exact.Float(found)
}

// mixed returns the composition that spends a budget, everything rounded up.
func mixed(budget float64, ranges []Ranges) *pld.Composition {
	const up = 1 + 1e-12
	var c pld.Composition
	rest := big.NewRat(1, 1)
	for _, r := range ranges {
		rest.Sub(rest, r.Share)
		each := exact.FloatUp(new(big.Rat).Quo(r.Share, new(big.Rat).SetInt(r.Count)))
		c.Add(pld.BoundedRange(2*math.Sqrt(each*budget*up)*up), int(r.Count.Int64()))
	}
	if rest.Sign() > 0 {
		c.Add(pld.Gaussian(pld.FineLatticeMu(math.Sqrt(exact.FloatUp(rest)*budget*up)*up)), 1)
	}
	return &c
}
