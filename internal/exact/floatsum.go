package exact

import (
	"math"
	"math/big"
	"math/bits"
)

// A FloatSum is the exact sum of floats: a fixed-point number that is wide enough
// for every float64 and for 2^63 of them, so that nothing is rounded and the
// order of the terms does not matter (Kulisch 2013, the long accumulator). Its zero
// value is 0.
//
// Infinities outweigh every finite number; one of each sign cancel. NaN adds
// nothing.
type FloatSum struct {
	words    [floatWords]uint64 // in two's complement, in units of 2^-1074
	infinite int64              // how many more terms are +Inf than -Inf
}

// 2098 bits from the smallest to the largest float, 63 for the number of terms,
// and a sign.
const floatWords = (2098 + 63 + 1 + 63) / 64

// Add adds x.
func (s *FloatSum) Add(x float64) {
	switch {
	case math.IsNaN(x):
		return
	case math.IsInf(x, 0):
		s.infinite += int64(math.Copysign(1, x))
		return
	}
	b := math.Float64bits(x)
	mantissa, shift := b&(1<<52-1), uint(b>>52&0x7ff)
	if shift > 0 {
		mantissa |= 1 << 52
		shift--
	}
	s.add(shift/64, mantissa<<(shift%64), mantissa>>(64-shift%64), x < 0)
}

// add adds or subtracts two words at a place.
func (s *FloatSum) add(at uint, low, high uint64, negative bool) {
	step := bits.Add64
	if negative {
		step = bits.Sub64
	}
	var carry uint64
	s.words[at], carry = step(s.words[at], low, 0)
	s.words[at+1], carry = step(s.words[at+1], high, carry)
	for i := at + 2; carry != 0 && i < floatWords; i++ {
		s.words[i], carry = step(s.words[i], 0, carry)
	}
}

// Infinite returns -1 or 1 if the sum is an infinity of that sign, and else 0.
func (s *FloatSum) Infinite() int {
	switch {
	case s.infinite > 0:
		return 1
	case s.infinite < 0:
		return -1
	}
	return 0
}

// Rat returns the sum without its infinities.
func (s *FloatSum) Rat() *big.Rat {
	magnitude, negative := s.magnitude()
	n := new(big.Int)
	for i := floatWords - 1; i >= 0; i-- {
		n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(magnitude[i]))
	}
	if negative {
		n.Neg(n)
	}
	return new(big.Rat).SetFrac(n, new(big.Int).Lsh(big.NewInt(1), 1074))
}

// Approx returns the sum to within one part in 2^52, as long as that is no
// subnormal float, and an infinity where no float is large enough.
func (s *FloatSum) Approx() float64 {
	if s.infinite != 0 {
		return math.Inf(s.Infinite())
	}
	magnitude, negative := s.magnitude()
	top := floatWords - 1
	for top > 1 && magnitude[top] == 0 {
		top--
	}
	// The word below the two that are read is less than 2^-64 of a top word that is
	// at least 1, and the two fill 64 bits or more of it.
	x := math.Ldexp(float64(magnitude[top]), 64*top-1074) + math.Ldexp(float64(magnitude[top-1]), 64*(top-1)-1074)
	if negative {
		return -x
	}
	return x
}

// magnitude returns the absolute value and the sign.
func (s *FloatSum) magnitude() (m [floatWords]uint64, negative bool) {
	if s.words[floatWords-1]>>63 == 0 {
		return s.words, false
	}
	var borrow uint64
	for i, w := range s.words {
		m[i], borrow = bits.Sub64(0, w, borrow)
	}
	return m, true
}
