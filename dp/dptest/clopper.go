package dptest

import (
	"gonum.org/v1/gonum/mathext"

	"github.com/equipoise-dp/equipoise/internal/search"
)

// slack is more than the relative error of the incomplete beta function, which a
// test compares with exact sums.
const slack = 1e-6

// low returns a lower bound on a probability that was seen k times in n: the
// true one is below it with probability at most alpha, whatever it is (Clopper,
// Pearson 1934). It is the largest p with P(Bin(n, p) ≥ k) ≤ alpha, a little
// down.
func low(k, n int, alpha float64) float64 {
	if k == 0 {
		return 0
	}
	seen := float64(k) / float64(n)
	below, _ := search.Edge(0, seen, search.Absolute(seen*0x1p-60), func(p float64) bool {
		return mathext.RegIncBeta(float64(k), float64(n-k+1), p) <= alpha*(1-slack)
	})
	return below
}

// high returns an upper bound likewise.
func high(k, n int, alpha float64) float64 { return 1 - low(n-k, n, alpha) }
