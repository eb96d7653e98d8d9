package aggregate

import (
	"iter"
	"sync/atomic"
)

// A Numbered is a row with a number of its own, which is a unit where what is protected is one row and rows have no id.
type Numbered[Row any] struct {
	Number uint64
	Row    Row
}

var numbered atomic.Uint64

// Numbers yields rows with numbers that no other row of this process has. A query whose Unit is the Number, with a MaxGroups and a
// MaxRowsPerGroup of 1 and UnitIsEvent set, protects every row by itself, and nobody who has several: up to k rows of
// somebody are hidden by what [dp.ForSeveral] says. A number tells nothing of its row, and what is kept of a row depends on
// no other. Shards are for units that all processes know by one name, which numbers are not.
func Numbers[Row any](rows iter.Seq2[Row, error]) iter.Seq2[Numbered[Row], error] {
	return func(yield func(Numbered[Row], error) bool) {
		for row, err := range rows {
			if !yield(Numbered[Row]{numbered.Add(1), row}, err) {
				return
			}
		}
	}
}
