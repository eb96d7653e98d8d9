package aggregate

import (
	"iter"
	"sync"
)

// A Release holds what was released: estimates and a receipt. It is safe to
// store, print and share.
type Release[Group comparable] struct {
	groups  []Group
	cells   *results
	index   func() map[Group]int // made when it is needed first
	receipt func() Receipt
}

// newRelease returns a release that was kept. Its receipt is the one that would be read
// from what is stored, and is made when it is asked for first: many releases are only
// read for their numbers, and it takes as long as those of a few groups.
func newRelease[Group comparable](receipt Receipt, groups []Group, cells *results) *Release[Group] {
	cells.hash = receipt.Hash
	return &Release[Group]{
		groups: groups, cells: cells, receipt: sync.OnceValue(receipt.reread),
		index: sync.OnceValue(func() map[Group]int { return places(groups) }),
	}
}

// places returns where each group is.
func places[Group comparable](groups []Group) map[Group]int {
	index := make(map[Group]int, len(groups))
	for i, g := range groups {
		index[g] = i
	}
	return index
}

// All yields the groups and their estimates: those of Query.Groups in
// that order, or the selected ones in their own. The order does not depend on the
// rows.
func (r *Release[Group]) All() iter.Seq2[Group, Cell] {
	return func(yield func(Group, Cell) bool) {
		for i, g := range r.groups {
			if !yield(g, Cell{r.cells, i}) {
				return
			}
		}
	}
}

// Len returns how many groups were released.
func (r *Release[Group]) Len() int { return len(r.groups) }

// Cell returns the estimates of a group, and whether it was released.
func (r *Release[Group]) Cell(g Group) (Cell, bool) {
	i, ok := r.index()[g]
	if !ok {
		return Cell{}, false
	}
	return Cell{r.cells, i}, true
}

// Receipt returns the public record of the release.
func (r *Release[Group]) Receipt() Receipt { return r.receipt() }
