package calibrate

import (
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/pld"
	"github.com/equipoise-dp/equipoise/internal/search"
)

// A box is the change of a vector whose numbers move each on its own. It is
// dominated by L0 copies of one number that moves by LInf (docs/proofs/
// accounting-vector.md), so the laws of the integers that are drawn can be composed
// exactly. That is tighter than [Change.Laplace] and [Change.Gaussian], which hold
// for any direction: Laplace noise gains from δ (one part in 5,000 at ε = 1,
// δ = 10⁻⁶; 1.5 % at δ = 10⁻²), and Gaussian noise on the integers is a little less
// costly than on a fine grid (up to 0.5 %).
type box struct {
	change         Change
	l0             int
	linf           float64 // exact, or rounded up
	epsilon, delta float64 // rounded down
}

// Least returns the noise of least variance, of either family, with which numbers
// that change by a box are (ε, δ)-private, or nil if it is wider than the samplers
// go. L0 and LInf fit in an int64. A δ above one half is taken for one half.
//
// It searches for the least Laplace scale only where that can change the choice or
// the noise: where noise is other than 0 with a probability below 1e-13 there is
// nothing to gain, and where Gaussian noise is narrower by half than Laplace noise
// before the search, it is so after it.
func Least(epsilon, delta *big.Rat, c Change) (*core.Law, error) {
	if half := big.NewRat(1, 2); delta.Cmp(half) > 0 {
		delta = half
	}
	b := box{change: c, l0: int(c.L0.Int64()), linf: exact.FloatUp(new(big.Rat).SetInt(c.LInf)), epsilon: exact.FloatDown(epsilon), delta: exact.FloatDown(delta)}
	pure := c.Laplace(epsilon)
	if pure.Cmp(big.NewRat(1, 32)) <= 0 {
		return Law(core.Laplace, pure)
	}
	gaussian, stdDev := b.leastGaussian(FineBudget(epsilon, delta)), math.Inf(1)
	if gaussian != nil {
		stdDev = core.StdDev(core.Gaussian, exact.FloatUp(gaussian))
	}
	laplace := b.startLaplace(pure)
	if Fits(laplace) && core.StdDev(core.Laplace, exact.FloatUp(laplace)) < 1.5*stdDev {
		laplace = b.leastLaplace(laplace)
	}
	if stdDev < core.StdDev(core.Laplace, exact.FloatUp(laplace)) {
		return Law(core.Gaussian, gaussian)
	}
	return Law(core.Laplace, laplace)
}

// leastGaussian returns the scale of the continuous law where the grid is fine
// enough for the difference not to matter, otherwise the smallest one whose exact
// discrete composition is at most δ. It returns nil if there is none that floats
// can certify.
func (b *box) leastGaussian(fine *big.Rat) *big.Rat {
	if fine == nil {
		return nil
	}
	scale := b.change.Gaussian(fine)
	if scale.Cmp(fineLattice) >= 0 {
		return scale
	}
	start, _ := scale.Float64()
	return leastScale(start, func(sigma float64) bool { return b.gaussianDelta(sigma) <= b.delta })
}

// startLaplace returns the scale that is ε-private without any δ or, if that is
// less and can be certified, the one that is (0, δ)-private, because 2δ-private
// noise is (Kairouz, Oh, Viswanath 2015, Theorem 3.1: δ(0) ≤ tanh(ε/2)). Scales
// that the samplers do not reach need no certificate, as they are not used.
func (b *box) startLaplace(pure *big.Rat) *big.Rat {
	delta := exact.Float(b.delta)
	if b.l0 > mostLaplace || delta.Sign() == 0 {
		return pure
	}
	start := b.change.Laplace(delta.Add(delta, delta))
	if start.Cmp(pure) < 0 && (!Fits(start) || b.laplaceDelta(exact.FloatDown(start)) <= b.delta) {
		return start
	}
	return pure
}

// leastLaplace returns a scale that is enough in any case, if no smaller one can be
// certified. For vectors of large numbers it searches on a coarser grid, and
// certifies on the real one.
func (b *box) leastLaplace(enough *big.Rat) *big.Rat {
	coarse, up := *b, 1.0
	switch {
	case b.l0 > mostLaplace:
		return enough
	case b.l0 > 1 && b.linf > 1<<12:
		coarse.linf, up = 1<<12, 1+1e-6
	}
	times := b.linf / coarse.linf
	found := leastScale(exact.FloatUp(enough)/times, func(scale float64) bool { return coarse.laplaceDelta(scale) <= b.delta })
	if found == nil {
		return enough
	}
	scale := exact.FloatUp(found) * times * up
	if exact.Float(scale).Cmp(enough) > 0 || b.laplaceDelta(scale) > b.delta {
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

func (b *box) gaussianDelta(sigma float64) float64 {
	if b.l0 == 1 {
		return pld.DiscreteGaussianDelta(sigma, b.linf, b.epsilon)
	}
	var c pld.Composition
	c.Add(pld.DiscreteGaussian(sigma, b.linf), b.l0)
	return c.Delta(b.epsilon)
}

func (b *box) laplaceDelta(scale float64) float64 {
	if b.l0 == 1 {
		return pld.DiscreteLaplaceDelta(scale, b.linf, b.epsilon)
	}
	var c pld.Composition
	c.Add(pld.DiscreteLaplace(scale, b.linf), b.l0)
	return c.Delta(b.epsilon)
}
