package pld

import (
	"gonum.org/v1/gonum/integrate/quad"

	"github.com/equipoise-dp/equipoise/internal/normal"
)

// legendre holds the 20-point Gauss-Legendre rule on [0, 1].
var legendre = newRule(20)

type rule struct{ x, w []float64 }

func newRule(n int) rule {
	r := rule{make([]float64, n), make([]float64, n)}
	quad.Legendre{}.FixedLocations(r.x, r.w, 0, 1)
	return r
}

// millsDrop returns R(a) - R(a+mu) for a >= -mu/2 and mu > 0 (mu < 1 where a is
// negative), free of cancellation: as a difference where the two differ by a
// factor, and as the integral of S over [a, a+mu] where they do not.
func millsDrop(a, mu float64) float64 {
	if a >= 0 && mu >= a+1 {
		return normal.Mills(a) - normal.Mills(a+mu)
	}
	sum := 0.0
	for i, x := range legendre.x {
		sum += legendre.w[i] * normal.MillsSlope(a+mu*x)
	}
	return mu * sum
}
