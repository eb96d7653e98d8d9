package sample

import (
	"fmt"
	"math/big"
	"math/bits"
)

// Segment is a run of candidates with the same cost.
type Segment struct {
	Length uint64 // number of candidates; 0 is never chosen
	Cost   int64  // the lower, the likelier
}

// maxTotal bounds the number of candidates, so that sums of weights fit 128 bits.
const maxTotal = 1 << 62

// Choose draws one candidate by the exponential mechanism of McSherry and
// Talwar (2007): each has a probability proportional to exp(-rate*cost). It
// returns the segment and the place in it. The law is exact. Lengths must sum
// to 1..2^62; anything else is an error. Proof:
// docs/proofs/sampler-exponential.md, theorem 3.
func (d *Decay) Choose(s *Source, segments []Segment) (segment int, offset uint64, err error) {
	total, least, err := measure(segments)
	if err != nil {
		return 0, 0, err
	}
	c := newChooser(d, s.weights, total)
	for _, seg := range segments {
		c.push(seg.Length, uint64(seg.Cost)-uint64(least))
	}
	s.weights = c.weights
	i := c.draw(s, func(i int) (uint64, uint64) {
		return segments[i].Length, uint64(segments[i].Cost) - uint64(least)
	})
	return i, s.Below(segments[i].Length), nil
}

// measure returns the total length and the least cost.
func measure(segments []Segment) (total uint64, least int64, err error) {
	for _, seg := range segments {
		if seg.Length > maxTotal-total {
			return 0, 0, fmt.Errorf("sample: lengths sum to more than 2^62, must sum to 1..2^62")
		}
		if seg.Length > 0 && (total == 0 || seg.Cost < least) {
			least = seg.Cost
		}
		total += seg.Length
	}
	if total == 0 {
		return 0, 0, fmt.Errorf("sample: lengths sum to 0, must sum to 1..2^62")
	}
	return total, least, nil
}

// chooser draws an index with probability proportional to length*exp(-rate*gap).
// Every weight is kept in units of 2^-(64+up), with a relative error below
// 2^-57 and an absolute error below 2.
type chooser struct {
	decay   *Decay
	up      uint // lengths are shifted up to use the 128 bits
	weights []uint128
	sum     uint128
}

// newChooser returns a chooser that writes its weights over others.
func newChooser(d *Decay, over []uint128, total uint64) *chooser {
	return &chooser{decay: d, up: uint(bits.LeadingZeros64(total)) - 1, weights: over[:0]}
}

func (c *chooser) push(length, gap uint64) {
	k, m := c.decay.weight(gap)
	hi, lo := bits.Mul64(length<<c.up, m)
	w := uint128{hi, lo}.rsh(k)
	if len(c.weights) == cap(c.weights) { // and what would be left behind is set to zero
		larger := append(make([]uint128, 0, 2*cap(c.weights)+8), c.weights...)
		clear(c.weights)
		c.weights = larger
	}
	c.weights = append(c.weights, w)
	c.sum = c.sum.add(w)
}

// draw inverts the distribution function at a uniform of 128 bits. It reads all
// weights, whatever it finds. Where a partial sum is too near to tell, it
// starts again with bounds as narrow as it takes.
func (c *chooser) draw(s *Source, item func(i int) (length, gap uint64)) int {
	u := uint128{s.Uint64(), s.Uint64()}
	target := u.mulHigh(c.sum)
	slack := c.slack()
	var sum uint128
	var below, above uint64
	for _, w := range c.weights[:len(c.weights)-1] {
		sum = sum.add(w)
		below += sum.add(slack).less(target)
		above += target.add(slack).less(sum)
	}
	if below+above == uint64(len(c.weights)-1) {
		return int(below)
	}
	return c.exact(newUniform(s, u.hi, u.lo), item)
}

// slack bounds how far target and a partial sum may be off together: twice
// sum*2^-57 + 2n + 2, and a unit for each rounding here.
func (c *chooser) slack() uint128 {
	return c.sum.rsh(55).add(uint128{0, 8 * uint64(len(c.weights)+1)})
}

// exact finds the index for a uniform by intervals of growing precision.
func (c *chooser) exact(u *uniform, item func(i int) (length, gap uint64)) int {
	for {
		least, most := bracket(u, c.partialSums(u.n+128, item))
		if least == most {
			return least
		}
		u.push(u.s.Uint64())
	}
}

func (c *chooser) partialSums(p uint, item func(i int) (length, gap uint64)) []interval {
	sums := make([]interval, len(c.weights))
	sum := wholeInterval(0, p)
	for i := range sums {
		if length, gap := item(i); length > 0 {
			n := new(big.Int).SetUint64(length)
			e := c.decay.power(gap)(p)
			sum = sum.add(interval{e.lo.Mul(e.lo, n), new(big.Int).Mul(e.hi, n)})
		}
		sums[i] = sum
	}
	return sums
}

// bracket counts the partial sums that are certainly, and possibly, at most u
// times the last one.
func bracket(u *uniform, sums []interval) (least, most int) {
	total := sums[len(sums)-1]
	low := new(big.Int).Mul(u.bits, total.lo)
	high := new(big.Int).Add(u.bits, one)
	high.Mul(high, total.hi)
	for _, sum := range sums[:len(sums)-1] {
		if new(big.Int).Lsh(sum.hi, u.n).Cmp(low) <= 0 {
			least++
		}
		if new(big.Int).Lsh(sum.lo, u.n).Cmp(high) < 0 {
			most++
		}
	}
	return least, most
}
