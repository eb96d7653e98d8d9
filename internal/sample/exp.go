package sample

import (
	"math/big"
	"sync"
)

// expNeg bounds exp(-r) for r >= 0 to p bits. Proof:
// docs/proofs/sampler-exponential.md, "Bounds of the exponential".
func expNeg(r *big.Rat, p uint) interval {
	if r.Cmp(new(big.Rat).SetInt64(int64(p))) > 0 { // exp(-p) < 2^-p
		return interval{new(big.Int), one}
	}
	whole := new(big.Int).Quo(r.Num(), r.Denom())
	halvings := uint(whole.BitLen()+8) + sqrt(p) // as many squarings as terms of the series
	w := p + halvings + 24
	small := new(big.Rat).SetFrac(r.Num(), new(big.Int).Lsh(r.Denom(), halvings))
	e := wholeInterval(1, w).div(expSeries(ratInterval(small, w), w), w)
	for range halvings {
		e = e.mul(e, w)
	}
	return e.narrow(w, p)
}

func sqrt(p uint) uint {
	x := new(big.Int).SetUint64(uint64(p))
	return uint(x.Sqrt(x).Uint64())
}

// expSeries bounds exp(y) for 0 <= y <= 2^-8 by its Taylor series. The terms
// fall by more than half each time, so what is left out is below the last term.
func expSeries(y interval, p uint) interval {
	sum, term := wholeInterval(1, p), wholeInterval(1, p)
	for n := int64(1); ; n++ {
		term = term.mul(y, p).divWhole(n, p)
		sum = sum.add(term)
		if term.hi.Cmp(one) <= 0 {
			sum.hi.Add(sum.hi, one)
			return sum
		}
	}
}

// ln2 bounds the natural logarithm of 2, which is 2 artanh(1/3), to p bits.
func ln2(p uint) interval {
	sum, power := wholeInterval(0, p), wholeInterval(2, p).divWhole(3, p)
	for n := int64(1); ; n += 2 {
		term := power.divWhole(n, p)
		sum = sum.add(term)
		power = power.divWhole(9, p)
		if term.hi.Cmp(one) <= 0 { // the rest is below an eighth of this term
			sum.hi.Add(sum.hi, one)
			return sum
		}
	}
}

// logBits is the precision at which log2e is kept.
const logBits = 1024

// log2e is 1/ln 2, the factor from nats to bits.
var log2e = sync.OnceValue(func() interval {
	return wholeInterval(1, logBits).div(ln2(logBits), logBits)
})
