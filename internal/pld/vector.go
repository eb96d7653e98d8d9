package pld

import "math"

// latticeLoss is how much a lattice of at most sigma/4096 can cost: 1/sqrt(1 -
// 40/2^24) < 1 + 2e-6.
const latticeLoss = 1 + 2e-6

// FineLattice is how many lattice steps sigma must be, at least, for noise to be
// priced by [FineLatticeMu].
const FineLattice = 4096

// FineLatticeBudget returns how much of mu can be spent on noise on fine lattices:
// its FineLatticeMu is below mu by one part in 10^5, which leaves room for the
// rounding of an accountant that checks.
func FineLatticeBudget(mu float64) float64 { return mu / (1 + 1.2e-5) }

// FineLatticeMu returns mu (1 + 2e-6), rounded up: discrete Gaussian noise on Z^d
// (every coordinate independent, P(x) in proportion to exp(-x^2/(2 sigma^2))) with
// sigma >= 4096 lattice steps, against itself moved by any integer vector v with
// |v|_2 <= mu sigma, has at every ε a δ of at most GaussianDelta(FineLatticeMu(mu),
// ε) + d 1e-340. There is no condition on d, on mu or on single coordinates of v.
// The same holds for adaptive compositions with the square root of the sum of
// squares for mu and the sum of dimensions for d, so such noise may be priced as
// Gaussian.
//
// The reason: up to factors within 1e-341 of one, it is continuous Gaussian noise
// of variance sigma^2 - 40, rounded to the lattice at random by discrete Gaussian
// noise of variance 40 (convolution as in Micciancio and Peikert 2013, Theorem
// 3.3), and rounding is post-processing. Proof: docs/proofs/accounting-vector.md,
// section 2.
//
// It returns +Inf if mu is NaN, negative or infinite.
func FineLatticeMu(mu float64) float64 {
	if !proper(mu) {
		return math.Inf(1)
	}
	if mu == 0 {
		return 0
	}
	return math.Nextafter(mu*latticeLoss, math.Inf(1))
}
