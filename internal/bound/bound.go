// Package bound limits what one privacy unit contributes.
package bound

import (
	"container/heap"
	"hash/maphash"
	"iter"
	"math/bits"
)

// A Bounder keeps, of every unit, the rows of at most maxKeys groups, and in
// each of them at most maxRows rows, chosen at random. What is kept of a unit
// depends on the rows of this unit and on fresh randomness, and on nothing
// else: not on other units, nor on the order in which units come.
//
// Choices come from a keyed hash (hash/maphash), which is not a cipher. The
// sensitivity does not rest on it: whatever it returns, at most maxKeys groups
// and maxRows rows are kept. Proof: docs/proofs/bounding.md.
type Bounder[Unit, Key comparable, Row any] struct {
	maxKeys, maxRows int
	seed             maphash.Seed
	units            map[Unit]*unit[Unit, Key, Row]
	cells            map[pair[Unit, Key]]*cell[Unit, Key, Row]
}

type pair[Unit, Key comparable] struct {
	unit Unit
	key  Key
}

// A cell holds the kept rows of one unit in one group, as a heap with the
// largest priority on top.
type cell[Unit, Key comparable, Row any] struct {
	id       pair[Unit, Key]
	priority uint64
	seen     uint64
	rows     ranked[Row]
}

// A unit holds its cells as a heap with the largest priority on top.
type unit[Unit, Key comparable, Row any] struct {
	cells ranked[*cell[Unit, Key, Row]]
}

// New returns an empty Bounder whose choices are those of the seed.
func New[Unit, Key comparable, Row any](maxKeys, maxRows int, seed maphash.Seed) *Bounder[Unit, Key, Row] {
	return newSeeded[Unit, Key, Row](maxKeys, maxRows, seed)
}

func newSeeded[Unit, Key comparable, Row any](maxKeys, maxRows int, seed maphash.Seed) *Bounder[Unit, Key, Row] {
	return &Bounder[Unit, Key, Row]{
		maxKeys: maxKeys, maxRows: maxRows, seed: seed,
		units: make(map[Unit]*unit[Unit, Key, Row]),
		cells: make(map[pair[Unit, Key]]*cell[Unit, Key, Row]),
	}
}

// Add considers one row.
func (b *Bounder[Unit, Key, Row]) Add(u Unit, k Key, row Row) {
	c := b.cell(pair[Unit, Key]{u, k})
	if c == nil {
		return
	}
	c.seen++
	c.rows.keep(b.maxRows, mix(c.priority+c.seen*0x9e3779b97f4a7c15), row)
}

// cell returns the cell of a pair, or nil if the pair is not among the chosen.
// A pair that was passed over or pushed out never comes back: its priority is
// always the same, and the largest that is kept only falls.
func (b *Bounder[Unit, Key, Row]) cell(id pair[Unit, Key]) *cell[Unit, Key, Row] {
	if c := b.cells[id]; c != nil {
		return c
	}
	u := b.units[id.unit]
	if u == nil {
		u = new(unit[Unit, Key, Row])
		b.units[id.unit] = u
	}
	c := &cell[Unit, Key, Row]{id: id, priority: maphash.Comparable(b.seed, id)}
	out, kept := u.cells.keep(b.maxKeys, c.priority, c)
	if out != nil {
		delete(b.cells, out.id)
	}
	if !kept {
		return nil
	}
	b.cells[id] = c
	return c
}

// Kept yields what was kept: for every unit and chosen group, the rows. The
// order is that of a map.
func (b *Bounder[Unit, Key, Row]) Kept() iter.Seq2[Key, iter.Seq[Row]] {
	return func(yield func(Key, iter.Seq[Row]) bool) {
		for id, c := range b.cells {
			if !yield(id.key, c.rows.all) {
				return
			}
		}
	}
}

// ranked is a heap of the items with the smallest priorities, the largest of
// them on top.
type ranked[T any] []item[T]

type item[T any] struct {
	priority uint64
	value    T
}

func (r ranked[T]) Len() int           { return len(r) }
func (r ranked[T]) Less(i, j int) bool { return r[i].priority > r[j].priority }
func (r ranked[T]) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }
func (r *ranked[T]) Push(x any)        { *r = append(*r, x.(item[T])) }

// Pop makes it a heap.Interface. What goes is the top, in keep.
func (r *ranked[T]) Pop() any { panic("bound: internal error: nothing is taken from a heap") }

// keep adds a value if it is among the limit smallest. It returns the value
// that had to go, if one was there before, and whether the new one stays.
func (r *ranked[T]) keep(limit int, priority uint64, value T) (out T, kept bool) {
	switch {
	case len(*r) < limit:
		heap.Push(r, item[T]{priority, value})
		return out, true
	case priority >= (*r)[0].priority:
		return out, false
	}
	out = (*r)[0].value
	(*r)[0] = item[T]{priority, value}
	heap.Fix(r, 0)
	return out, true
}

func (r ranked[T]) all(yield func(T) bool) {
	for _, it := range r {
		if !yield(it.value) {
			return
		}
	}
}

// mix turns a counter into a priority (the finaliser of SplitMix64: Steele,
// Lea, Flood 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return bits.RotateLeft64(x^x>>31, 17)
}
