package main

import (
	"iter"
	"math"
	"slices"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate/rows"
)

// A row is what the report asks of a line: whose it is, the slot of the report
// that it belongs to, and its value.
type row struct {
	Unit  rows.ID
	Slot  slot
	Value float64
}

// A slot is a cell of the report's grid: a period and, with -by, a group.
type slot struct{ Period, Group string }

// maxRowsRead is how many rows of one unit in one cell are read: all of them.
// Everything that is asked is bounded per unit, so it costs no noise.
const maxRowsRead = math.MaxInt

// A line is what is read of the input.
type line struct {
	Unit  rows.ID // the name is not kept
	Date  rows.Date
	Value float64
	Group string `rows:",asis"` // a blank is a group too
}

// inSlots yields lines as rows, each in its period: those of the public range, if there
// is one, so that no group is selected outside it.
func (o *options) inSlots(lines iter.Seq2[line, error]) iter.Seq2[row, error] {
	periods := make(map[rows.Date]string) // "" is outside the range
	return func(yield func(row, error) bool) {
		for l, err := range lines {
			if err != nil {
				yield(row{}, inputError{err})
				return
			}
			period, known := periods[l.Date]
			if !known {
				period = o.periodOf(l.Date)
				periods[l.Date] = period
			}
			if period == "" {
				continue
			}
			if !yield(row{l.Unit, slot{period, l.Group}, l.Value}, nil) {
				return
			}
		}
	}
}

// periodOf returns the period of a day, and nothing if it is outside the range.
func (o *options) periodOf(d rows.Date) string {
	period := o.Period.name(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC))
	if o.periods != nil && !slices.Contains(o.periods, period) {
		return ""
	}
	return period
}
