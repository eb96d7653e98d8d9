// Package calibrate finds how wide noise must be. It is the one calibrator of the
// library: package dp asks it for the noise of a vector, package aggregate for that
// of every measure of a plan and for the threshold of a selection.
//
// Scales are rationals, and everything that is rounded is rounded towards more
// noise: scales and thresholds up; ε, δ and μ that are spent down.
package calibrate

import (
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// A Change bounds how far one unit moves a vector of integers: at most L0 of them,
// each by at most LInf.
type Change struct{ L0, LInf *big.Int }

// Laplace returns L0·LInf/ε, the scale of discrete Laplace noise that is ε-private
// (Dwork, McSherry, Nissim, Smith 2006, Proposition 1): docs/proofs/laplace.md.
func (c Change) Laplace(epsilon *big.Rat) *big.Rat {
	l1 := new(big.Rat).SetInt(new(big.Int).Mul(c.L0, c.LInf))
	return tidy(l1.Quo(l1, epsilon))
}

// Gaussian returns √(L0·LInf²/budget), the scale of discrete Gaussian noise whose
// (L2/σ)² is at most the budget. It is 2ρ of concentrated differential privacy
// (Canonne, Kamath, Steinke 2020, Theorem 14), or what [FineBudget] returns:
// docs/proofs/gaussian.md.
func (c Change) Gaussian(budget *big.Rat) *big.Rat {
	square := new(big.Int).Mul(c.LInf, c.LInf)
	l2 := new(big.Rat).SetInt(square.Mul(square, c.L0))
	return exact.SqrtUp(l2.Quo(l2, budget))
}

// FineBudget returns μ² such that Gaussian noise with (L2/σ)² of at most μ² is
// (ε, δ)-private, on a grid at least [pld.FineLattice] times finer than σ, or nil if
// floats can certify none (Dong, Roth, Su 2022, Corollary 3.3; docs/proofs/
// accounting-vector.md).
//
// The float nearest to ε may be above it by one part in 2^53. That is made up for many
// times over: GaussianMu keeps one part in 10^12 of δ, and FineLatticeBudget one in
// 10^5 of μ. The first version took this float, and what was paid for with its scales
// must be found again.
func FineBudget(epsilon, delta *big.Rat) *big.Rat {
	near, _ := epsilon.Float64()
	mu := exact.Float(pld.FineLatticeBudget(pld.GaussianMu(near, exact.FloatDown(delta))))
	if mu == nil || mu.Sign() <= 0 {
		return nil
	}
	return mu.Mul(mu, mu)
}

// Fineness returns how many bits finer the grid must be for scale to be at least
// pld.FineLattice steps of it. On such a grid a discrete Gaussian costs what a
// continuous one costs, whatever the direction of the change.
func Fineness(scale *big.Rat) uint {
	bits := uint(0)
	for limit := fineLattice; scale.Cmp(limit) < 0; bits++ {
		limit = new(big.Rat).Quo(limit, big.NewRat(2, 1))
	}
	return bits
}

var fineLattice = big.NewRat(pld.FineLattice, 1)

// The samplers take scales up to 2^40. The smallest that is used is 2^-10, at which
// a draw differs from 0 with a probability below e^-500: less noise is never needed.
var (
	largest  = new(big.Rat).SetInt64(1 << 40)
	smallest = big.NewRat(1, 1<<10)
)

// Fits reports whether the samplers take noise of this scale.
func Fits(scale *big.Rat) bool { return scale.Cmp(largest) <= 0 }

// Law returns the noise of a scale, or of the smallest scale if that is larger. It
// returns nil where the samplers take no noise that is so wide.
func Law(f core.Family, scale *big.Rat) (*core.Law, error) {
	if !Fits(scale) {
		return nil, nil
	}
	scale = tidy(scale)
	if scale.Cmp(smallest) < 0 {
		scale = smallest
	}
	return core.NewLaw(f, new(big.Rat).Set(scale))
}

// tidy rounds a scale up to 48 bits if it takes many more to write.
func tidy(scale *big.Rat) *big.Rat {
	if scale.Num().BitLen()+scale.Denom().BitLen() > 96 {
		return exact.RatUp(scale)
	}
	return scale
}
