package pld

import (
	"math"

	"github.com/equipoise-dp/equipoise/internal/search"
)

// RhoDelta returns an upper bound on the δ that a rho-zCDP mechanism has at ε:
//
//	min over alpha > 1 of  e^{(alpha-1)(alpha rho - ε)} (1 - 1/alpha)^alpha / (alpha-1)
//
// (Canonne, Kamath and Steinke 2020, Proposition 12; Balle, Barthe, Gaboardi, Hsu
// and Sato 2020, Theorem 21). The optimum is continuous, not on a grid. It returns
// 0 for rho = 0 or ε = +Inf, and 1 if rho or ε is NaN or negative, or rho infinite.
// Proof: docs/proofs/accounting-conversions.md.
func RhoDelta(rho, eps float64) float64 {
	switch {
	case !(rho >= 0) || !(eps >= 0) || math.IsInf(rho, 1):
		return 1
	case rho == 0 || math.IsInf(eps, 1):
		return 0
	}
	t := rhoOrder(rho, eps)
	linear := t * (t*rho + (rho - eps))
	entropy := t*math.Log1p(1/t) + math.Log1p(t)
	size := math.Abs(t*t*rho) + math.Abs(t*(rho-eps)) + entropy
	log := linear - entropy
	if !(size < 1e12) {
		return saturate(log)
	}
	return math.Min(1, math.Exp(log+8*0x1p-53*size)*up+math.SmallestNonzeroFloat64)
}

// saturate answers where the exponent is too large to be told apart from 0 or infinity.
func saturate(log float64) float64 {
	if log < -1e11 {
		return math.SmallestNonzeroFloat64
	}
	return 1
}

// rhoOrder returns t = alpha-1 of the best order: the root of (2t+1) rho - ε =
// ln(1+1/t), found by bisection in ln t. Every t gives a valid bound, so its
// accuracy decides tightness only.
func rhoOrder(rho, eps float64) float64 {
	return risingRoot(func(t float64) float64 { return 2*t*rho + (rho - eps) - math.Log1p(1/t) })
}

// RhoEpsilon returns an upper bound on the ε that a rho-zCDP mechanism has at δ:
//
//	min over alpha > 1 of  rho alpha + ln(1 - 1/alpha) - ln(alpha δ)/(alpha-1)
//
// (Canonne, Kamath and Steinke 2020, Proposition 12), at the continuous optimum. It
// returns 0 for rho = 0 or δ >= 1, and +Inf if rho or δ is NaN or negative, rho
// infinite, or δ zero. Proof: docs/proofs/accounting-conversions.md.
func RhoEpsilon(rho, delta float64) float64 {
	switch {
	case !(rho >= 0) || !(delta >= 0) || math.IsInf(rho, 1):
		return math.Inf(1)
	case rho == 0 || delta >= 1:
		return 0
	case delta == 0:
		return math.Inf(1)
	}
	goal := -math.Log(delta)
	t := risingRoot(func(t float64) float64 { return rho*t*t + math.Log1p(t) - goal })
	rise, fall := rho*(1+t)+goal/t, math.Log1p(1/t)+math.Log1p(t)/t
	return math.Max(0, rise-fall+8*0x1p-53*(rise+fall))
}

// risingRoot bisects a rising function over the positive floats, in the logarithm.
func risingRoot(f func(float64) float64) float64 {
	x, _ := search.Edge(-700, 700, search.Absolute(0x1p-60), func(x float64) bool { return f(math.Exp(x)) < 0 })
	return math.Exp(x)
}

// RhoMax returns the largest rho, rounded down, for which every rho-zCDP mechanism
// is (ε, δ)-differentially private by Canonne, Kamath and Steinke 2020, Proposition
// 12: RhoDelta(result, ε) <= δ. It returns 0 unless ε is in [0, +Inf) and δ in (0,
// 1). Proof: docs/proofs/accounting-conversions.md.
func RhoMax(eps, delta float64) float64 {
	if !(eps >= 0) || math.IsInf(eps, 1) || !(delta > 0) || !(delta < 1) {
		return 0
	}
	fits := func(rho float64) bool { return RhoDelta(rho, eps) <= delta }
	goal := -math.Log(delta)
	guess := math.Sqrt(goal+eps) - math.Sqrt(goal)
	return greatest(guess*guess, fits)
}
