package main

import (
	"fmt"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// Together is what adds up over the periods of a group: how many rows there were, and what
// they were worth. Units do not, since one that was active in two periods would be two.
// It costs nothing, and is nearer to the truth, as a part of it, than any of the periods.
func (q *question) together(r *aggregate.Release[slot], g *group) (err error) {
	var of []slot
	for _, c := range g.Rows {
		of = append(of, slot{c.Period, g.Name})
	}
	if len(of) < 2 {
		return nil
	}
	for _, quantity := range q.quantities {
		var sum *figure
		if quantity.total != nil {
			f, err := quantity.total(r, of)
			if err != nil {
				return err
			}
			sum = &f
		}
		g.Together = append(g.Together, sum)
	}
	return nil
}

// adds is a quantity that adds up over periods.
func adds[T dp.Number](q quantity, c aggregate.Column[T]) quantity {
	q.total = func(r *aggregate.Release[slot], of []slot) (figure, error) {
		e, err := aggregate.Total(r, c, of...)
		return figureOf(e, single), err
	}
	return q
}

// writeTogether prints what adds up over the periods of a group.
func (r *report) writeTogether(p pen, g group) {
	for i, f := range g.Together {
		if f != nil {
			w := r.FigureWords(i, *f)
			fmt.Fprintf(p, "%s\n", p.faint(fmt.Sprintf("all of these %s together: %s %s %s", plural(string(r.Period)), r.Quantities[i].Label, w.Value, w.interval())))
		}
	}
}
