package dp

import (
	"math"

	"github.com/equipoise-dp/equipoise/internal/search"
)

// Over returns the estimate of e / other, and other a number that is never negative: less
// 1 it is the change from other to e, as a share. It costs nothing.
//
// It is the ratio of the raw numbers. Its interval holds the ratios r for which the
// interval of e - r·other holds 0 (Fieller 1954; with [Estimate.Minus] for the
// difference), so it holds the true ratio as often as that holds the true difference. It is all that ratios
// can be, at every confidence at which other may be 0, and the estimate is Unknown if
// that is so at 95 %.
func (e Estimate[T]) Over(other Estimate[T]) Estimate[float64] {
	a, b := e.operand(), other.operand()
	q := ratio{a: a, b: b, divisor: sumOf(a.times(0), b), of: func(r float64) operand { return sumOf(a, b.times(-r)) }, least: math.Inf(-1), most: math.Inf(1)}
	if a.lo >= 0 {
		q.least = 0
	}
	return q.estimate()
}

// ShareWith returns the estimate of e / (e + rest), of numbers that are never negative: the
// share of a group, if rest is all other groups together. (Of the total itself, which has
// the group's noise in it, little would be known.) It is made like [Estimate.Over].
func (e Estimate[T]) ShareWith(rest Estimate[T]) Estimate[float64] {
	a, b := e.operand(), rest.operand()
	return ratio{a: a, b: b, divisor: sumOf(a, b), of: func(s float64) operand { return sumOf(a.times(1-s), b.times(-s)) }, most: 1}.estimate()
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
// interval crosses 0 once. Where the two share noise, positive asks for what the divisor is
// at the confidence at which both hold.
func (q ratio) Interval(confidence float64) (lo, hi float64) {
	if !(confidence < 1) || !q.positive(confidence) {
		return q.least, q.most
	}
	ends := func(r float64) (lo, hi float64) { return q.of(r).raw.Interval(confidence) }
	middle, near := q.middle(), search.Relative(1e-12)
	return search.Quotient(middle, math.Inf(-1), near, func(r float64) bool { lo, _ := ends(r); return lo > 0 }),
		search.Quotient(middle, math.Inf(1), near, func(r float64) bool { _, hi := ends(r); return hi < 0 })
}

// Sources is for [Spread].
func (q ratio) Sources() []any { return append(q.a.raw.sources(), q.b.raw.sources()...) }
