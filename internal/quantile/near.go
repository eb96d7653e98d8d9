package quantile

import (
	"math"
	"slices"
)

// nearer is how much finer the measures of a base are counted where some of it is
// moved.
const nearer = 32

// shells are how far from a cell, in sixteenths of an octave of its magnitude, each
// further part of what is moved reaches.
var shells = []float64{2, 4, 8, 16}

// Near returns a base of which a quarter is as before, and the rest is near a cell: an
// even part of it within an eighth of an octave of the cell's magnitude, within a quarter,
// a half and a whole one. It is for quantiles of groups that are like one another, where
// that of all together is known: one that is near is drawn nearer, and one that is not
// costs ln 4 of rate·cost.
func (b *Base) Near(cell int64) *Base {
	moved := b.shells(cell)
	starts := []int64{0}
	for _, p := range b.pieces {
		starts = append(starts, p.first)
	}
	for _, s := range moved {
		starts = append(starts, s.from, s.to)
	}
	slices.Sort(starts)
	near := &Base{first: b.first, cells: b.cells, folded: b.folded}
	for _, start := range slices.Compact(starts) {
		if start >= b.cells {
			continue
		}
		_, _, each := b.at(b.before(start))
		each *= nearer
		for _, s := range moved {
			if s.from <= start && start < s.to {
				each += s.each
			}
		}
		near.add(start, each)
	}
	near.total += uint64(near.cells-near.pieces[len(near.pieces)-1].first) * near.pieces[len(near.pieces)-1].each
	return near
}

// add appends a piece.
func (b *Base) add(first int64, each uint64) {
	if n := len(b.pieces); n > 0 {
		last := b.pieces[n-1]
		b.total += uint64(first-last.first) * last.each
	}
	b.pieces = append(b.pieces, piece{first, each, b.total})
}

// A shell is a range of cells and what each of them has more.
type shell struct {
	from, to int64
	each     uint64
}

// shells returns the ranges around a cell, one within the other, each with an even
// part of three times the measure of the base.
func (b *Base) shells(cell int64) []shell {
	value := b.first + cell
	if value == 0 {
		value = 1
	}
	part := 3 * float64(b.total) * nearer / float64(len(shells))
	var all []shell
	for _, s := range shells {
		factor := math.Exp2(s / 16)
		from, to := b.clip(float64(value)/factor), b.clip(float64(value)*factor)
		if value < 0 {
			from, to = to, from
		}
		s := shell{min(from, cell), max(to, cell) + 1, 0}
		s.each = uint64(part / float64(s.to-s.from))
		all = append(all, s)
	}
	return all
}

// clip returns the cell of a value.
func (b *Base) clip(value float64) int64 {
	return int64(min(max(math.Round(value)-float64(b.first), 0), float64(b.cells-1)))
}
