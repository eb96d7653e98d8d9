package aggregate

import (
	"fmt"
	"math"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/matrix"
	"github.com/equipoise-dp/equipoise/internal/normal"
	"github.com/equipoise-dp/equipoise/internal/search"
)

// Difference returns how much larger a count or a sum is over one stretch than over
// another. Its interval allows for the noise that the two share.
func Difference[T dp.Number, Group comparable](t *Trend[Group], c Column[T], of, from Stretch[Group]) (dp.Estimate[float64], error) {
	two, err := t.compare(c.column, of, from)
	if err != nil {
		return dp.Estimate[float64]{}, err
	}
	cell := t.cell(two.plus, two.minus, two.v, two.w)
	return typed[float64](cell.estimate(cell.plan().answers[two.answer])), nil
}

// Ratio returns a count or a sum over one stretch divided by that over another: 1.05 is
// 5 % more than the quarter before, and 0.2 a fifth of all groups. Its interval is
// Fieller's, and allows for the noise that the two share: all ratios that the noise
// does not refute (Fieller 1954). It is unknown if at 95 % the noise does not refute that the
// denominator is 0, and where what is never negative was left far below 0 as the denominator.
func Ratio[T dp.Number, Group comparable](t *Trend[Group], c Column[T], of, to Stretch[Group]) (dp.Estimate[float64], error) {
	two, err := t.compare(c.column, of, to)
	if err != nil {
		return dp.Estimate[float64]{}, err
	}
	r := ratio{sources: t.sources(append(two.plus[:len(two.plus):len(two.plus)], two.minus...)...)(t.core.answers[two.answer])}
	numerator, denominator := t.cell(two.plus, nil, two.v, matrix.Span{}), t.cell(two.minus, nil, two.w, matrix.Span{})
	n, d := numerator.linear(numerator.plan().answers[two.answer]), denominator.linear(denominator.plan().answers[two.answer])
	r.n, _ = n.value.Float64()
	r.d, _ = d.value.Float64()
	r.nn, r.dd = n.stdDev*n.stdDev, d.stdDev*d.stdDev
	m := t.core.sharedOf(two.answer)
	if v := m.variance(two.minus, nil, two.w, matrix.Span{}); v > 0 {
		r.nd = r.dd * m.covariance(two.plus, two.minus, two.v, two.w) / v
	}
	least := math.Inf(-1)
	if within := t.core.answers[two.answer].within; within.least != nil && within.least.Sign() == 0 {
		least = 0
	}
	lo, hi := r.Interval(0.95)
	if math.IsInf(lo, -1) || math.IsInf(hi, 1) || r.d < least {
		return dp.NewUnknown(least, math.Inf(1)), nil
	}
	e := dp.NewEstimate(r.n/r.d, (hi-lo)/2/normal.Within(0.95), dp.Spread[float64](r))
	return e.Within(least, math.Inf(1)), nil
}

// two is a comparison of a column over two stretches.
type two struct {
	answer      int
	plus, minus []int
	v, w        matrix.Span
}

func (t *Trend[Group]) compare(c column, a, b Stretch[Group]) (two, error) {
	answer := t.core.answerOf(c)
	if answer < 0 {
		return two{}, fmt.Errorf("aggregate: column %v is not in the series", c)
	}
	if c.kind != kindCount && c.kind != kindUnits && c.kind != kindSum {
		return two{}, fmt.Errorf("aggregate: column %v is no count and no sum, so it has no exact comparison; compare what Over returns", c)
	}
	plus, err := t.groups(a)
	if err != nil {
		return two{}, err
	}
	minus, err := t.groups(b)
	return two{answer: answer, plus: plus, minus: minus, v: matrix.Span{From: a.From, To: a.To}, w: matrix.Span{From: b.From, To: b.To}}, err
}

// sharedOf returns the measure that answers a column.
func (c *seriesCore) sharedOf(answer int) *shared {
	for _, m := range c.measures {
		if m.measure == c.answers[answer].measure {
			return m
		}
	}
	panic("aggregate: internal error: a column without a measure")
}

// ratio is the spread of n/d, for jointly normal n and d with these variances.
type ratio struct {
	n, d, nn, nd, dd float64
	sources          []any
}

// Sources is for [dp.Spread].
func (r ratio) Sources() []any { return r.sources }

// Interval implements dp.Spread: the θ with (n - θd)² ≤ z²(nn - 2θnd + θ²dd), which are no
// interval where d may be 0.
func (r ratio) Interval(confidence float64) (lo, hi float64) {
	z := normal.Within(max(confidence, 0))
	if !(confidence < 1) || !(r.d*r.d > z*z*r.dd) {
		return math.Inf(-1), math.Inf(1)
	}
	refuted := func(θ float64) bool {
		return math.Abs(r.n-θ*r.d) > z*math.Sqrt(max(r.nn-2*θ*r.nd+θ*θ*r.dd, 0))
	}
	middle, near := r.n/r.d, search.Relative(1e-12)
	return search.Quotient(middle, math.Inf(-1), near, refuted), search.Quotient(middle, math.Inf(1), near, refuted)
}
