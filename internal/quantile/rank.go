package quantile

import (
	"math"
	"math/bits"
)

// whole is a rank of 1.
const whole = 1_000_000

// A Rank is a share of the records, in millionths.
type Rank int64

// NewRank rounds a share in (0, 1) to a rank that is neither 0 nor 1.
func NewRank(share float64) Rank {
	return Rank(min(max(math.Round(share*whole), 1), whole-1))
}

// Share returns the rank as a number in (0, 1).
func (r Rank) Share() float64 { return float64(r) / whole }

// ceilQuo returns r·n, rounded up.
func ceilQuo(n int64, r Rank) int64 { return mulQuoUp(n, int64(r), whole) }

// mulQuoUp returns n·a/b rounded up, for 0 ≤ a ≤ b and n ≥ 0.
func mulQuoUp(n, a, b int64) int64 {
	hi, lo := bits.Mul64(uint64(n), uint64(a))
	q, rest := bits.Div64(hi, lo, uint64(b)) // hi < b as a ≤ b and n < 2^63
	if rest > 0 {
		q++
	}
	return int64(q)
}
