package sample

import (
	"math"
	"sort"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// alpha is the false-positive rate of every statistical test here.
const alpha = 1e-9

// chiSquare returns the statistic of counts against probabilities, and the
// value that it exceeds with probability alpha. Neighbouring cells are joined
// until a cell expects 100.
func chiSquare(counts []int, probs []float64) (stat, limit float64) {
	n := 0
	for _, c := range counts {
		n += c
	}
	cells, count, prob := 0, 0, 0.0
	var left float64 = 1
	for i, c := range counts {
		count, prob = count+c, prob+probs[i]
		if prob*float64(n) < 100 || (left-prob)*float64(n) < 100 {
			continue
		}
		stat += square(float64(count)-prob*float64(n)) / (prob * float64(n))
		cells, left, count, prob = cells+1, left-prob, 0, 0
	}
	stat += square(float64(count)-left*float64(n)) / (left * float64(n))
	return stat, chiSquareLimit(cells)
}

// chiSquareLimit is the quantile of the chi-square law above which alpha lies.
// Without a degree of freedom the statistic is 0, and rounding must pass.
func chiSquareLimit(freedom int) float64 {
	if freedom == 0 {
		return 1e-6
	}
	chi := distuv.ChiSquared{K: float64(freedom)}
	return float64(sort.Search(1<<20, func(i int) bool { return chi.Survival(float64(i)/16) <= alpha })) / 16
}

func square(x float64) float64 { return x * x }

// law gives the distribution function of an integer law: tail(m) = P(X >= m).
// It is written from the formula of the law alone.
type law func(m float64) float64

func laplaceLaw(scale float64) law {
	q := math.Exp(-1 / scale)
	return func(m float64) float64 {
		if m <= 0 {
			return 1 - math.Exp((m-1)/scale)/(1+q)
		}
		return math.Exp(-m/scale) / (1 + q)
	}
}

func geometricLaw(scale float64) law {
	return func(m float64) float64 { return math.Exp(-max(m, 0) / scale) }
}

// gaussianLaw sums the law up to sigma 100, and integrates it beyond: the
// midpoint rule is off by less than 1/(24 sigma^2) of the density there.
func gaussianLaw(sigma float64) law {
	if sigma > 100 {
		return func(m float64) float64 { return math.Erfc((m-0.5)/sigma/math.Sqrt2) / 2 }
	}
	weight := func(x int) float64 { return math.Exp(-square(float64(x)/sigma) / 2) }
	total, bound := 0.0, int(12*sigma)+2
	tails := make([]float64, 2*bound+2)
	for x := bound; x >= -bound; x-- {
		total += weight(x)
		tails[x+bound] = total
	}
	return func(m float64) float64 {
		i := min(max(int(m)+bound, 0), 2*bound+1)
		return tails[i] / total
	}
}

// goodness tests samples against a law. Cells are the integers near 0, or
// intervals of scale/8.
func goodness(samples []int64, f law, scale float64) (stat, limit float64) {
	width := math.Max(1, math.Floor(scale/8))
	const half = 300
	counts, probs := make([]int, 2*half+1), make([]float64, 2*half+1)
	for _, x := range samples {
		cell := math.Floor(float64(x) / width)
		counts[int(math.Min(math.Max(cell, -half), half))+half]++
	}
	for i := range probs {
		probs[i] = f(float64(i-half)*width) - f(float64(i-half+1)*width)
	}
	probs[0], probs[2*half] = 1-f((1-half)*width), f(half*width)
	return chiSquare(counts, probs)
}

// residues tests the low bits of samples of a wide law, which are uniform up to
// a relative error of 64^2/scale^2.
func residues(samples []int64) (stat, limit float64) {
	counts, probs := make([]int, 64), make([]float64, 64)
	for _, x := range samples {
		counts[x&63]++
	}
	for i := range probs {
		probs[i] = 1. / 64
	}
	return chiSquare(counts, probs)
}

func mustPass(t *testing.T, what string, stat, limit float64) {
	t.Helper()
	t.Logf("%s: chi-square %.1f of %.1f", what, stat, limit)
	if !(stat <= limit) {
		t.Errorf("%s: chi-square is %.1f, limit %.1f at alpha 1e-9", what, stat, limit)
	}
}

func mustFail(t *testing.T, what string, stat, limit float64) {
	t.Helper()
	if !(stat > limit) {
		t.Errorf("%s: chi-square is %.1f below %.1f: the test cannot see this error", what, stat, limit)
	}
}
