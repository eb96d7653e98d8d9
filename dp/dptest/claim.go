package dptest

import (
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// A point is one inequality of a claim: P(E) ≤ e^epsilon·Q(E) + delta for all
// events E.
type point struct{ epsilon, delta float64 }

// concentratedDeltas are where the curve of a [dp.Concentrated] claim is judged:
// large, because small ones cannot be seen in few runs.
var concentratedDeltas = []float64{0.5, 0.2, 0.05, 0.01, 0.001}

// points returns what a claim implies. For ρ it is (ε(δ), δ) by Canonne, Kamath,
// Steinke 2020, Proposition 12.
func points(claim dp.Loss) []point {
	switch l := claim.(type) {
	case dp.Pure:
		return []point{{l.Epsilon, 0}}
	case dp.Approx:
		return []point{{l.Epsilon, l.Delta}}
	case dp.Concentrated:
		var ps []point
		for _, delta := range concentratedDeltas {
			ps = append(ps, point{pld.RhoEpsilon(l.Rho, delta), delta})
		}
		return ps
	}
	panic("dptest: internal error: a loss of an unknown kind")
}
