package sample

import "math/bits"

// pow2Slack bounds the error of pow2, in units of 2^-64.
const pow2Slack = 32

// pow2 returns 2^(64-f/2^64), up to pow2Slack. It is a polynomial of degree 12
// with alternating signs in Horner's form; a test bounds its error in exact
// arithmetic. Proof: docs/proofs/sampler-exponential.md, "The polynomial".
func pow2(f uint64) uint64 {
	acc, _ := bits.Mul64(0x1401d369, f)
	acc, _ = bits.Mul64(0x1d28970e4-acc, f)
	acc, _ = bits.Mul64(0x1e28d1a3c0-acc, f)
	acc, _ = bits.Mul64(0x1b4feeb762f-acc, f)
	acc, _ = bits.Mul64(0x162be68b6472-acc, f)
	acc, _ = bits.Mul64(0xffe5f07c6a8a-acc, f)
	acc, _ = bits.Mul64(0xa1848931b8f01-acc, f)
	acc, _ = bits.Mul64(0x5761ff9d199e7e-acc, f)
	acc, _ = bits.Mul64(0x276556df721edfc-acc, f)
	acc, _ = bits.Mul64(0xe35846b824ce464-acc, f)
	acc, _ = bits.Mul64(0x3d7f7bff058af4db-acc, f)
	acc, _ = bits.Mul64(0xb17217f7d1cf78f3-acc, f)
	return 0xffffffffffffffff - acc
}
