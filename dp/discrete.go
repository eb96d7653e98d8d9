package dp

import (
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/pld"
	"github.com/equipoise-dp/equipoise/internal/search"
)

// discreteScale returns a scale at which the discrete Gaussian on a box of L0
// numbers, each moved by LInf, has δ(ε) at most l.Delta, searched from that of
// the continuous law. The box is dominated by L0 copies of one number moved by
// LInf (docs/proofs/accounting-vector.md), and what is returned has been checked.
// It returns nil if nothing could be.
func discreteScale(l Approx, s Sensitivity, continuous *big.Rat) *big.Rat {
	start, _ := continuous.Float64()
	return leastScale(max(start, 1.0/1024), func(sigma float64) bool { return discreteDelta(sigma, l.Epsilon, s) <= l.Delta })
}

// laplaceStart returns the scale that is ε-private without any δ or, if that is
// less and can be certified, the one that is (0, δ)-private, because 2δ-private
// noise is (Kairouz, Oh, Viswanath 2015, Theorem 3.1: δ(0) ≤ tanh(ε/2)). Scales
// that the samplers do not reach need no certificate, as they are not used.
func laplaceStart(l Approx, s Sensitivity, pure *big.Rat) *big.Rat {
	start := laplaceScale(new(big.Rat).Mul(exact.Decimal(l.Delta), big.NewRat(2, 1)), s)
	if s.L0 > mostLaplace || start.Cmp(pure) >= 0 {
		return pure
	}
	if start.Cmp(maxScale) > 0 || laplaceDelta(exact.FloatDown(start), l.Epsilon, s) <= l.Delta {
		return start
	}
	return pure
}

// approxLaplaceScale is discreteScale for discrete Laplace. It returns a scale
// that is enough in any case, if no smaller one can be certified. For vectors of
// large numbers it searches on a coarser grid, and certifies on the real one.
func approxLaplaceScale(l Approx, s Sensitivity, enough *big.Rat) *big.Rat {
	coarse, up := s, 1.0
	switch {
	case s.L0 > mostLaplace:
		return enough
	case s.L0 > 1 && s.LInf > 1<<12:
		coarse.LInf, up = 1<<12, 1+1e-6
	}
	times := float64(s.LInf) / float64(coarse.LInf)
	found := leastScale(exact.FloatUp(enough)/times, func(scale float64) bool { return laplaceDelta(scale, l.Epsilon, coarse) <= l.Delta })
	if found == nil {
		return enough
	}
	scale := exact.FloatUp(found) * times * up
	if exact.Float(scale).Cmp(enough) > 0 || laplaceDelta(scale, l.Epsilon, s) > l.Delta {
		return enough
	}
	return exact.Float(scale)
}

// mostLaplace is the most numbers for which a Laplace scale is searched for. With
// more of them, all noise that is narrower than the pure one is Gaussian.
const mostLaplace = 256

// leastScale returns a scale that is enough, close to the least one if all above
// it are enough too: within one part in 10^5. It walks from the start in steps
// that grow, and bisects the last one. It returns nil if nothing within a factor
// of 10^6 is enough.
func leastScale(start float64, enough func(float64) bool) *big.Rat {
	if !(start > 0) || math.IsInf(start, 1) {
		return nil
	}
	low, high, step := start, start, 2e-5
	for ; !enough(high); step *= 4 {
		if high > start*1e6 {
			return nil
		}
		low, high = high, high*(1+step)
	}
	for ; low == high && low > start/1e6; step *= 4 {
		if low /= 1 + step; enough(low) {
			high = low
		}
	}
	high, _ = search.Edge(high, low, search.Relative(1e-5), enough)
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

func laplaceDelta(scale, epsilon float64, s Sensitivity) float64 {
	if s.L0 == 1 {
		return pld.DiscreteLaplaceDelta(scale, float64(s.LInf), epsilon)
	}
	var c pld.Composition
	c.Add(pld.DiscreteLaplace(scale, float64(s.LInf)), int(s.L0))
	return c.Delta(epsilon)
}
