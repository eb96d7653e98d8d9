package core

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/sample"
	"github.com/equipoise-dp/equipoise/internal/search"
)

// NewCube returns the law of vectors of n ≥ 2 numbers with P(z) ∝ exp(-max|zᵢ|/scale).
// Whoever draws from it draws whole vectors, whose numbers depend on each other; what the
// law says of one number, or of two, is of the continuous law, from which it differs by
// parts of 1/scale.
func NewCube(n int, scale *big.Rat) (*Law, error) {
	if n < 2 {
		return nil, fmt.Errorf("core: internal error: a cube of %d numbers", n)
	}
	if err := sample.CheckScale(scale); err != nil {
		return nil, err
	}
	l := &Law{Family: Cube, Scale: scale, approx: exact.FloatUp(scale), numbers: n}
	l.sampler = onceDrawn(scale, func(scale *big.Rat) (*sample.Cube, error) { return sample.NewCube(n, scale) })
	l.stdDev = CubeStdDev(n, l.approx)
	return l, nil
}

// Numbers returns how many numbers a cube's vector has, and 1 for other laws.
func (l *Law) Numbers() int { return max(l.numbers, 1) }

// CubeStdDev returns the standard deviation of one number of a cube of n: that of a
// Gamma(n+1) radius times a uniform number.
func CubeStdDev(n int, scale float64) float64 {
	return math.Sqrt(float64(n+1)*float64(n+2)/3) * scale
}

// cubeWidth returns t with P(|Σ wᵢzᵢ| ≤ t) the confidence: exactly for the continuous
// law where at most two weights of one vector are not 0, else by its kurtosis. Weights of
// several independent vectors follow each other.
func (l *Law) cubeWidth(confidence float64, weights []float64) float64 {
	var ws []float64
	vectors := 0
	for vector := range slices.Chunk(weights, l.numbers) {
		before := len(ws)
		for _, w := range vector {
			if w != 0 {
				ws = append(ws, math.Abs(w))
			}
		}
		if len(ws) > before {
			vectors++
		}
	}
	switch {
	case vectors == 0:
		return 0
	case vectors > 1 || len(ws) > 2:
		return Normal(max(confidence, 0), l.kurtosis(weights)) * l.CombinedStdDev(weights...)
	}
	a, b := slices.Max(ws), slices.Min(ws)*float64(len(ws)-1)
	beyond := func(t float64) bool { return l.cubeTail(t, 1, b/a) <= 1-confidence }
	t, _ := search.Edge(float64(2*l.numbers)+800, 0, search.Relative(1e-12), beyond)
	return l.approx * a * t
}

// cubeTail returns P(|r(aU+bV)| > t) for a ≥ b ≥ 0, with r of Gamma(n+1) and U and V
// uniform in [-1, 1]: what is beyond t/r of a trapezoid, averaged over r.
func (l *Law) cubeTail(t, a, b float64) float64 {
	n := l.numbers
	if b < 1e-6*a {
		return gammaTail(n+1, t/a) - t/a/float64(n)*gammaTail(n, t/a)
	}
	low, high := t/(a+b), math.Inf(1)
	if a > b {
		high = t / (a - b)
	}
	between := func(k int) float64 { return gammaTail(k, low) - gammaTail(k, high) }
	m0, m1, m2 := between(n+1), between(n)/float64(n), between(n-1)/float64(n*(n-1))
	slopes := ((a+b)*(a+b)*m0 - 2*(a+b)*t*m1 + t*t*m2) / (4 * a * b)
	if math.IsInf(high, 1) {
		return slopes
	}
	return slopes + gammaTail(n+1, high) - t/a/float64(n)*gammaTail(n, high)
}

// gammaTail returns P(r > x) for r of Gamma(k): e⁻ˣ Σ xⁱ/i! over i < k.
func gammaTail(k int, x float64) float64 {
	if x <= 0 {
		return 1
	}
	if math.IsInf(x, 1) {
		return 0
	}
	sum, logTerm := 0.0, -x
	for i := range k {
		sum += math.Exp(logTerm)
		logTerm += math.Log(x / float64(i+1))
	}
	return min(sum, 1)
}

// cubeKurtosis returns the excess kurtosis of Σ wᵢzᵢ: of each vector a sum of uniform
// numbers times a Gamma(n+1) radius.
func (l *Law) cubeKurtosis(weights []float64) float64 {
	n, all, excess := float64(l.numbers), sumOfSquares(weights), 0.0
	for vector := range slices.Chunk(weights, l.numbers) {
		square := sumOfSquares(vector)
		uniform := 3*square*square - 1.2*sumOfFourths(vector)
		excess += uniform*(n+3)*(n+4)/((n+1)*(n+2)) - 3*square*square
	}
	return excess / (all * all)
}
