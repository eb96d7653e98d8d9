package sample

import (
	"math"
	"math/big"
	"math/bits"
)

// keepSlack bounds the error of bounds, in units of 2^(up-64): that of the
// weight, and one for each rounding.
const keepSlack = decaySlack + 6

// bounds returns words below and above P(n), for n < sure.
func (t *TruncatedGeometric) bounds(n uint64) (lo, hi uint64) {
	distance, above := bits.Sub64(t.cross, n, 0) // above is 1 if n > cross
	k, m := t.decay.weight(signed(distance, above))
	w := m >> k // 0 from k = 64 on
	rise, _ := bits.Mul64(t.rise, w)
	fall, _ := bits.Mul64(t.fall, w)
	p := cutSub(rise, t.shift)&(above-1) | cutSub(t.limit, fall)&-above
	return cutSub(p, keepSlack) << t.up, upLeft(p+keepSlack, t.up)
}

// upLeft returns x<<k, or 2^64-1 if that is too large.
func upLeft(x uint64, k uint) uint64 {
	over, y := bits.Mul64(x, 1<<k)
	_, some := bits.Sub64(0, over, 0)
	return y | -some
}

// tabulate computes the constants of bounds. Rounding down is enough: the slack
// has room for it.
func (t *TruncatedGeometric) tabulate() {
	p := t.guard() + 256
	shift := t.shiftAt(p)
	limit := wholeInterval(1, p).add(shift)
	middle := t.lower(t.cross)(p)
	t.up = uint(limit.hi.BitLen()) - p
	t.shift = t.fixed(shift, p)
	t.limit = t.fixed(limit, p)
	t.rise = t.fixed(middle.add(shift), p)
	t.fall = t.fixed(limit.sub(middle), p)
}

func (t *TruncatedGeometric) fixed(x interval, p uint) uint64 {
	return new(big.Int).Rsh(x.lo, p-64+t.up).Uint64()
}

// probability is P(n): it rises by the factor exp(epsilon) plus delta until
// cross, and mirrored from there on.
func (t *TruncatedGeometric) probability(n uint64) real {
	switch {
	case n <= t.cross:
		return t.lower(n)
	case n < t.sure:
		return t.upper(n - t.cross)
	}
	return whole(1)
}

// lower is delta*(exp(n*epsilon)-1)/(exp(epsilon)-1).
func (t *TruncatedGeometric) lower(n uint64) real {
	power := t.decay.power(n)
	return func(p uint) interval {
		w := p + t.guard()
		up := wholeInterval(1, w).div(power(w), w).sub(wholeInterval(1, w))
		return t.shiftAt(w).mul(up, w).narrow(w, p)
	}
}

// upper is 1+shift - exp(-m*epsilon)*(1+shift-P(cross)). It may exceed 1.
func (t *TruncatedGeometric) upper(m uint64) real {
	middle, power := t.lower(t.cross), t.decay.power(m)
	return func(p uint) interval {
		w := p + t.guard()
		limit := wholeInterval(1, w).add(t.shiftAt(w))
		fall := power(w).mul(limit.sub(middle(w)), w)
		return limit.sub(fall).narrow(w, p)
	}
}

// shiftAt bounds delta/(exp(epsilon)-1) to p bits.
func (t *TruncatedGeometric) shiftAt(p uint) interval {
	e := expNeg(t.decay.rate, p)
	return ratInterval(t.delta, p).mul(e, p).div(wholeInterval(1, p).sub(e), p)
}

// guard is how many bits the formulas above may lose. Too few would cost time
// and not truth.
func (t *TruncatedGeometric) guard() uint {
	tiny := func(r *big.Rat) uint { return uint(max(0, r.Denom().BitLen()-r.Num().BitLen()+1)) }
	e := new(big.Int).Quo(t.decay.rate.Num(), t.decay.rate.Denom())
	return 64 + tiny(t.delta) + 2*tiny(t.decay.rate) + 3*uint(e.Uint64())
}

// beforeCrossing tells whether the first half of the law still holds after m:
// P(m) < (1-delta)/(exp(epsilon)+1).
func (t *TruncatedGeometric) beforeCrossing(m uint64) bool {
	rest := new(big.Rat).Sub(big.NewRat(1, 1), t.delta)
	return smaller(t.lower(m), func(p uint) interval {
		e := expNeg(t.decay.rate, p)
		return ratInterval(rest, p).mul(e, p).div(wholeInterval(1, p).add(e), p)
	})
}

// guesses returns where to look for cross-1 and for sure-cross-1. They come
// from floats and decide nothing: search checks them exactly.
func guesses(epsilon, delta *big.Rat) (cross, sure uint64) {
	e, _ := epsilon.Float64()
	d, _ := delta.Float64()
	growth := math.Expm1(e)
	shift := d / growth
	cross = natural(math.Log((growth+2*d)/((growth+2)*d)) / e)
	middle := shift * math.Expm1(e*float64(cross+1))
	return cross, natural(math.Log((1+shift-middle)/shift) / e)
}

// natural rounds x down to a count, or to 0 if it is none.
func natural(x float64) uint64 {
	if !(x > 0 && x < 1<<60) {
		return 0
	}
	return uint64(x)
}
