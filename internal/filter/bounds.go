package filter

import (
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/normal"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// The bounds below are rounded up: each is computed with a relative error far
// below 1e-12 and then enlarged by it.

// Up enlarges a positive number by more than its round-off.
func Up(x float64) float64 { return x * (1 + 1e-12) }

// addUp returns an upper bound on a+b.
func addUp(a, b float64) float64 {
	switch {
	case a == 0:
		return b
	case b == 0:
		return a
	}
	return math.Nextafter(a+b, math.Inf(1))
}

// addMany returns an upper bound on a and n times b, and on what n calls of addUp
// make of them, each of which may add one unit and a half in the last place.
func addMany(a, b float64, n int64) float64 {
	switch n {
	case 0:
		return a
	case 1:
		return addUp(a, b)
	}
	return addUp(a, Up(b*float64(n))) * (1 + float64(n+4)*0x1p-51)
}

// renyiPure returns an upper bound on the divergence of order a of randomised
// response with ε. The last is that of ε²/2-zCDP (Bun, Steinke 2016, Proposition
// 3.3), which keeps its digits where ε is tiny.
func renyiPure(e, a float64) float64 {
	return min(pld.Pure(e).Renyi(a), e, Up(a*e*e/2)+math.SmallestNonzeroFloat64)
}

// pureMu returns an upper bound on the μ for which ε-privacy implies μ-GDP:
// 2Φ⁻¹(e^ε/(1+e^ε)), proved in docs/proofs/filter-gdp.md. Near 0, where the
// probability is near one half, its distance from there is what has digits:
// P(|Z| ≤ μ/2) = tanh(ε/2).
func pureMu(e float64) float64 {
	if e < 1 {
		return 2*normal.Within(math.Tanh(e/2))*(1+1e-11) + math.SmallestNonzeroFloat64
	}
	return Up(2 * normal.Beyond(-e-math.Log1p(math.Exp(-e))))
}

// gaussianMu2 returns the μ² of a Gaussian event whose exact ‖Δ‖²/Scale² is mu2.
// The discrete law has one where the grid is fine: docs/proofs/accounting-vector.md.
func gaussianMu2(e dp.Event, mu2 float64) float64 {
	switch {
	case e.Mechanism == dp.Gaussian:
		return mu2
	case e.Scale.Cmp(fineScale) >= 0:
		mu := pld.FineLatticeMu(Up(math.Sqrt(mu2)))
		return Up(mu * mu)
	}
	return math.Inf(1)
}

var fineScale = big.NewRat(pld.FineLattice, 1)
