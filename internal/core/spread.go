package core

import (
	"math"

	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/normal"
	"github.com/equipoise-dp/equipoise/internal/search"
)

// HalfWidth returns the smallest t, or a little more, with P(|X| ≤ t) at least
// the given confidence for one draw X of the law. A confidence of 1 or more, or
// NaN, gives +Inf.
func (l *Law) HalfWidth(confidence float64) float64 {
	if !(confidence < 1) {
		return math.Inf(1)
	}
	switch l.Family {
	case Laplace:
		return l.laplaceHalfWidth(confidence)
	case Cube:
		return math.Ceil(l.cubeWidth(confidence, []float64{1}))
	}
	return math.Ceil(normal.Within(confidence) * l.approx)
}

// laplaceHalfWidth solves P(|X| > t) = 2q^(t+1)/(1+q) ≤ 1-confidence for an
// integer t, with q = exp(-1/scale).
func (l *Law) laplaceHalfWidth(confidence float64) float64 {
	q := math.Exp(-1 / l.approx)
	t := math.Ceil(-l.approx*math.Log((1-confidence)*(1+q)/2)) - 1
	return max(t, 0)
}

// LogTail returns bounds of ln P(X ≥ k) for a draw X: equal ones for Laplace, and for
// Gaussian those of the continuous law from k and from k-1 on.
func (l *Law) LogTail(k int64) (least, most float64) {
	if l.Family == Gaussian {
		return normal.LogTail(float64(k) / l.approx), normal.LogTail(float64(k-1) / l.approx)
	}
	both := math.Log1p(math.Exp(-1 / l.approx)) // P(X ≥ k) = q^k/(1+q) from k = 1 on
	least = -float64(k)/l.approx - both
	if k < 1 {
		least = math.Log1p(-math.Exp(-float64(1-k)/l.approx - both))
	}
	return least, least
}

// StdDev returns the standard deviation of one draw.
func (l *Law) StdDev() float64 { return l.stdDev }

// StdDev returns the standard deviation of one draw of a family at a scale: that
// of the discrete law, which is less than that of the continuous one.
func StdDev(f Family, scale float64) float64 {
	switch f {
	case Gaussian:
		return gaussianStdDev(scale)
	case OneSided:
		return 1 / (2 * math.Sinh(1/(2*scale)))
	}
	return math.Sqrt2 / (2 * scale * math.Sinh(1/(2*scale))) * scale
}

// gaussianStdDev sums up the law where it differs from the continuous one: from
// σ = 4 on, the difference is below 1e-100.
func gaussianStdDev(sigma float64) float64 {
	if sigma >= 4 {
		return sigma
	}
	weights, squares := 0.5, 0.0
	for x := 1.0; x <= 40*sigma+1; x++ {
		w := math.Exp(-(x / sigma) * (x / sigma) / 2)
		weights += w
		squares += w * x * x
	}
	return math.Sqrt(squares / weights)
}

// Times returns the law of a weighted sum of draws whose standard deviation is so many
// times that of one. It is for reading what was released; nothing is drawn from it.
// The draws must be Gaussian, and many steps wide.
func (l *Law) Times(factor float64) *Law {
	scale := l.approx * factor
	return &Law{Family: l.Family, Scale: exact.Float(scale), approx: scale, stdDev: scale}
}

// CombinedStdDev returns the standard deviation of Σ wᵢXᵢ for independent Xᵢ, or for the
// numbers of a cube, which depend on each other but are uncorrelated.
func (l *Law) CombinedStdDev(weights ...float64) float64 {
	return l.StdDev() * math.Sqrt(sumOfSquares(weights))
}

