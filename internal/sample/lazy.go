package sample

import "math/big"

// uniform is a uniform real in [0, 1) of which only the first n bits are drawn
// yet: it lies in [bits, bits+1) / 2^n. All comparisons of one uniform see the
// same real number.
type uniform struct {
	s    *Source
	bits *big.Int
	n    uint
}

// newUniform is the uniform whose first words are given.
func newUniform(s *Source, words ...uint64) *uniform {
	u := &uniform{s, new(big.Int), 0}
	for _, w := range words {
		u.push(w)
	}
	return u
}

func (u *uniform) push(w uint64) {
	u.bits.Lsh(u.bits, 64)
	u.bits.Or(u.bits, new(big.Int).SetUint64(w))
	u.n += 64
}

// less tells whether u < x, exactly. It ends with probability 1, and after k
// more words with probability above 1 - 2^(2-64k).
func (u *uniform) less(x real) bool {
	if u.n == 0 {
		u.push(u.s.Uint64())
	}
	for {
		b := x(u.n)
		if u.bits.Cmp(b.lo) < 0 {
			return true
		}
		if u.bits.Cmp(b.hi) >= 0 {
			return false
		}
		u.push(u.s.Uint64())
	}
}

// word returns the first 64 bits of x, rounded down, and whether that is
// certain: x computed at p bits must not straddle a multiple of 2^-64.
func (a interval) word(p uint) (uint64, bool) {
	lo := new(big.Int).Rsh(a.lo, p-64)
	hi := new(big.Int).Rsh(a.hi, p-64)
	if lo.Cmp(hi) != 0 || !lo.IsUint64() {
		return 0, false
	}
	return lo.Uint64(), true
}

// wordOf returns the first 64 bits of an irrational x < 1, rounded down.
func wordOf(x real) uint64 {
	for p := uint(192); ; p *= 2 {
		if t, ok := x(p).word(p); ok {
			return t
		}
	}
}
