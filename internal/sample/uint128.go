package sample

import (
	"math/bits"
)

// uint128 is an unsigned integer; its users bound their sums below 2^128.
type uint128 struct{ hi, lo uint64 }

func (a uint128) add(b uint128) uint128 {
	lo, c := bits.Add64(a.lo, b.lo, 0)
	hi, _ := bits.Add64(a.hi, b.hi, c)
	return uint128{hi, lo}
}

// less is 1 if a < b, else 0.
func (a uint128) less(b uint128) uint64 {
	_, c := bits.Sub64(a.lo, b.lo, 0)
	_, c = bits.Sub64(a.hi, b.hi, c)
	return c
}

func (a uint128) rsh(k uint) uint128 {
	if k >= 64 {
		return uint128{0, a.hi >> (k - 64)}
	}
	return uint128{a.hi >> k, a.lo>>k | a.hi<<(64-k)}
}

// mulHigh returns the high half of a*b.
func (a uint128) mulHigh(b uint128) uint128 {
	h0, _ := bits.Mul64(a.lo, b.lo)
	h1, l1 := bits.Mul64(a.hi, b.lo)
	h2, l2 := bits.Mul64(a.lo, b.hi)
	h3, l3 := bits.Mul64(a.hi, b.hi)
	m, c1 := bits.Add64(l1, l2, 0)
	_, c2 := bits.Add64(m, h0, 0)
	lo, c := bits.Add64(h1, h2, c1)
	h3 += c
	lo, c = bits.Add64(lo, l3, c2)
	return uint128{h3 + c, lo}
}
