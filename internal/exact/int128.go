package exact

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// Int128 is a signed 128-bit integer in two's complement. Its zero value is 0.
// Sums of int64 cannot overflow it before 2^64 terms, so a sum needs no check,
// and its value does not depend on the order of its terms.
type Int128 struct {
	Hi int64
	Lo uint64
}

// Int returns x as an Int128.
func Int(x int64) Int128 { return Int128{x >> 63, uint64(x)} }

// Add returns a + b.
func (a Int128) Add(b Int128) Int128 {
	lo, carry := bits.Add64(a.Lo, b.Lo, 0)
	hi, _ := bits.Add64(uint64(a.Hi), uint64(b.Hi), carry)
	return Int128{int64(hi), lo}
}

// Neg returns -a.
func (a Int128) Neg() Int128 {
	lo, borrow := bits.Sub64(0, a.Lo, 0)
	hi, _ := bits.Sub64(0, uint64(a.Hi), borrow)
	return Int128{int64(hi), lo}
}

// Sub returns a - b.
func (a Int128) Sub(b Int128) Int128 { return a.Add(b.Neg()) }

// Mul returns the product of two int64, which always fits.
func Mul(x, y int64) Int128 {
	hi, lo := bits.Mul64(uint64(x), uint64(y))
	hi -= uint64(x>>63)&uint64(y) + uint64(y>>63)&uint64(x)
	return Int128{int64(hi), lo}
}

// Sign returns -1, 0 or 1.
func (a Int128) Sign() int {
	switch {
	case a.Hi < 0:
		return -1
	case a.Hi == 0 && a.Lo == 0:
		return 0
	}
	return 1
}

// Cmp returns -1, 0 or 1 as a is below, equal to or above b.
func (a Int128) Cmp(b Int128) int {
	switch {
	case a.Hi < b.Hi || a.Hi == b.Hi && a.Lo < b.Lo:
		return -1
	case a == b:
		return 0
	}
	return 1
}

// Clamp returns a as an int64, and the nearest int64 if it does not fit.
func (a Int128) Clamp() int64 {
	switch {
	case a.Hi == int64(a.Lo)>>63:
		return int64(a.Lo)
	case a.Hi < 0:
		return math.MinInt64
	}
	return math.MaxInt64
}

// RoundShift returns a / 2^k rounded to nearest, halves up, for k in [0, 64).
func (a Int128) RoundShift(k uint) Int128 {
	if k == 0 {
		return a
	}
	a = a.Add(Int128{0, 1 << (k - 1)})
	return Int128{a.Hi >> k, a.Lo>>k | uint64(a.Hi)<<(64-k)}
}

// Big returns a as a big.Int.
func (a Int128) Big() *big.Int {
	b := new(big.Int).Lsh(big.NewInt(a.Hi), 64)
	return b.Add(b, new(big.Int).SetUint64(a.Lo))
}

// Append appends a in decimal.
func (a Int128) Append(to []byte) []byte {
	if a.Hi == int64(a.Lo)>>63 {
		return strconv.AppendInt(to, int64(a.Lo), 10)
	}
	return a.Big().Append(to, 10)
}

// FromBig returns a number of at most 127 bits and a sign.
func FromBig(b *big.Int) Int128 {
	low := new(big.Int).And(b, new(big.Int).SetUint64(math.MaxUint64))
	return Int128{new(big.Int).Rsh(b, 64).Int64(), low.Uint64()}
}

// Float64 returns the float64 nearest to a.
func (a Int128) Float64() float64 {
	f, _ := new(big.Float).SetInt(a.Big()).Float64()
	return f
}

// Shl returns a·2^k for k in [0, 64). The caller knows that it fits.
func (a Int128) Shl(k uint) Int128 {
	return Int128{a.Hi<<k | int64(a.Lo>>(64-k)), a.Lo << k}
}
