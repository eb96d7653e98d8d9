package dp

import (
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// discreteScale returns a scale at which the discrete Gaussian on a box of L0
// numbers, each moved by LInf, has δ(ε) at most l.Delta: the smallest one up to
// one part in 10^5, found by bisection from that of the continuous law. The box
// is dominated by L0 copies of one number moved by LInf (docs/proofs/
// accounting-vector.md), and what is returned has been checked. It returns nil
// if nothing could be.
func discreteScale(l Approx, s Sensitivity, continuous *big.Rat) *big.Rat {
	start, _ := continuous.Float64()
	high := max(start, 1.0/1024)
	for range 64 {
		if discreteDelta(high, l.Epsilon, s) <= l.Delta {
			break
		}
		high *= 1.25
	}
	low := high / 4
	for range 20 {
		if mid := (low + high) / 2; discreteDelta(mid, l.Epsilon, s) <= l.Delta {
			high = mid
		} else {
			low = mid
		}
	}
	if discreteDelta(high, l.Epsilon, s) > l.Delta {
		return nil
	}
	return exact.Float(high)
}

func discreteDelta(sigma, epsilon float64, s Sensitivity) float64 {
	if s.L0 == 1 {
		return pld.DiscreteGaussianDelta(sigma, float64(s.LInf), epsilon)
	}
	var c pld.Composition
	c.Add(pld.DiscreteGaussian(sigma, float64(s.LInf)), int(s.L0))
	return c.Delta(epsilon)
}
