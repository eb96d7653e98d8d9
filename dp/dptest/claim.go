package dptest

import "github.com/equipoise-dp/equipoise/dp"

// A point is one inequality of a claim: P(E) ≤ e^epsilon·Q(E) + delta for all
// events E.
type point struct{ epsilon, delta float64 }

// concentratedDeltas are where the curve of a [dp.Concentrated] claim is judged:
// large, because small ones cannot be seen in few runs.
var concentratedDeltas = []float64{0.5, 0.2, 0.05, 0.01, 0.001}

// points returns what a claim implies. For ρ it is (ε(δ), δ) by Canonne, Kamath,
// Steinke 2020, Proposition 12, and for (ρ, δ′) (ε(δ), δ+δ′).
func points(claim dp.Loss) []point {
	parts := dp.PartsOf(claim)
	if parts.Rho == 0 {
		return []point{{parts.Epsilon, parts.Delta}}
	}
	var ps []point
	for _, delta := range concentratedDeltas {
		implied := dp.Concentrated{Rho: parts.Rho}.Approx(delta)
		ps = append(ps, point{implied.Epsilon, delta + parts.Delta})
	}
	return ps
}
