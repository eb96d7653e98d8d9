package budget

import (
	"math"

	"github.com/equipoise-dp/equipoise/dp"
)

// The bounds below are rounded up: each is computed with a relative error far
// below 1e-12 and then enlarged by it.

// up enlarges a positive number by more than its round-off.
func up(x float64) float64 { return x * (1 + 1e-12) }

// addUp returns an upper bound on a+b.
func addUp(a, b float64) float64 {
	switch {
	case a == 0:
		return b
	case b == 0:
		return a
	}
	return math.Nextafter(a+b, math.Inf(1))
}

// renyiPure returns an upper bound on the divergence of order a of randomised
// response with ε: ((a-1)ε + ln(1+e^(-(2a-1)ε)) - ln(1+e^-ε))/(a-1).
func renyiPure(e, a float64) float64 {
	r := ((a-1)*e + math.Log1p(math.Exp(-(2*a-1)*e)) - math.Log1p(math.Exp(-e))) / (a - 1)
	r = up(r) + 0x1p-50*(1+1/(a-1)) // the logarithms cancel where ε is small
	return math.Min(r, math.Min(up(a*e*e/2), e))
}

// renyiLaplace returns an upper bound for Laplace noise of scale 1/ε: Mironov
// 2017, Table II.
func renyiLaplace(e, a float64) float64 {
	r := e + math.Log((a+(a-1)*math.Exp(-(2*a-1)*e))/(2*a-1))/(a-1)
	r = up(r) + 0x1p-50*(1+1/(a-1))
	return math.Min(r, renyiPure(e, a))
}

// pureMu returns an upper bound on the μ for which ε-privacy implies μ-GDP:
// 2Φ⁻¹(e^ε/(1+e^ε)), proved in docs/proofs/filter-gdp.md.
func pureMu(e float64) float64 {
	q := 1 / (1 + math.Exp(e)) // the upper tail
	if q < 0x1p-1000 {
		return math.Inf(1)
	}
	return up(2*math.Sqrt2*math.Erfcinv(2*q)) * (1 + 1e-9)
}

// gaussianMu2 returns the μ² of a Gaussian event whose exact ‖Δ‖²/Scale² is mu2.
func gaussianMu2(e dp.Event, mu2 float64) float64 {
	if e.Mechanism == dp.Gaussian {
		return mu2
	}
	return math.Inf(1)
}
