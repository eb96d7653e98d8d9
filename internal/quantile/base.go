package quantile

import (
	"math/bits"
	"slices"
)

// MaxCells is how many cells there are at most. Points beyond share cells.
const MaxCells = 1 << 32

// A Base is the public measure on the cells: how likely each is where no record
// says anything. It decides accuracy, not privacy.
type Base struct {
	first  int64 // cell, counted from zero
	cells  int64
	pieces []piece
	total  uint64
	folded bool
}

// A piece is a run of cells of one measure.
type piece struct {
	first  int64
	each   uint64 // of a cell
	before uint64 // of all cells before first
}

// wide is how many octaves the magnitudes must span for a base to follow them, and
// how many the larger side of zero must have more than the other: values of both
// signs are not known to be dense near zero.
const wide = 10

// octaves is how many octaves below the largest magnitude a base follows.
const octaves = 20

// NewBase returns the measure of cells first … first+cells-1, counted in cells
// from zero. Where their magnitudes span ten octaves or more, nearly all on one side
// of zero, half of it is even over the cells and half is even over the octaves of the
// magnitude, so that wide bounds cost little; else it is even over the cells.
func NewBase(first, cells int64) *Base {
	top, low := magnitudes(first, first+cells-1)
	b := &Base{first: first, cells: cells}
	if !Spans(first, first+cells-1, wide) {
		b.pieces = []piece{{0, 1, 0}}
		b.total = uint64(cells)
		return b
	}
	b.folded = true
	low = max(low, top-octaves)
	linear := uint64(top - low + 1)
	starts := []int64{0}
	for e := low; e < top; e++ {
		for _, at := range []int64{1 << e, 1 - 1<<e} { // the first cell of the next octave, and of this one below zero
			if c := at - first; c > 0 && c < cells {
				starts = append(starts, c)
			}
		}
	}
	slices.Sort(starts)
	for _, c := range starts {
		b.add(c, linear+2<<(top-max(octave(first+c), low)))
	}
	last := b.pieces[len(b.pieces)-1]
	b.total += uint64(cells-last.first) * last.each
	return b
}

// Spans reports whether the magnitudes of cells span so many octaves, nearly all of
// them on one side of zero.
func Spans(first, last int64, octaves int) bool {
	top, low := magnitudes(first, last)
	oneSided := first >= 0 || last <= 0 || min(octave(first), octave(last)) <= top-wide
	return top-low >= octaves && oneSided
}

// magnitudes returns the octaves of the largest and the smallest magnitude in a
// range.
func magnitudes(first, last int64) (top, low int) {
	top = max(octave(first), octave(last))
	if first <= 0 && last >= 0 {
		return top, 0
	}
	return top, min(octave(first), octave(last))
}

// octave returns the length of |x| in bits.
func octave(x int64) int { return bits.Len64(uint64(max(x, -x))) }

// Cells returns how many cells there are.
func (b *Base) Cells() int64 { return b.cells }

// Logarithmic reports whether the measure follows magnitudes.
func (b *Base) Logarithmic() bool { return b.folded }

// before returns the measure of the cells before one.
func (b *Base) before(cell int64) uint64 {
	i, found := slices.BinarySearchFunc(b.pieces, cell, func(p piece, c int64) int { return int(min(max(p.first-c, -1), 1)) })
	if !found {
		i--
	}
	p := b.pieces[i]
	return p.before + uint64(cell-p.first)*p.each
}

// at returns the cell that holds a place of the measure, and how far into it the
// place is, of how much.
func (b *Base) at(place uint64) (cell int64, into, each uint64) {
	i := 0
	for i+1 < len(b.pieces) && b.pieces[i+1].before <= place {
		i++
	}
	p := b.pieces[i]
	into = place - p.before
	return p.first + int64(into/p.each), into % p.each, p.each
}
