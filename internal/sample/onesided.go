package sample

import (
	"math/big"
	"slices"
)

// Geometric is the one-sided law: P(x) is proportional to exp(-x/scale) on the
// integers from 0. It is immutable and safe for concurrent use. Proof:
// docs/proofs/sampler-laplace.md, theorem 1.
type Geometric struct{ digits *digits }

// NewGeometric returns the law with a scale in [2^-10, 2^40].
func NewGeometric(scale *big.Rat) (*Geometric, error) {
	if err := CheckScale(scale); err != nil {
		return nil, err
	}
	return &Geometric{newDigits(new(big.Rat).Inv(scale))}, nil
}

// Fill overwrites dst with independent samples. Its time depends on the scale
// and on len(dst) alone.
func (g *Geometric) Fill(s *Source, dst []int64) {
	need := g.digits.words()
	for i := range dst {
		w := s.words(need)
		value, tie := g.digits.draw(w)
		if tie != 0 {
			value = g.digits.exact(s, slices.Clone(w))
		}
		dst[i] = int64(value)
	}
}
