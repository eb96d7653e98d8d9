package main

import (
	"io"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/equipoise-dp/equipoise/examples/trends/internal/csvfile"
)

// A row is what the report asks of a line: whose it is, the slot of the report
// that it belongs to, and its value.
type row struct {
	Unit  string
	Slot  slot
	Value float64
}

// A slot is a cell of the report's grid: a period and, with -by, a group.
type slot struct{ Period, Group string }

// maxRowsRead is how many rows of one unit in one cell are read: all of them.
// Everything that is asked is bounded per unit, so it costs no noise.
const maxRowsRead = math.MaxInt

// reader reads the header of the input.
func (o *options) reader(r io.Reader) (*csvfile.Reader, error) {
	return csvfile.NewReader(o.inputName(), r, o.Format, csvfile.Columns{Unit: o.Unit, Time: o.Time, Value: o.Value, Group: o.By})
}

// rows yields the rows, each in its period: those of the public range, if there is
// one, so that no group is selected outside it.
func (o *options) rows(r *csvfile.Reader) iter.Seq2[row, error] {
	periods := make(map[csvfile.Date]string) // "" is outside the range
	return func(yield func(row, error) bool) {
		for read, err := range r.Rows() {
			period, known := periods[read.Date]
			if !known && err == nil {
				period = o.periodOf(read.Date)
				periods[read.Date] = period
			}
			if err == nil && period == "" {
				continue
			}
			if !yield(row{read.Unit, slot{period, read.Group}, read.Value}, err) {
				return
			}
		}
	}
}

// periodOf returns the period of a day, and nothing if it is outside the range.
func (o *options) periodOf(d csvfile.Date) string {
	period := o.Period.name(o.Period.start(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)))
	if o.periods != nil && !slices.Contains(o.periods, period) {
		return ""
	}
	return period
}
