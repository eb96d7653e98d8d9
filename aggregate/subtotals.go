package aggregate

import (
	"iter"

	"github.com/equipoise-dp/equipoise/dp"
)

// Subtotals returns the totals of a count, a number of units or a sum over the groups that have
// the same field, such as all months of a region, in the order in which these are first in the release. They are made
// as [Total] makes one, of the same noisy numbers, and cost nothing. So the raw numbers of all sub-totals, over whichever field, add up to
// that of the total of the release, and sub-totals over two fields to those over one.
func Subtotals[T dp.Number, Group, Field comparable](r *Release[Group], c Column[T], field func(Group) Field) (iter.Seq2[Field, dp.Estimate[T]], error) {
	var fields []Field
	groups := map[Field][]Group{}
	for g := range r.All() {
		f := field(g)
		if groups[f] == nil {
			fields = append(fields, f)
		}
		groups[f] = append(groups[f], g)
	}
	totals := make([]dp.Estimate[T], len(fields))
	for i, f := range fields {
		var err error
		if totals[i], err = Total(r, c, groups[f]...); err != nil {
			return nil, err
		}
	}
	return func(yield func(Field, dp.Estimate[T]) bool) {
		for i, f := range fields {
			if !yield(f, totals[i]) {
				return
			}
		}
	}, nil
}

// AtLeast yields the groups of a release whose noisy number in a column is at least that, and leaves out
// the others, as a report does that shows no small numbers. It reads what was released and costs nothing; whoever has the
// release sees what it leaves out. Of those that are yielded numbers near the least are too large on average, so their
// intervals hold less often than they say.
func AtLeast[T dp.Number, Group comparable](r *Release[Group], c Column[T], least T) iter.Seq2[Group, Cell] {
	return func(yield func(Group, Cell) bool) {
		for g, cell := range r.All() {
			if c.Of(cell).Value >= least && !yield(g, cell) {
				return
			}
		}
	}
}
