package calibrate

import (
	"math"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/normal"
)

// LeastTail is the smallest probability for which [Tail] is right: below, floats
// lose their digits and then become 0.
const LeastTail = 1e-300

// Tail returns t with P(X ≥ t) at most p for a draw X of the law. For Laplace
// P(X ≥ t) = q^t/(1+q) with q = exp(-1/scale); for Gaussian P(X ≥ t) is at most that
// of the continuous law beyond t-1, since the density falls and the normaliser of
// the discrete law is at least that of the continuous one. Proof: docs/proofs/
// threshold.md.
func Tail(l *core.Law, p float64) int64 {
	scale := exact.FloatUp(l.Scale)
	const up = 1 + 1e-9 // more than all the rounding below
	if l.Family == core.Laplace {
		const lost = 1e-15 // where p is near ½ the two logarithms cancel
		t := scale * (lost - math.Log(p) - math.Log1p(math.Exp(-1/scale))) * up
		return int64(math.Ceil(max(t, 1)))
	}
	return int64(math.Ceil(scale*max(normal.Beyond(math.Log(p)), 0)*up)) + 1
}
