package sample

import (
	"math/big"
	"math/bits"
)

// Gaussian is the discrete Gaussian law: P(x) is proportional to
// exp(-x^2/(2 sigma^2)) on the integers. It is immutable and safe for
// concurrent use. Proof: docs/proofs/sampler-gaussian.md.
//
// Below sigma 4 it is one scan of a table. Above, |x| = 2^shift*base + offset:
// base is a discrete half-Gaussian of parameter sigma/2^shift in [2, 4), offset
// is uniform, and the pair is accepted with probability
// exp(-offset*(offset+2^(shift+1)*base)/(2 sigma^2)). Trials are independent
// and take constant time, so their number tells nothing about the sample.
type Gaussian struct {
	rate  *big.Rat // 1/(2 sigma^2)
	shift uint
	// table[b-1] is the first word of P(base >= b). It ends with at least one 0,
	// so that a base beyond it is not missed: it meets the word 0, a tie.
	table []uint64
	slope uint64 // first word of log2(e)/(2 (sigma/2^shift)^2)
	mask  uint64 // the shift highest bits
}

// NewGaussian returns the law with sigma in [2^-10, 2^40].
func NewGaussian(sigma *big.Rat) (*Gaussian, error) {
	if err := CheckScale(sigma); err != nil {
		return nil, err
	}
	g := &Gaussian{shift: baseShift(sigma)}
	g.mask = ^(^uint64(0) >> g.shift)
	g.rate = new(big.Rat).Mul(sigma, sigma)
	g.rate.Inv(g.rate.Add(g.rate, g.rate))
	if g.shift > 0 {
		g.slope = wordOf(g.slopeReal())
	}
	for p := uint(192); !g.fillTable(p); p *= 2 {
		g.table = nil
	}
	return g, nil
}

// baseShift is the number k with sigma/2^k in [2, 4), or 0 below that.
func baseShift(sigma *big.Rat) uint {
	whole := new(big.Int).Quo(sigma.Num(), sigma.Denom())
	return uint(max(whole.BitLen()-2, 0))
}

// baseRate is 1/(2 (sigma/2^shift)^2).
func (g *Gaussian) baseRate() *big.Rat {
	r := new(big.Rat).SetInt(new(big.Int).Lsh(one, 2*g.shift))
	return r.Mul(r, g.rate)
}

func (g *Gaussian) slopeReal() real {
	r := g.baseRate()
	return func(p uint) interval { return ratInterval(r, p).mul(log2e().narrow(logBits, p), p) }
}

// fillTable computes the table with p bits, and tells whether that was enough.
func (g *Gaussian) fillTable(p uint) bool {
	tails := g.tails(p)
	for b := 1; b < len(tails); b++ {
		t, ok := tails[b].word(p)
		if !ok {
			return false
		}
		g.table = append(g.table, t)
		if t == 0 && b%tableStep == 0 {
			return true
		}
	}
	return false
}

// Fill overwrites dst with independent samples. Its time depends on sigma, on
// len(dst) and on the number of rejected trials, and on nothing else.
func (g *Gaussian) Fill(s *Source, dst []int64) {
	if g.shift > 0 {
		g.fillByTrials(s, dst)
		return
	}
	for len(dst) > 0 {
		n := min(len(dst), 64)
		g.fill64(s, dst[:n], s.Uint64())
		dst = dst[n:]
	}
}

// fill64 draws up to 64 samples with the given signs, when |x| is base.
func (g *Gaussian) fill64(s *Source, dst []int64, signs uint64) {
	for i := range dst {
		r := s.Uint64()
		base, tie := scan(g.table, r)
		if tie != 0 {
			base = g.exactBase(newUniform(s, r))
		}
		dst[i] = int64(signed(base, signs&1))
		signs >>= 1
	}
}

// fillByTrials writes every trial to the next place, and moves on if it was
// accepted.
func (g *Gaussian) fillByTrials(s *Source, dst []int64) {
	for i := 0; i < len(dst); {
		w := s.words(3)
		x, accepted, tie := g.trial(w[0], w[1], w[2])
		if tie != 0 {
			x, accepted = g.exactTrial(s, w[0], w[1], w[2])
		}
		dst[i] = int64(x)
		i += int(accepted)
	}
}

// gaussSlack bounds the error of the mantissa in acceptBounds, in units of 2^-64. Proof:
// docs/proofs/sampler-gaussian.md, lemma 2.
const gaussSlack = 256

// trial decides one candidate in constant time. If tie is not zero, it could
// not, and the rest must not be used.
func (g *Gaussian) trial(baseWord, offsetWord, acceptWord uint64) (x, accepted, tie uint64) {
	base, tie := scan(g.table, baseWord)
	offset := offsetWord & g.mask
	sign := offsetWord & 1
	lo, hi := g.acceptBounds(base, offset)
	_, accepted = bits.Sub64(acceptWord, lo, 0)
	_, rejected := bits.Sub64(hi, acceptWord, 0)
	tie |= accepted + rejected ^ 1
	magnitude := base<<g.shift + offset>>(64-g.shift)
	// Zero has two signs; only one of them counts.
	_, zero := bits.Sub64(magnitude, 1, 0)
	return signed(magnitude, sign), accepted &^ (zero & sign), tie
}

// acceptBounds returns words below and above the probability of acceptance.
// offset is a fraction of 2^shift, and base below 128: a larger one is a tie.
func (g *Gaussian) acceptBounds(base, offset uint64) (lo, hi uint64) {
	energy, _ := bits.Mul64(offset, offset>>8+base<<57) // offset*(offset+2*base) in units of 2^-56
	whole, fraction := bits.Mul64(energy, g.slope)
	k, m := uint(whole>>56)&63, pow2(whole<<8|fraction>>56)
	return (m - gaussSlack) >> k, upShift(m, gaussSlack, k)
}

// signed returns x, or -x if sign is 1.
func signed(x, sign uint64) uint64 { return (x ^ -sign) + sign }
