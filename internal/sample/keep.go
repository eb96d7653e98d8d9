package sample

import (
	"fmt"
	"math/big"
	"math/bits"
)

// TruncatedGeometric decides whether a key held by n units may be published:
// the choice that publishes most keys among all (epsilon, delta) private ones,
// when a unit holds one key (Desfontaines, Voss, Gipson and Mandayam 2022,
// theorem 1). It is immutable and safe for concurrent use. Proof:
// docs/proofs/sampler-truncated-geometric.md.
type TruncatedGeometric struct {
	delta *big.Rat
	decay *Decay // of rate epsilon
	cross uint64 // the count where the two halves of the law meet
	sure  uint64 // the least count that is always kept

	// Constants of the two halves, in units of 2^(up-64): below cross
	// P = rise*exp(-(cross-n)*epsilon) - shift, above it
	// P = 1+shift - fall*exp(-(n-cross)*epsilon).
	up                       uint
	rise, fall, shift, limit uint64
}

var (
	minEpsilon = big.NewRat(1, 1<<40)
	maxEpsilon = big.NewRat(1<<10, 1)
	minDelta   = new(big.Rat).SetFrac(one, new(big.Int).Lsh(one, 1000))
	maxDelta   = big.NewRat(1, 2)
)

// NewTruncatedGeometric returns the choice for an epsilon in [2^-40, 2^10] and
// a delta in [2^-1000, 1/2).
func NewTruncatedGeometric(epsilon, delta *big.Rat) (*TruncatedGeometric, error) {
	if epsilon == nil || epsilon.Cmp(minEpsilon) < 0 || epsilon.Cmp(maxEpsilon) > 0 {
		return nil, fmt.Errorf("sample: epsilon is %s, must be in [2^-40, 2^10]", show(epsilon))
	}
	if delta == nil || delta.Cmp(minDelta) < 0 || delta.Cmp(maxDelta) >= 0 {
		return nil, fmt.Errorf("sample: delta is %s, must be in [2^-1000, 1/2)", show(delta))
	}
	decay, err := NewDecay(epsilon)
	if err != nil {
		return nil, err
	}
	t := &TruncatedGeometric{delta: new(big.Rat).Set(delta), decay: decay}
	crossGuess, sureGuess := guesses(epsilon, delta)
	t.cross = 1 + lastThat(crossGuess, t.beforeCrossing)
	t.sure = t.cross + 1 + lastThat(sureGuess, func(m uint64) bool { return smaller(t.upper(m), whole(1)) })
	t.tabulate()
	return t, nil
}

// Keep decides for a key that n units hold. Counts below 1 are never kept, and
// counts from [TruncatedGeometric.Sure] on always. Its time does not depend on n.
func (t *TruncatedGeometric) Keep(s *Source, n int64) bool {
	u := s.Uint64()
	count := uint64(max(n, 0))
	lo, hi := t.bounds(count)
	_, keep := bits.Sub64(u, lo, 0)
	_, drop := bits.Sub64(hi, u, 0)
	_, sure := bits.Sub64(t.sure-1, count, 0)
	if keep|drop|sure == 0 {
		return newUniform(s, u).less(t.probability(count))
	}
	return keep|sure == 1
}

// Sure returns the least count that is always kept.
func (t *TruncatedGeometric) Sure() int64 { return int64(t.sure) }

// Likely returns the least count that is kept with at least a probability in (0, 1).
func (t *TruncatedGeometric) Likely(probability *big.Rat) int64 {
	at := func(p uint) interval { return ratInterval(probability, p) }
	return 1 + int64(lastThat(t.cross, func(n uint64) bool { return n < t.sure && smaller(t.probability(n), at) }))
}
