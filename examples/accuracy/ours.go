package main

import (
	"context"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/purse"
)

// A contender answers a task once, with new noise: by group and column.
type contender func(context.Context) ([][]answer, error)

// A row is one unit in one group.
type row struct{ unit, group int32 }

// ours returns Equipoise as a contender. The loss is an approximate one, so the
// plan takes the noise that is better.
func ours(ctx context.Context, a *asked) (us contender, price aggregate.Price, err error) {
	q := &aggregate.Query[row, int32, int32]{
		Dataset: "accuracy", UnitName: "unit",
		Unit:      func(r row) int32 { return r.unit },
		MaxGroups: a.l0, MaxRowsPerGroup: 1,
	}
	if a.crowd != nil {
		q.Group = func(r row) int32 { return r.group }
	}
	for g := range a.groups {
		q.Groups = append(q.Groups, int32(g))
	}
	columns, read := a.columns(q)
	plan, err := q.Plan(dp.Approx{Epsilon: a.epsilon, Delta: a.delta}, columns...)
	if err != nil {
		return nil, price, err
	}
	part, err := plan.Collect(ctx, aggregate.Slice(a.rows()))
	if err != nil {
		return nil, price, err
	}
	if all := plan.Prices(); len(all) > 0 {
		price = all[0] // of others there are only more of the same
	}
	return func(ctx context.Context) ([][]answer, error) {
		release, err := plan.Release(ctx, purse.Free{}, aggregate.Request{Key: "run", Purpose: "accuracy"}, part)
		if err != nil {
			return nil, err
		}
		var all [][]answer
		for _, cell := range release.All() {
			all = append(all, read(cell))
		}
		return all, nil
	}, price, nil
}

func (a *asked) rows() []row {
	var rows []row
	for u := range a.n {
		if a.crowd == nil {
			rows = append(rows, row{unit: int32(u)})
			continue
		}
		for _, g := range a.crowd[u] {
			rows = append(rows, row{int32(u), g})
		}
	}
	return rows
}

// columns returns the columns of a task, and a function that reads them.
func (a *asked) columns(q *aggregate.Query[row, int32, int32]) ([]aggregate.AnyColumn, func(aggregate.Cell) []answer) {
	var columns []aggregate.AnyColumn
	var readers []func(aggregate.Cell) answer
	add := func(c aggregate.AnyColumn, r func(aggregate.Cell) answer) {
		columns, readers = append(columns, c), append(readers, r)
	}
	if a.values == 0 && !a.bare {
		c := q.Units()
		add(c, reader(c))
	}
	for i := range a.values {
		v := aggregate.PerUnit(q, valueName(i), func(r row) float64 { return a.value(i, r.unit) },
			aggregate.Bounds[float64]{Lower: a.set.Lower, Upper: a.set.Upper, Step: a.set.Step})
		for _, c := range a.ofValue(v) {
			add(c, a.reader(c))
		}
	}
	return columns, func(cell aggregate.Cell) []answer {
		var answers []answer
		for _, r := range readers {
			answers = append(answers, r(cell))
		}
		return answers
	}
}

func (a *asked) ofValue(v *aggregate.Value[float64]) []aggregate.Column[float64] {
	switch a.column {
	case sumColumn:
		return []aggregate.Column[float64]{v.Sum()}
	case meanColumn:
		return []aggregate.Column[float64]{v.Mean()}
	case varianceColumn:
		return []aggregate.Column[float64]{v.Variance()}
	}
	quantile := v.Quantile
	if a.points {
		quantile = v.QuantileWithoutInterval
	}
	var columns []aggregate.Column[float64]
	for _, r := range a.ranks {
		columns = append(columns, quantile(r))
	}
	return columns
}

// value returns a unit's value of a column. Columns after the first hold the same
// numbers for other units.
func (a *asked) value(column int, unit int32) float64 {
	return a.set.values[(int(unit)+column*37)%a.n]
}

func valueName(i int) string { return "value " + string(rune('A'+i)) }

// reader reads a column; without an interval where none was paid for.
func (a *asked) reader(c aggregate.Column[float64]) func(aggregate.Cell) answer {
	read := reader(c)
	return func(cell aggregate.Cell) answer {
		x := read(cell)
		x.interval = !a.points
		return x
	}
}

func reader[T dp.Number](c aggregate.Column[T]) func(aggregate.Cell) answer {
	return func(cell aggregate.Cell) answer {
		e := c.Of(cell)
		low, high := e.Interval(0.95)
		return answer{value: float64(e.Value), low: float64(low), high: float64(high), interval: true, unknown: e.Unknown}
	}
}
