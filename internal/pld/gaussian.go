package pld

import (
	"math"

	"github.com/equipoise-dp/equipoise/internal/normal"
	"github.com/equipoise-dp/equipoise/internal/search"
)

// up is the factor by which every directed result leaves the computed value: a
// thousand times the round-off of the closed forms
// (docs/proofs/accounting-gaussian.md) and a thousandth of the accuracy promised.
const up = 1 + 1e-12

// GaussianDelta returns an upper bound on the least δ for which a mu-GDP mechanism
// (Gaussian noise of mu standard deviations) is (ε, δ)-differentially private:
//
//	δ(ε) = Phi(mu/2 - ε/mu) - e^ε Phi(-mu/2 - ε/mu)
//
// (Balle and Wang 2018, Theorem 8; Dong, Roth and Su 2022, Corollary 1). It is
// never below the truth and at most 1e-9 above it, relatively, down to the smallest
// positive float, which is returned where the truth is smaller. It returns 0 for mu
// = 0 or ε = +Inf, and 1 if mu or ε is NaN or negative, or mu infinite. Proof:
// docs/proofs/accounting-gaussian.md.
func GaussianDelta(mu, eps float64) float64 {
	switch {
	case !(mu >= 0) || !(eps >= 0) || math.IsInf(mu, 1):
		return 1
	case mu == 0 || math.IsInf(eps, 1):
		return 0
	}
	a := gaussianThreshold(mu, eps)
	var delta float64
	if a < 0 && mu >= 1 {
		delta = normal.Tail(a) - normal.Density(a)*normal.Mills(a+mu)
	} else {
		delta = normal.Density(a) * millsDrop(a, mu)
	}
	return math.Min(1, delta*up+math.SmallestNonzeroFloat64)
}

// gaussianThreshold returns a = ε/mu - mu/2, the optimal test's threshold in
// standard deviations, with a small relative error although the two terms may
// nearly cancel: the remainder of the division is put back.
func gaussianThreshold(mu, eps float64) float64 {
	q := eps / mu
	if math.IsInf(q, 1) || q == 0 {
		return q - mu/2
	}
	return (q - mu/2) + math.FMA(-q, mu, eps)/mu
}

// gaussianLogDelta returns an estimate of ln δ(ε) that neither underflows nor
// overflows, and its slope. It only makes first guesses; no bound depends on it.
func gaussianLogDelta(mu, eps float64) (value, slope float64) {
	a := gaussianThreshold(mu, eps)
	if a < 0 && mu >= 1 {
		tail := normal.Density(a) * normal.Mills(a+mu)
		delta := normal.Tail(a) - tail
		return math.Log(delta), -tail / delta
	}
	drop := millsDrop(a, mu)
	return math.Log(normal.InvSqrt2Pi*drop) - a*a/2, -normal.Mills(a+mu) / drop
}

// GaussianEpsilon returns an upper bound on the least ε for which a mu-GDP
// mechanism is (ε, δ)-differentially private: GaussianDelta(mu, result) <= δ. It
// exceeds the truth by the change of ε that answers to a relative change of 1e-11
// in δ, which is below 1e-9 relative unless ε is nearly zero. It returns 0 for mu =
// 0 or δ >= 1, and +Inf if mu or δ is NaN or negative, mu infinite, or δ zero.
// Proof: docs/proofs/accounting-gaussian.md.
func GaussianEpsilon(mu, delta float64) float64 {
	switch {
	case !(mu >= 0) || !(delta >= 0) || math.IsInf(mu, 1):
		return math.Inf(1)
	case mu == 0 || delta >= 1:
		return 0
	case delta == 0:
		return math.Inf(1)
	case GaussianDelta(mu, 0) <= delta:
		return 0
	}
	fits := func(eps float64) bool { return GaussianDelta(mu, eps) <= delta }
	return least(gaussianEpsilonGuess(mu, delta), fits)
}

// gaussianEpsilonGuess runs Newton's method on ln δ, which is concave and falling,
// so it converges.
func gaussianEpsilonGuess(mu, delta float64) float64 {
	goal := math.Log(delta)
	eps := mu*mu/2 + mu*math.Sqrt(-2*goal)
	for range 40 {
		value, slope := gaussianLogDelta(mu, eps)
		next := eps - (value-goal)/slope
		if !(next > 0) {
			next = eps / 4
		}
		if math.IsNaN(next) || math.Abs(next-eps) <= 1e-14*eps {
			break
		}
		eps = next
	}
	return eps
}

// GaussianMu returns the largest mu, rounded down, for which a mu-GDP mechanism is
// (ε, δ)-differentially private: GaussianDelta(result, ε) <= δ holds for the bound,
// and therefore for the truth. Divide the sensitivity by it to get the standard
// deviation (analytic Gaussian mechanism, Balle and Wang 2018, Algorithm 1). It
// returns 0, no mechanism, unless ε is in [0, +Inf) and δ in (0, 1). Proof:
// docs/proofs/accounting-gaussian.md.
func GaussianMu(eps, delta float64) float64 {
	if !(eps >= 0) || math.IsInf(eps, 1) || !(delta > 0) || !(delta < 1) {
		return 0
	}
	fits := func(mu float64) bool { return GaussianDelta(mu, eps) <= delta }
	return greatest(gaussianMuGuess(eps, delta), fits)
}

// gaussianMuGuess bisects ln δ in -ln mu to a few digits; greatest does the rest.
// Halving the negative logarithm rounds as the first version did, to the last bit:
// scales of noise are computed from it, and a plan whose scale is another one would
// not find what was paid for.
func gaussianMuGuess(eps, delta float64) float64 {
	goal := math.Log(delta)
	minus, _ := search.Edge(760, -400, search.Times(60), func(minus float64) bool {
		value, _ := gaussianLogDelta(math.Exp(-minus), eps)
		return value <= goal
	})
	return math.Exp(-minus)
}
