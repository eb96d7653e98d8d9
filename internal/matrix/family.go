package matrix

import (
	"fmt"
	"math"
)

// Power returns (1-z)^-p for p in [0, 1], cut off at the horizon: p = 0 is independent
// noise, p = ½ the square root of prefix sums (Fichtenberger, Henzinger, Upadhyay
// 2023), and p = 1 running totals.
func Power(periods int, p float64) *Strategy {
	coefs := make([]float64, periods)
	coefs[0] = 1
	for j := 1; j < periods; j++ {
		coefs[j] = coefs[j-1] * (float64(j-1) + p) / float64(j)
	}
	return newStrategy(fmt.Sprintf("(1-z)^-%g", p), coefs)
}

// rates are the decays of a mixture. A period that is as many periods back as 1, 4, 16,
// 64 or 256 counts by 1/e; the last never fades.
var rates = [...]float64{0x1.78b56362cef38p-2, 0x1.8ebef9eac820bp-1, 0x1.e0fabfbc702a4p-1, 0x1.f81fabd40df92p-1, 0x1.fe01feab54e45p-1, 1}

// A mixture is 1 + Σ weightᵢ·rateᵢʲ: sums that fade at several rates (the form of
// Dvijotham, McMahan, Pillutla, Steinke, Thakurta 2024). Weights are in 4096ths.
type mixture [len(rates)]int

const weightUnit = 1.0 / 4096

func (m mixture) strategy(periods int) *Strategy {
	return newStrategy(fmt.Sprintf("fading sums %v/4096", m[:]), m.coefs(periods))
}

func (m mixture) coefs(periods int) []float64 {
	coefs := make([]float64, periods)
	for i, w := range m {
		x := float64(w) * weightUnit
		for j := 1; j < periods && x > 0x1p-40; j++ {
			x *= rates[i]
			coefs[j] += x
		}
	}
	coefs[0] = 1
	return coefs
}

// inverse returns the first column of the inverse, by one buffer for each rate.
func (m mixture) inverse(periods int) []float64 {
	g := make([]float64, periods)
	var buffers [len(rates)]float64
	for t := range g {
		next := 0.0
		if t == 0 {
			next = 1
		}
		for i, w := range m {
			buffers[i] *= rates[i]
			next -= float64(w) * weightUnit * buffers[i]
		}
		g[t] = next
		for i := range buffers {
			buffers[i] += next
		}
	}
	return g
}

// first returns the second coefficient, which must not be more than the first.
func (m mixture) first() float64 {
	sum := 0.0
	for i, w := range m {
		sum += float64(w) * weightUnit * rates[i]
	}
	return sum
}

// squaresOf returns F(k) (see [Strategy.Squares]) in floats, for the search.
func squaresOf(coefs []float64, k int) float64 {
	sum, run := 0.0, 0.0
	for t, c := range coefs {
		run += c
		if t >= k {
			run -= coefs[t-k]
		}
		sum += run * run
	}
	return sum
}

// bestPower returns the power, in steps of a twentieth, that costs least.
func bestPower(periods int, cost func(*Strategy) float64) *Strategy {
	best, least := (*Strategy)(nil), math.Inf(1)
	for p := 1; p <= 20; p++ {
		s := Power(periods, float64(p)/20)
		if c := cost(s); c < least {
			best, least = s, c
		}
	}
	return best
}
