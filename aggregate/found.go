package aggregate

import (
	"math"
	"math/big"
	"strconv"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// FoundBounds are the noisy numbers of votes by size, which a [BoundsPlan] released. They are
// public, and what is read of them costs nothing.
type FoundBounds[T dp.Number] struct {
	release *Release[int]
	value   *value
	sizes   *sizes
	units   Column[int64]
}

// Release returns what was released: the receipt, and for each size the number of votes. A size
// is 0 for values of 0; h+1 for those of up to 2^(h/2) steps, the receipt says of what, and
// above the sizes before; and -h-1 for values below 0.
func (f *FoundBounds[T]) Release() *Release[int] { return f.release }

// For returns bounds for sums of so many records, to which noise of so many records of full
// size will be added (standard deviation): those with the least error, as far as the votes
// tell, of what they cut off and of noise together. Noise is the [Price].StdDev of a sum, as a share
// of its larger bound, which hardly depends on the bound. Where too few votes are to be seen, sizes
// are taken to go on as what is seen ends: as a law whose logarithm is a parabola. How good bounds are
// thus depends on the rows; the privacy of what is done with them does not.
//
// It reports false if the votes are too few to tell, or nearly all are for 0. A bound is within
// those of the value that was searched. It is 0 on a side of 0 where too few votes are to be
// seen, or the value's own if that is beyond 0.
func (f *FoundBounds[T]) For(records, noise float64) (b Bounds[T], ok bool) {
	t := f.tally()
	if !(records > 0) || !(noise > 0) || !t.seen() {
		return b, false
	}
	t.goOn()
	largest := t.best(f.sizes, records, noise)
	upper, lower := new(big.Rat), new(big.Rat)
	if t.above {
		upper = exact.Decimal(largest)
	}
	if t.below {
		lower.Neg(exact.Decimal(largest))
	}
	within := span{f.value.lower, f.value.upper}
	upper, lower = within.clamp(upper), within.clamp(lower)
	if f.value.asked != nil {
		b.Step = toNumber[T](f.value.asked, 0)
	}
	b.Lower, b.Upper = toNumber[T](lower, 0), toNumber[T](upper, 0)
	return b, b.Lower < b.Upper
}

// tally adds up both signs.
func (f *FoundBounds[T]) tally() *votesSeen {
	t := &votesSeen{counts: make([]float64, max(f.sizes.last, -f.sizes.first)+roomForMore)}
	sides := [2][]float64{make([]float64, len(t.counts)), make([]float64, len(t.counts))}
	for size, cell := range f.release.All() {
		e := f.units.Of(cell)
		n := e.Raw().Value
		t.noise = max(t.noise, e.StdDev/math.Sqrt2)
		switch {
		case size > 0:
			sides[0][size-1] = n
		case size < 0:
			sides[1][-size-1] = n
		}
		if n > clearly*t.noise {
			t.all += n
		}
	}
	t.above, t.below = t.visible(sides[0]), t.visible(sides[1])
	if t.above && t.below {
		t.noise *= math.Sqrt2 // they are added up
	}
	for i, side := range [2]bool{t.above, t.below} {
		for h := range t.counts {
			if side {
				t.counts[h] += sides[i][h]
			}
		}
	}
	return t
}

// rounded returns a number of three digits that is nearest to x.
func rounded(x float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64)
	if err != nil {
		return x
	}
	return r
}
