package aggregate

import (
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/exact"
)

// results hold the noisy numbers of cells, one cell after the other. They are public, and
// never changed once a cell of them was shown.
type results struct {
	plan  *compiled
	sums  []exact.Int128
	ranks []ranked
	large []*big.Int // in place of sums, those of a single cell, which may be of any size

	hash    string               // of their entry in the ledger, if it is known
	sources func(a answer) []any // where the noise came from, if the cell is made of others
}

// newResults returns results with room for so many cells.
func (c *compiled) newResults(cells int) *results {
	return &results{plan: c, sums: make([]exact.Int128, cells*c.sums), ranks: make([]ranked, cells*c.ranks)}
}

// sumsOf returns the room for the sums of a measure in a cell.
func (r *results) sumsOf(cell int, m *measure) []exact.Int128 {
	return r.sums[cell*r.plan.sums+m.first:][:m.parts()]
}

// ranksOf returns the room for the quantiles of a measure in a cell.
func (r *results) ranksOf(cell int, m *measure) []ranked {
	return r.ranks[cell*r.plan.ranks+m.rank:][:len(m.quantiles)]
}

// roomForEnds returns empty room for the ends of all intervals of a quantile.
func roomForEnds() (lows, highs []int64) {
	both, n := make([]int64, 2*len(ladder)), len(ladder)
	return both[:0:n], both[n : n : 2*n]
}

// move copies cells to a place before them, which they may overlap.
func (r *results) move(to, from, cells int) {
	copy(r.sums[to*r.plan.sums:], r.sums[from*r.plan.sums:][:cells*r.plan.sums])
	copy(r.ranks[to*r.plan.ranks:], r.ranks[from*r.plan.ranks:][:cells*r.plan.ranks])
}

// cut forgets all but the first cells.
func (r *results) cut(cells int) {
	r.sums, r.ranks = cut(r.sums, cells*r.plan.sums), cut(r.ranks, cells*r.plan.ranks)
}

// cut returns the first of some numbers, without the memory of the others if these are
// more.
func cut[T any](all []T, n int) []T {
	if n < len(all)/2 {
		return append([]T(nil), all[:n]...)
	}
	clear(all[n:])
	return all[:n:n]
}

// A Cell holds the estimates of one group; [Column.Of] reads them.
type Cell struct {
	of *results
	at int
}

// cellOf returns a cell of sums of any size.
func cellOf(plan *compiled, sums []*big.Int) Cell {
	return Cell{of: &results{plan: plan, large: sums}}
}

// plan returns the plan that made the cell, and nil for the zero Cell.
func (c Cell) plan() *compiled {
	if c.of == nil {
		return nil
	}
	return c.of.plan
}

// sums returns all sums.
func (c Cell) sums() []*big.Int {
	if c.of.large != nil {
		return c.of.large
	}
	all := make([]*big.Int, c.of.plan.sums)
	for i := range all {
		all[i] = c.of.sums[c.at*len(all)+i].Big()
	}
	return all
}

// ranks returns all quantiles.
func (c Cell) ranks() []ranked {
	n := c.of.plan.ranks
	return c.of.ranks[c.at*n:][:n:n]
}

// Noisy returns the noisy numbers that the cell holds, from which every estimate
// follows: sums in steps of the noise, and of each quantile its point on the grid and
// the ends of the interval in the middle of those that are kept, if there are any.
// It is for audits; most programs want [Column.Of].
func (c Cell) Noisy() []float64 {
	var numbers []float64
	for _, sum := range c.sums() {
		f, _ := new(big.Float).SetInt(sum).Float64()
		numbers = append(numbers, f)
	}
	for _, r := range c.ranks() {
		numbers = append(numbers, float64(r.Point))
		if middle := len(r.Lows) / 2; len(r.Lows) > 0 {
			numbers = append(numbers, float64(r.Lows[middle]), float64(r.Highs[middle]))
		}
	}
	return numbers
}
