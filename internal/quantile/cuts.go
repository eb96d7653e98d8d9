package quantile

import "math/bits"

// Cuts divide cells into parts of even measure: what a tree takes for its leaves
// where there are more cells than leaves.
type Cuts struct {
	base  *Base
	parts int64
}

// Cut divides the cells. A part may hold no cell at all, where cells have more
// measure than parts do.
func (b *Base) Cut(parts int64) *Cuts { return &Cuts{b, parts} }

// Part returns the part of a cell.
func (c *Cuts) Part(cell int64) int64 {
	return int64(scaled(c.base.before(cell), uint64(c.parts), c.base.total))
}

// Cells returns the first and the last cell of a part. Of a part without cells both
// are the cell that comes next.
func (c *Cuts) Cells(part int64) (first, last int64) {
	first = min(c.from(part), c.base.cells-1)
	return first, max(min(c.from(part+1), c.base.cells)-1, first)
}

// from returns the first cell of a part or of one after it.
func (c *Cuts) from(part int64) int64 {
	hi, lo := bits.Mul64(uint64(part), c.base.total)
	place, rest := bits.Div64(hi, lo, uint64(c.parts))
	if rest > 0 {
		place++
	}
	if place >= c.base.total {
		return c.base.cells
	}
	cell, into, _ := c.base.at(place)
	if into > 0 {
		cell++
	}
	return cell
}

// scaled returns x·a/b, rounded down, for x < b.
func scaled(x, a, b uint64) uint64 {
	hi, lo := bits.Mul64(x, a)
	q, _ := bits.Div64(hi, lo, b)
	return q
}
