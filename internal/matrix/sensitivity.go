package matrix

import (
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/exact"
)

// Squares returns a bound on the squared L2 norm of what one person does to the rows,
// in steps of 2^-Bits, if the person is in at most k pairs of a period and a group,
// with a vector of norm at most 1 in each. It is exact if there is one group.
//
// With Gram matrix G = CᵀC and F(m) = Σ G[a][b] over the first m periods, one group
// has at most F(m) for any m periods, since the coefficients do not rise (Kalinin,
// Lampert 2024, Theorem 2; Choquette-Choo, McMahan, Rush, Thakurta 2023 for vectors).
// Several groups have at most the sum of F(mᵢ) with Σ mᵢ = k, which is at most k times
// the largest F(m)/m. Proof: docs/proofs/series.md.
//
// Of a level strategy it is k² times the longest column, which is exact for one period.
func (s *Strategy) Squares(k int, oneGroup bool) *big.Int {
	if s.level != nil {
		longest := s.longestColumn()
		return longest.Mul(longest, new(big.Int).Mul(big.NewInt(int64(k)), big.NewInt(int64(k))))
	}
	if oneGroup {
		return s.squares(min(k, len(s.coefs))).Big()
	}
	most := new(big.Rat)
	for m := 1; m <= min(k, len(s.coefs)); m++ {
		if f := new(big.Rat).SetFrac(s.squares(m).Big(), big.NewInt(int64(m))); f.Cmp(most) > 0 {
			most = f
		}
	}
	return ceil(most.Mul(most, big.NewRat(int64(k), 1)))
}

// squares returns F(m): the squared norm of the sum of the first m columns. Sums are at
// most 2^Bits times the number of periods, so nothing overflows.
func (s *Strategy) squares(m int) exact.Int128 {
	var sum exact.Int128
	run := int64(0)
	for t, c := range s.coefs {
		run += c
		if t >= m {
			run -= s.coefs[t-m]
		}
		if run == 0 {
			break
		}
		sum = sum.Add(exact.Mul(run, run))
	}
	return sum
}

// ceil rounds up.
func ceil(r *big.Rat) *big.Int {
	q, rest := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	return q
}
