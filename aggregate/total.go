package aggregate

import (
	"math"

	"github.com/equipoise-dp/equipoise/internal/exact"
)

// A total adds up the amounts of a unit's rows: exactly, so that nothing is rounded
// before the sum is complete, and the order of the rows does not matter.
type total struct {
	ints   exact.Int128
	floats exact.FloatSum
}

// add adds the amount of a row, as v.bind made it.
func (t *total) add(in input, amount int64) {
	if in.summed().integer {
		t.ints = t.ints.Add(exact.Int(amount))
	} else {
		t.floats.Add(math.Float64frombits(uint64(amount)))
	}
}

// point returns the point of the total on the grid.
func (t *total) point(in input) int64 {
	if in.beyond != nil {
		return in.grid.Int(in.isCut(t.point(in.summed())))
	}
	if in.integer {
		return in.grid.IntSum(t.ints)
	}
	return in.grid.FloatSum(&t.floats)
}
