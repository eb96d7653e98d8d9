package aggregate

import (
	"iter"
	"math/big"
	"slices"
)

// A Release holds what was released: estimates and a receipt. It is safe to
// store, print and share.
type Release[Group comparable] struct {
	groups  []Group
	cells   []Cell
	index   map[Group]int
	receipt Receipt
}

// All yields the groups and their estimates: those of Query.Groups in
// that order, or the selected ones in their own. The order does not depend on the
// rows.
func (r *Release[Group]) All() iter.Seq2[Group, Cell] {
	return func(yield func(Group, Cell) bool) {
		for i, g := range r.groups {
			if !yield(g, r.cells[i]) {
				return
			}
		}
	}
}

// Len returns how many groups were released.
func (r *Release[Group]) Len() int { return len(r.groups) }

// Cell returns the estimates of a group, and whether it was released.
func (r *Release[Group]) Cell(g Group) (Cell, bool) {
	i, ok := r.index[g]
	if !ok {
		return Cell{}, false
	}
	return r.cells[i], true
}

// Receipt returns the public record of the release.
func (r *Release[Group]) Receipt() Receipt { return r.receipt }

// A Cell holds the estimates of one group; [Column.Of] reads them.
type Cell struct {
	plan  *compiled
	sums  []*big.Int // noisy, in steps of the noise
	ranks [][]ranked // for each measure of ranks, for each of its ranks
}

// Noisy returns the noisy numbers that the cell holds, from which every estimate
// follows: sums in steps of the noise, and of each quantile its point on the grid and
// the ends of the interval in the middle of those that are kept, if there are any.
// It is for audits; most programs want [Column.Of].
func (c Cell) Noisy() []float64 {
	var numbers []float64
	for _, sum := range c.sums {
		f, _ := new(big.Float).SetInt(sum).Float64()
		numbers = append(numbers, f)
	}
	for _, r := range slices.Concat(c.ranks...) {
		numbers = append(numbers, float64(r.Point))
		if middle := len(r.Lows) / 2; len(r.Lows) > 0 {
			numbers = append(numbers, float64(r.Lows[middle]), float64(r.Highs[middle]))
		}
	}
	return numbers
}
