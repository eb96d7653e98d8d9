package sample

import (
	"math/big"
	"math/bits"
	"slices"
)

// Geometric variables are drawn in base 4, one random word a digit. A smaller
// base costs more words, a larger one more comparisons. The top digit may be
// larger than the base.
const (
	digitBits  = 2
	digitBase  = 1 << digitBits
	maxDigits  = 24 // enough for scales up to 2^42
	topEntries = 8
)

// digits is the law of a geometric variable, P(x) = (1-q) q^x for x >= 0 with
// q = exp(-rate), as independent digits. The i-th low digit is geometric with
// parameter q^(4^i), truncated at 4; the top digit is not truncated. Proof:
// docs/proofs/sampler-laplace.md, theorem 1.
type digits struct {
	rate *big.Rat
	// low[n-1-i][j-1] is the first word of P(digit i >= j).
	low [][digitBase - 1]uint64
	// top[j-1] is the first word of P(top digit >= j); the last one is 0, so
	// that a larger digit is not missed: it meets the word 0, which is a tie.
	top []uint64
}

func newDigits(rate *big.Rat) *digits {
	d := &digits{rate: rate}
	for p := uint(256); !d.fill(p); p *= 2 {
		d.low, d.top = nil, nil
	}
	return d
}

// fill computes the tables with p bits, and tells whether that was enough.
func (d *digits) fill(p uint) bool {
	q := expNeg(d.rate, p)
	for range maxDigits {
		if !d.fillTop(q, p) {
			return false
		}
		if len(d.top) <= topEntries {
			return true
		}
		if !d.fillLow(q, p) {
			return false
		}
		for range digitBits {
			q = q.mul(q, p)
		}
	}
	panic("sample: internal error: a geometric variable has too many digits")
}

func (d *digits) fillTop(q interval, p uint) bool {
	d.top = d.top[:0]
	power := q
	for len(d.top) <= topEntries {
		t, ok := power.word(p)
		if !ok {
			return false
		}
		d.top = append(d.top, t)
		if t == 0 && len(d.top)%tableStep == 0 {
			return true
		}
		power = power.mul(q, p)
	}
	return true
}

func (d *digits) fillLow(q interval, p uint) bool {
	var row [digitBase - 1]uint64
	for j := range row {
		t, ok := digitTail(q, j+1, p).word(p)
		if !ok {
			return false
		}
		row[j] = t
	}
	d.low = slices.Insert(d.low, 0, row)
	return true
}

// digitTail is P(digit >= j) = (q^j + ... + q^3) / (1 + q + q^2 + q^3).
func digitTail(q interval, j int, p uint) interval {
	power, tail, all := wholeInterval(1, p), wholeInterval(0, p), wholeInterval(0, p)
	for i := range digitBase {
		all = all.add(power)
		if i >= j {
			tail = tail.add(power)
		}
		power = power.mul(q, p)
	}
	return tail.div(all, p)
}

// words is how many random words a variable takes.
func (d *digits) words() int { return len(d.low) + 1 }

// draw turns words into a variable, from the top digit down. Its time depends
// on the table alone. If tie is not zero, some word left its digit undecided
// and value must not be used.
func (d *digits) draw(w []uint64) (value, tie uint64) {
	value, tie = scan(d.top, w[0])
	low := d.low
	nearest := uint64(1) // 0 once word-threshold was 0
	w = w[1:][:len(low)]
	for i, r := range w {
		t := &low[i]
		d0, b0 := bits.Sub64(r, t[0], 0)
		d1, b1 := bits.Sub64(r, t[1], 0)
		d2, b2 := bits.Sub64(r, t[2], 0)
		value, _ = bits.Add64(value<<digitBits, 0, b0)
		value, _ = bits.Add64(value, 0, b1)
		value, _ = bits.Add64(value, 0, b2)
		nearest = min(nearest, min(d0, d1), d2)
	}
	return value, tie | isZero(nearest)
}

// exact draws the same variable as draw from the same words, and reads further
// random bits where they leave a digit open.
func (d *digits) exact(s *Source, w []uint64) uint64 {
	n := len(d.low)
	value := d.exactTop(newUniform(s, w[0]), n)
	for i := n - 1; i >= 0; i-- {
		u, digit := newUniform(s, w[n-i]), uint64(0)
		for j := 1; j < digitBase && u.less(d.tail(i, j)); j++ {
			digit++
		}
		value = value<<digitBits + digit
	}
	return value
}

// exactTop counts the powers of q^(4^n) above u. There is no bound to them, so
// the count may exceed the table. The loop ends as u is positive.
func (d *digits) exactTop(u *uniform, n int) uint64 {
	for j := uint64(1); ; j++ {
		r := d.scaled(n)
		r.Mul(r, new(big.Rat).SetInt(new(big.Int).SetUint64(j)))
		if !u.less(func(p uint) interval { return expNeg(r, p) }) {
			return j - 1
		}
	}
}

func (d *digits) tail(i, j int) real {
	r := d.scaled(i)
	return func(p uint) interval {
		w := p + 16
		return digitTail(expNeg(r, w), j, w).narrow(w, p)
	}
}

// scaled is rate * 4^i.
func (d *digits) scaled(i int) *big.Rat {
	r := new(big.Rat).SetInt(new(big.Int).Lsh(one, uint(i)*digitBits))
	return r.Mul(r, d.rate)
}
