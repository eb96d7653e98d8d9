package dp

import (
	"math"

	"github.com/equipoise-dp/equipoise/internal/search"
)

// Over returns the estimate of e / other, for estimates whose noise is independent,
// such as those of two periods and not those of two columns of one vector (see
// [Estimate.Plus]), and other a number that is never negative: less 1 it is
// the change from other to e, as a share. It costs nothing.
//
// It is the ratio of the raw numbers. Its interval holds the ratios r for which the
// interval of e - r·other holds 0 (Fieller 1954; with [Estimate.Minus] for the
// difference), so it holds the true ratio as often as that holds the true difference. It is all that ratios
// can be, at every confidence at which other may be 0, and the estimate is Unknown if
// that is so at 95 %.
func (e Estimate[T]) Over(other Estimate[T]) Estimate[float64] {
	a, b := e.operand(), other.operand()
	q := ratio{a: a, b: b, divisor: b, of: func(r float64) operand { return a.plus(b.times(-r)) }, least: math.Inf(-1), most: math.Inf(1)}
	if a.lo >= 0 {
		q.least = 0
	}
	return q.estimate()
}

// ShareWith returns the estimate of e / (e + rest), for estimates whose noise is
// independent, as for [Estimate.Over], of numbers that are never negative: the share of a group, if rest is all
// other groups together. (The total itself would not do, as the group's noise is in
// it.) It is made like [Estimate.Over].
func (e Estimate[T]) ShareWith(rest Estimate[T]) Estimate[float64] {
	a, b := e.operand(), rest.operand()
	return ratio{a: a, b: b, divisor: a.plus(b), of: func(s float64) operand { return a.times(1 - s).plus(b.times(-s)) }, most: 1}.estimate()
}

// Jointly returns the confidence that each of n intervals needs, so that all of them
// hold together with the given one, whatever they have to do with one another
// (Bonferroni): the band of a line of n numbers, or n changes of which none shall be wrong.
func Jointly(confidence float64, n int) float64 {
	return 1 - (1-confidence)/float64(max(n, 1))
}

// A ratio is the number r at which of(r), which falls as r rises, is 0.
type ratio struct {
	a, b, divisor operand
	of            func(r float64) operand
	least, most   float64 // of r
}

func (q ratio) estimate() Estimate[float64] {
	if q.a.raw.Unknown || q.b.raw.Unknown || !q.positive(0.95) {
		return NewUnknown(q.least, q.most)
	}
	r := q.middle()
	return NewEstimate(r, q.of(r).raw.StdDev/q.divisor.raw.Value, Spread[float64](q)).Within(q.least, q.most)
}

// positive reports whether what is divided by is above 0 for sure.
func (q ratio) positive(confidence float64) bool {
	lo, _ := q.divisor.raw.Interval(confidence)
	return lo > 0
}

// middle is the quotient of the raw numbers.
func (q ratio) middle() float64 { return q.a.raw.Value / q.divisor.raw.Value }

// Interval implements Spread. Where the divisor is positive for sure, half-widths of
// of(r) grow more slowly with r than its value falls, so that either end of its
// interval crosses 0 once.
func (q ratio) Interval(confidence float64) (lo, hi float64) {
	if !(confidence < 1) || !q.positive(confidence) {
		return q.least, q.most
	}
	ends := func(r float64) (lo, hi float64) { return q.of(r).raw.Interval(confidence) }
	middle, near := q.middle(), search.Relative(1e-12)
	return search.Quotient(middle, math.Inf(-1), near, func(r float64) bool { lo, _ := ends(r); return lo > 0 }),
		search.Quotient(middle, math.Inf(1), near, func(r float64) bool { _, hi := ends(r); return hi < 0 })
}

// times returns k times an operand.
func (o operand) times(k float64) operand {
	if k < 0 {
		return o.negative().times(-k)
	}
	raw := Estimate[float64]{Value: k * o.raw.Value, StdDev: k * o.raw.StdDev, Unknown: o.raw.Unknown, spread: scaled{k, o.raw}}
	return operand{raw: raw, lo: product(k, o.lo), hi: product(k, o.hi), rawRange: [2]float64{product(k, o.rawRange[0]), product(k, o.rawRange[1])}}
}

// product is k·x, and 0 if k is.
func product(k, x float64) float64 {
	if k == 0 {
		return 0
	}
	return k * x
}

type scaled struct {
	by float64
	of Estimate[float64]
}

// Interval implements Spread.
func (s scaled) Interval(confidence float64) (lo, hi float64) {
	lo, hi = s.of.Interval(confidence)
	return product(s.by, lo), product(s.by, hi)
}

// plus returns the sum of operands, as the noise left it.
func (o operand) plus(other operand) operand {
	raw := NewEstimate(o.raw.Value+other.raw.Value, math.Hypot(o.raw.StdDev, other.raw.StdDev), Spread[float64](sum{o, other}))
	return operand{raw: raw, lo: o.lo + other.lo, hi: o.hi + other.hi, rawRange: [2]float64{o.rawRange[0] + other.rawRange[0], o.rawRange[1] + other.rawRange[1]}}
}
