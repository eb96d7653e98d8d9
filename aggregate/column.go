package aggregate

import (
	"fmt"

	"github.com/equipoise-dp/equipoise/dp"
)

// A Column is one number asked for every group; T is its type. Columns are
// comparable values.
type Column[T dp.Number] struct{ column }

// An AnyColumn is a [Column] of any type.
type AnyColumn interface {
	fmt.Stringer
	id() column
}

// Of returns the estimate of the column in a group, within the range that public
// facts allow. It reads what was released and costs nothing. It panics if the column
// is not in the plan that made the cell, which is a mistake of the program.
func (c Column[T]) Of(cell Cell) dp.Estimate[T] {
	i := c.answer(cell)
	a := &cell.of.plan.answers[i]
	q, known := a.quickly(cell)
	value := T(q.value)
	if known && a.integer() {
		value = T(q.whole)
		known = int64(value) == q.whole && (value < 0) == (q.whole < 0)
	}
	if !known {
		return typed[T](cell.estimate(*a))
	}
	e := dp.NewEstimateAt(value, q.stdDev, spreads[T]{cell.of}, cell.at*len(cell.of.plan.answers)+i)
	e.Unknown = q.unknown
	return e
}

// spreads are those of all columns of all cells, cell by cell: from rationals.
type spreads[T dp.Number] struct{ of *results }

// At is for [dp.NewEstimateAt].
func (s spreads[T]) At(i int) dp.Spread[T] {
	n := len(s.of.plan.answers)
	return wholly[T]{typed[T](Cell{s.of, i / n}.estimate(s.of.plan.answers[i%n]))}
}

// A wholly is an estimate that was read from rationals, as a spread.
type wholly[T dp.Number] struct{ dp.Estimate[T] }

// answer returns which answer of its plan the column is.
func (c Column[T]) answer(cell Cell) int {
	if plan := cell.plan(); plan != nil {
		if i := plan.answerOf(c.column); i >= 0 {
			return i
		}
	}
	panic(fmt.Sprintf("aggregate: column %v is not in the plan of this cell", c))
}

// Weighted is a column that gets more of the loss, or less, than columns of
// weight 1 do: a measure's share is its weight among the weights of all. A measure
// that answers several columns takes the largest of their weights.
//
//	plan, err := q.Plan(loss, count, aggregate.Weighted{AnyColumn: total.Sum(), Weight: 3})
type Weighted struct {
	AnyColumn
	Weight float64 // positive; 1 is what other columns have
}

// A kind says what a column asks. The zero kind is none.
type kind int

const (
	kindCount kind = 1 + iota
	kindUnits
	kindSum
	kindMean
	kindVariance
	kindStdDev
	kindQuantile
	kindDistinct
)

var kindNames = map[kind]string{
	kindCount: "count", kindUnits: "units", kindSum: "sum", kindMean: "mean",
	kindVariance: "variance", kindStdDev: "standard deviation", kindDistinct: "distinct values",
}

type column struct {
	query any    // the *Query it belongs to
	value *value // what it is about, or nil
	kind  kind
	rank  float64 // of a quantile
	bare  bool    // a quantile without an interval
}

func (c column) id() column { return c }

// String returns a name such as "total mean" or "total p95".
func (c column) String() string {
	switch {
	case c.kind == kindQuantile:
		return fmt.Sprintf("%s p%g", c.value.name, c.rank*100)
	case c.value != nil:
		return c.value.name + " " + kindNames[c.kind]
	}
	return kindNames[c.kind]
}
