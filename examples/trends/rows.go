package main

import (
	"io"
	"iter"
	"math"
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

// rows yields the rows, each in its period.
func (o *options) rows(r *csvfile.Reader) iter.Seq2[row, error] {
	periods := make(map[csvfile.Date]string)
	return func(yield func(row, error) bool) {
		for read, err := range r.Rows() {
			period := periods[read.Date]
			if period == "" && err == nil {
				day := time.Date(read.Date.Year, read.Date.Month, read.Date.Day, 0, 0, 0, 0, time.UTC)
				period = o.Period.name(o.Period.start(day))
				periods[read.Date] = period
			}
			if !yield(row{read.Unit, slot{period, read.Group}, read.Value}, err) {
				return
			}
		}
	}
}