// Combined returns t with P(|Σ wᵢXᵢ| ≤ t) at least the confidence, for
// independent draws Xᵢ, or for the numbers of a cube. It is exact for the continuous laws with Gaussian noise
// and with Laplace noise of at most two terms; for more Laplace terms it uses
// the Cornish-Fisher expansion to the fourth moment (Cornish, Fisher 1938).
func (l *Law) Combined(confidence float64, weights ...float64) float64 {
	if !(confidence < 1) {
		return math.Inf(1)
	}
	alpha := 1 - max(confidence, 0)
	if l.Family == Cube {
		return l.cubeWidth(max(confidence, 0), weights)
	}
	if l.Family == Laplace && len(weights) == 1 {
		return math.Abs(weights[0]) * l.HalfWidth(confidence)
	}
	if l.Family == Laplace && len(weights) == 2 {
		return l.approx * twoLaplace(alpha, math.Abs(weights[0]), math.Abs(weights[1]))
	}
	return Normal(confidence, l.kurtosis(weights)) * l.CombinedStdDev(weights...)
}

// kurtosis returns the excess kurtosis of Σ wᵢXᵢ.
func (l *Law) kurtosis(weights []float64) float64 {
	if l.Family == Gaussian {
		return 0
	}
	square := sumOfSquares(weights)
	if square == 0 {
		return 0
	}
	if l.Family == Cube {
		return l.cubeKurtosis(weights)
	}
	return 3 * sumOfFourths(weights) / (square * square)
}

// Normal returns the two-sided quantile of a standardised symmetric variable
// that is nearly normal but has the given excess kurtosis, of at most 3: beyond 8 it
// would be negative.
func Normal(confidence, kurtosis float64) float64 {
	z := normal.Within(confidence)
	return z + (z*z*z-3*z)*kurtosis/24
}

// Far returns a function of Σ wᵢ² and Σ wᵢ⁴ that is t with P(|Σ wᵢXᵢ| ≤ t·σ) about
// the confidence, σ the standard deviation of one of the independent draws Xᵢ.
func (l *Law) Far(confidence float64) func(squares, fourths float64) float64 {
	if !(confidence < 1) {
		return func(float64, float64) float64 { return math.Inf(1) }
	}
	return l.FarAt(normal.Within(confidence))
}

// FarAt is Far at the confidence of ±z of a standard normal variable.
func (l *Law) FarAt(z float64) func(squares, fourths float64) float64 {
	bend := (z*z*z - 3*z) / 24
	if l.Family == Gaussian {
		bend = 0
	}
	return func(squares, fourths float64) float64 {
		if squares == 0 {
			return 0
		}
		return (z + bend*3*fourths/(squares*squares)) * math.Sqrt(squares)
	}
}

// twoLaplace returns t with P(|aX + bY| > t) = alpha for independent standard
// Laplace X and Y: (a²e^(-t/a) - b²e^(-t/b))/(a²-b²), and (1+t/2a)e^(-t/a) where
// a = b.
func twoLaplace(alpha, a, b float64) float64 {
	a, b = max(a, b), min(a, b)
	if a == 0 {
		return 0
	}
	tail := func(t float64) float64 {
		switch {
		case b < 1e-9*a:
			return math.Exp(-t / a)
		case a-b < 1e-6*a:
			return (1 + t/(2*a)) * math.Exp(-t/a)
		}
		return (a*a*math.Exp(-t/a) - b*b*math.Exp(-t/b)) / (a*a - b*b)
	}
	low, high := 0.0, a
	for tail(high) > alpha {
		high *= 2
	}
	t, _ := search.Edge(high, low, search.Absolute(high*0x1p-60), func(t float64) bool { return !(tail(t) > alpha) })
	return t
}

func sumOfSquares(weights []float64) float64 {
	sum := 0.0
	for _, w := range weights {
		sum += float64(w * w) // rounded, on every machine
	}
	return sum
}

func sumOfFourths(weights []float64) float64 {
	sum := 0.0
	for _, w := range weights {
		sum += math.Pow(w, 4)
	}
	return sum
}

// TreeKurtosis returns an excess kurtosis for sums of the many draws that a tree
// of counts adds up: that of three equal terms for Laplace noise.
func (l *Law) TreeKurtosis() float64 { return l.kurtosis([]float64{1, 1, 1}) }
