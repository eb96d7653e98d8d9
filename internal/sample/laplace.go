package sample

import (
	"math/big"
	"math/bits"
	"slices"
)

// Laplace is the discrete Laplace law: P(x) is proportional to
// exp(-|x|/scale) on the integers. It is immutable and safe for concurrent use.
// Proof: docs/proofs/sampler-laplace.md.
type Laplace struct {
	magnitude *digits  // of |x|-1, if x is not 0
	rate      *big.Rat // 1/scale
	nonzero   uint64   // first word of P(x != 0)
}

// NewLaplace returns the law with a scale in [2^-10, 2^40].
func NewLaplace(scale *big.Rat) (*Laplace, error) {
	if err := CheckScale(scale); err != nil {
		return nil, err
	}
	rate := new(big.Rat).Inv(scale)
	return &Laplace{newDigits(rate), rate, wordOf(nonzero(rate))}, nil
}

// nonzero is P(x != 0) = 2q/(1+q), with q = exp(-rate).
func nonzero(rate *big.Rat) real {
	return func(p uint) interval {
		w := p + 16
		q := expNeg(rate, w)
		return q.add(q).div(wholeInterval(1, w).add(q), w).narrow(w, p)
	}
}

// Fill overwrites dst with independent samples. Its time depends on the scale
// and on len(dst) alone.
func (l *Laplace) Fill(s *Source, dst []int64) {
	for len(dst) > 0 {
		n := min(len(dst), 64)
		l.fill64(s, dst[:n], s.Uint64())
		dst = dst[n:]
	}
}

// fill64 draws up to 64 samples with the given signs.
func (l *Laplace) fill64(s *Source, dst []int64, signs uint64) {
	need := l.magnitude.words() + 1
	for i := range dst {
		w := s.words(need)
		value, tie := l.magnitude.draw(w[1:])
		r := w[0]
		_, some := bits.Sub64(r, l.nonzero, 0)
		_, none := bits.Sub64(l.nonzero, r, 0)
		if tie|(some+none^1) != 0 {
			some, value = l.exact(s, slices.Clone(w))
		}
		dst[i] = int64(signed((value+1)&-some, signs&1))
		signs >>= 1
	}
}

func (l *Laplace) exact(s *Source, w []uint64) (some, value uint64) {
	if newUniform(s, w[0]).less(nonzero(l.rate)) {
		some = 1
	}
	return some, l.magnitude.exact(s, w[1:])
}
