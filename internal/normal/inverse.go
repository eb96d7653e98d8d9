package normal

import "math"

// Beyond returns z with P(Z > z) at most p, where logP is ln p. It is never below
// the least such z, and above it by at most 2e-12·|z| + 2e-15. The logarithm reaches where p
// itself would be 0. Beyond(0) is -Inf, Beyond(-Inf) is +Inf.
//
// What is computed is off by less than a thousandth of what is added: a root of
// LogTail is found to the last digits, and LogTail is wrong by 1e-13 of itself, which moves z
// by at most 1e-13·|logP|·Mills(z), less than 1e-13·(z/2 + 2).
func Beyond(logP float64) float64 {
	switch {
	case !(logP < 0): // NaN too: nothing is known
		if logP == 0 {
			return math.Inf(-1)
		}
		return math.Inf(1)
	case logP > -math.Ln2:
		z := point(math.Log(-math.Expm1(logP))) // P(Z > -z) = 1-p
		return -(z*(1-1e-12) - 1e-15)
	}
	return point(logP)*(1+1e-12) + 1e-15
}

// Within returns z with P(|Z| ≤ z) = p, with an error below 1e-12 (of the smallest
// normal float where z is below that). It is 0 for
// p ≤ 0, and +Inf for p ≥ 1 and NaN. Near 1 the digits of p itself are what
// limits z; use Beyond where the tail is known.
func Within(p float64) float64 {
	switch {
	case !(p < 1):
		return math.Inf(1)
	case p <= 0:
		return 0
	case p < 0.5:
		return math.Sqrt2 * math.Erfinv(p)
	}
	return point(math.Log((1 - p) / 2)) // 1-p is exact
}

// point returns z ≥ 0 with ln P(Z > z) = logP, for logP ≤ ln ½, by Newton's
// method. LogTail is concave and falls, and the start is beyond the root, since
// P(Z > z) < exp(-z²/2); so every step comes nearer from the same side.
func point(logP float64) float64 {
	z := math.Sqrt(-2 * logP)
	for range 60 {
		next := z + (LogTail(z)-logP)*Mills(z)
		if !(next < z) {
			break
		}
		z = max(next, 0)
	}
	return z
}
