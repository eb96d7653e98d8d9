package questioner

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
)

// drawCuts adds questions about what bounds cut. They have a source of their own, so that the
// rest of a question is what it was.
func (q *question) drawCuts() {
	d := draw{rand.New(rand.NewPCG(q.seed, 31))}
	if !d.chance(0.3) {
		return
	}
	for i, s := range q.values {
		if !d.chance(0.7) {
			continue
		}
		cut := spec{name: cutName(s), perUnit: s.perUnit, lower: int64(0), upper: int64(1), step: int64(0), cuts: &cuts{s, i}}
		q.values = append(q.values, cut)
		for _, what := range []string{"sum", "mean"} {
			if d.chance(0.7) {
				at := d.IntN(len(q.columns) + 1)
				c := column{what: what, value: len(q.values) - 1}
				q.columns = append(q.columns[:at:at], append([]column{c}, q.columns[at:]...)...)
			}
		}
	}
}

// cutName is what the documentation says the value is called.
func cutName(s spec) string {
	return fmt.Sprintf("%s beyond [%s, %s]", s.name, digits12(written(s.lower)), digits12(written(s.upper)))
}

// digits12 writes a number as receipts do: integers whole, all else in twelve digits.
func digits12(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return fmt.Sprintf("%.12g", f)
}

// cutRecords returns 1 for what is cut and 0 for what is not: of rows, or of sums of units.
func (q *question) cutRecords(s *spec, kept []fact) []*big.Rat {
	var all []*big.Rat
	tell := func(cut bool) {
		x := new(big.Rat)
		if cut {
			x.SetInt64(1)
		}
		all = append(all, s.settle(x))
	}
	if !s.perUnit {
		for _, f := range kept {
			r, _ := exactly(f.values[s.cuts.at])
			tell(r == nil || s.cuts.of.beyond(r)) // NaN and infinities are
		}
		return all
	}
	for _, rows := range byUnit(kept) {
		var xs []any
		for _, f := range rows {
			xs = append(xs, f.values[s.cuts.at])
		}
		sum, infinities := addedUp(xs)
		tell(infinities != 0 || s.cuts.of.beyond(sum))
	}
	return all
}

// beyond reports whether a number is nearer to a multiple of the step that is beyond the bounds
// than to those of the bounds.
func (s *spec) beyond(x *big.Rat) bool {
	step := s.cutStep()
	point := func(x *big.Rat) *big.Int { return nearest(new(big.Rat).Quo(x, step)) }
	return point(x).Cmp(point(written(s.lower))) < 0 || point(x).Cmp(point(written(s.upper))) > 0
}

// cutStep is the step that was given; else 1 for integers and, for floats, the power of two that is
// 2^-31 of the width, rounded down; and twice that as often as 2^62 steps do not hold the bounds
// and a step on either side.
func (s *spec) cutStep() *big.Rat {
	step := written(s.step)
	lower, upper := written(s.lower), written(s.upper)
	if step.Sign() == 0 {
		step = big.NewRat(1, 1)
		if reflect.ValueOf(s.lower).CanFloat() {
			width, _ := new(big.Rat).Sub(upper, lower).Float64()
			step.SetFloat64(math.Exp2(math.Floor(math.Log2(width)) - 31))
		}
	}
	for {
		first, last := floor(new(big.Rat).Quo(new(big.Rat).Sub(lower, step), step)), ceil(new(big.Rat).Quo(new(big.Rat).Add(upper, step), step))
		if first.BitLen() <= 62 && last.BitLen() <= 62 && new(big.Int).Sub(last, first).BitLen() <= 62 {
			return step
		}
		step = new(big.Rat).Add(step, step)
	}
}
