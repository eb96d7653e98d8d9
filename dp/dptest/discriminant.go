package dptest

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// maxDiscriminant is how many numbers the discriminant weighs.
const maxDiscriminant = 32

// discriminant returns the linear combination of a sample's numbers that tells
// the inputs apart best if their noise is like normal noise (Fisher 1936). It
// finds a loss that is spread over many numbers. Samples of another length are
// absent.
func discriminant(build draw, longest int) func(Sample) float64 {
	n := min(longest, maxDiscriminant)
	meanA, meanB := make([]float64, n), make([]float64, n)
	cov := mat.NewSymDense(n, nil)
	scatter(build.a, meanA, cov)
	scatter(build.b, meanB, cov)
	for i := range n {
		cov.SetSym(i, i, cov.At(i, i)*(1+1e-9)+1e-300) // so that it can be inverted
	}
	difference := mat.NewVecDense(n, nil)
	difference.SubVec(mat.NewVecDense(n, meanA), mat.NewVecDense(n, meanB))
	weights := mat.NewVecDense(n, nil)
	var factors mat.Cholesky
	if ok := factors.Factorize(cov); !ok || factors.SolveVecTo(weights, difference) != nil {
		weights.CopyVec(difference)
	}
	return func(s Sample) float64 {
		if len(s.Numbers) < n {
			return absent
		}
		sum := 0.0
		for i, x := range s.Numbers[:n] {
			sum += x * weights.AtVec(i)
		}
		return sum
	}
}

// scatter sets the mean of the samples that have enough finite numbers, and adds
// their scatter around it.
func scatter(samples []Sample, mean []float64, cov *mat.SymDense) {
	var whole [][]float64
	for _, s := range samples {
		if len(s.Numbers) >= len(mean) && finite(s.Numbers[:len(mean)]) {
			whole = append(whole, s.Numbers[:len(mean)])
		}
	}
	for _, xs := range whole {
		for i, x := range xs {
			mean[i] += x / float64(len(whole))
		}
	}
	for _, xs := range whole {
		for i := range xs {
			for j := range i + 1 {
				cov.SetSym(i, j, cov.At(i, j)+(xs[i]-mean[i])*(xs[j]-mean[j]))
			}
		}
	}
}

func finite(xs []float64) bool {
	for _, x := range xs {
		if !(math.Abs(x) < 1e150) { // so that squares are finite too
			return false
		}
	}
	return true
}
