package sample

import (
	"fmt"
	"math/big"
	"math/bits"
)

// Decay is the function n -> exp(-n*rate) on the non-negative integers, for a
// rational rate. It is immutable. Proof: docs/proofs/sampler-exponential.md.
type Decay struct {
	rate *big.Rat
	// rate/ln 2 = l2 + l1/2^64 + l0/2^128, rounded down. If huge is 1, it is 2^64
	// or more, and one step leaves nothing.
	l2, l1, l0, huge uint64
}

// NewDecay returns the decay with a rate of zero or more.
func NewDecay(rate *big.Rat) (*Decay, error) {
	if rate == nil || rate.Sign() < 0 {
		return nil, fmt.Errorf("sample: rate is %s, must be zero or positive", show(rate))
	}
	d := &Decay{rate: new(big.Rat).Set(rate)}
	l := new(big.Int).Mul(log2e().lo, rate.Num())
	l.Quo(l, rate.Denom()).Rsh(l, logBits-128)
	if l.BitLen() > 192 {
		d.huge = 1
		return d, nil
	}
	var b [24]byte
	l.FillBytes(b[:])
	d.l2, d.l1, d.l0 = bigEndian(b[0:]), bigEndian(b[8:]), bigEndian(b[16:])
	return d, nil
}

// decaySlack bounds the error of weight's mantissa, in units of 2^-64: that of
// pow2, and 2 for the truncated exponent.
const decaySlack = pow2Slack + 2

// weight returns k and m with exp(-n*rate) = 2^-k * (m ± decaySlack)/2^64.
// If k = 255, it says only that exp(-n*rate) is at most 2^-k. No branch depends
// on n.
func (d *Decay) weight(n uint64) (k uint, m uint64) {
	h0, _ := bits.Mul64(n, d.l0)
	h1, f := bits.Mul64(n, d.l1)
	f, c := bits.Add64(f, h0, 0)
	over, whole := bits.Mul64(n, d.l2)
	whole, c = bits.Add64(whole, h1, c)
	fits := isZero(over+c) & (isZero(n) | isZero(d.huge))
	_, small := bits.Sub64(whole, 255, 0)
	use := -(fits & small) // all ones, or 0
	return uint(whole&use | 255&^use), pow2(f) & use
}

// power returns exp(-n*rate) as a real.
func (d *Decay) power(n uint64) real {
	r := new(big.Rat).SetInt(new(big.Int).SetUint64(n))
	r.Mul(r, d.rate)
	return func(p uint) interval { return expNeg(r, p) }
}

// Bernoulli returns true with probability exp(-n*rate), exactly.
func (d *Decay) Bernoulli(s *Source, n uint64) bool {
	u := s.Uint64()
	k, m := d.weight(n)
	lo, hi := cutSub(m, decaySlack)>>k, upShift(m, decaySlack, k)
	if u < lo {
		return true
	}
	if u > hi {
		return false
	}
	return newUniform(s, u).less(d.power(n))
}

// cutSub returns a-b, or 0 if that is negative.
func cutSub(a, b uint64) uint64 {
	x, borrow := bits.Sub64(a, b, 0)
	return x &^ -borrow
}

// upShift returns an upper bound of (m+slack)/2^k, at most 2^64-1.
func upShift(m, slack uint64, k uint) uint64 {
	x, carry := bits.Add64(m, slack, 0)
	x |= -carry
	y, carry := bits.Add64(x>>k, 1, 0)
	return y | -carry
}

func bigEndian(b []byte) uint64 { return new(big.Int).SetBytes(b[:8]).Uint64() }
