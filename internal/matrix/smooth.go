package matrix

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
)

// MostSmoothed is how many numbers [Smooth] takes: it works in time of their cube.
const MostSmoothed = 1000

// Smooth returns what is expected of numbers over time by a structural model (the local
// level model: Harvey 1989, Forecasting, Structural Time Series Models and the Kalman
// Filter, section 2.3), given noisy ones and the covariance of their noise, which is
// known: the truth moves from each to the next by independent normal steps of one
// variance, and nothing is known of where it begins. The variance of the steps is the
// likeliest one, to within a sixth.
func Smooth(noisy []float64, covariance func(i, j int) float64) ([]float64, error) {
	n := len(noisy) - 1 // steps
	if n < 1 {
		return append([]float64(nil), noisy...), nil
	}
	// Noise as it is in the numbers, for the smoothed line, and in their steps.
	noise := mat.NewDense(n+1, n, nil)
	for i := range n + 1 {
		for j := range n {
			noise.Set(i, j, covariance(i, j+1)-covariance(i, j))
		}
	}
	steps := mat.NewSymDense(n, nil)
	seen := mat.NewVecDense(n, nil)
	for i := range n {
		seen.SetVec(i, noisy[i+1]-noisy[i])
		for j := i; j < n; j++ {
			steps.SetSym(i, j, noise.At(i+1, j)-noise.At(i, j))
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(steps, true) {
		return nil, errors.New("matrix: internal error: a covariance has no eigenvalues")
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	along := mat.NewVecDense(n, nil)
	along.MulVec(vectors.T(), seen)
	values := eigen.Values(nil)
	q := likeliest(values, along.RawVector().Data)
	for i, v := range values {
		along.SetVec(i, along.AtVec(i)/(max(v, 0)+q))
	}
	var weights, errs mat.VecDense
	weights.MulVec(&vectors, along)
	errs.MulVec(noise, &weights)
	smooth := make([]float64, n+1)
	for i := range smooth {
		smooth[i] = noisy[i] - errs.AtVec(i)
	}
	return smooth, nil
}

// likeliest returns the variance q at which numbers are likeliest that are independent and
// normal with variances v+q: one of a hundred that are a third apart, about that of the noise, or 0.
func likeliest(v, numbers []float64) float64 {
	largest := 0.0
	for _, x := range v {
		largest = max(largest, x)
	}
	best, least := 0.0, deviance(v, numbers, 0)
	for i := -60; i <= 60; i++ {
		q := largest * math.Pow(10, float64(i)/8)
		if d := deviance(v, numbers, q); d < least {
			best, least = q, d
		}
	}
	return best
}

// deviance is minus twice the logarithm of the likelihood, but for a constant.
func deviance(v, numbers []float64, q float64) float64 {
	sum := 0.0
	for i, x := range numbers {
		s := max(v[i], 0) + q
		sum += math.Log(s) + x*x/s
	}
	if math.IsNaN(sum) {
		return math.Inf(1)
	}
	return sum
}
