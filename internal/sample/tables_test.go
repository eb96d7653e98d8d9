package sample

import (
	"math/big"
	"testing"
)

// Thresholds made with mpmath 1.3 at 600 bits: floor(2^64 P(base >= b)) for
// b = 1, 2, 3, 5, 8.
var gaussianVectors = []struct {
	sigma string
	want  []uint64
}{
	{"1", []uint64{0x99deeb39da230e5e, 0x1dfb550c2ccfc730, 0x256a0d7bfd77d13, 0x321717e046b6, 0x2d841}},
	{"7/2", []uint64{0xe2d1fa0de8e67f5e, 0xaacb736d7984f14d, 0x7939e2d9d262de1e, 0x326f51bc4751d211, 0x8131891066e0b4f}},
	{"1001/10", []uint64{0xc6169b19e42bb3a6, 0x8f0fba25f2179b50, 0x5fdae6ffc15779e1, 0x21b940161e33f9c8, 0x3a4af6acf1248f4}},
}

// floor(2^64 P(digit i >= j)) for j = 1, 2, 3, made in the same way. The scale
// 1 has no low digits, and is asked of the law directly.
var digitVectors = []struct {
	scale string
	digit int
	want  [3]uint64
}{
	{"1", 0, [3]uint64{0x5b286f605a65b2d6, 0x1e84152bac31aea9, 0x834fe1ca4b61509}},
	{"10/7", 1, [3]uint64{0xf906816a70b186a, 0xf17349e0f236d9, 0xdd747fb62bf48}},
	{"1000", 5, [3]uint64{0x592af8a3ed4b73ac, 0x1d3fca8aed1f0c17, 0x7baa4255bb2117b}},
	{"1099511627776", 0, [3]uint64{0xbfffffffff9fffff, 0x7fffffffff800000, 0x3fffffffffa00000}},
	{"1099511627776", 19, [3]uint64{0xa66adb1a8eb762df, 0x60a6815965e37a0e, 0x2a50d9a8f4cffcb1}},
}

func TestTablesAreTheLaw(t *testing.T) {
	for _, v := range gaussianVectors {
		g, err := NewGaussian(rat(v.sigma))
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range []int{1, 2, 3, 5, 8} {
			if g.table[b-1] != v.want[i] {
				t.Errorf("sigma %s: P(base >= %d) is %#x, want %#x", v.sigma, b, g.table[b-1], v.want[i])
			}
		}
	}
	for _, v := range digitVectors {
		d := newDigits(new(big.Rat).Inv(rat(v.scale)))
		for j := range v.want {
			if got := wordOf(d.tail(v.digit, j+1)); got != v.want[j] {
				t.Errorf("scale %s: P(digit %d >= %d) is %#x, want %#x", v.scale, v.digit, j+1, got, v.want[j])
			}
			if row := len(d.low) - 1 - v.digit; row >= 0 && d.low[row][j] != v.want[j] {
				t.Errorf("scale %s: the table has %#x, want %#x", v.scale, d.low[row][j], v.want[j])
			}
		}
	}
}
