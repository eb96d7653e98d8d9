package quantile

import "slices"

// Counts are the exact records of a group, in sorted cells.
type Counts struct {
	cells  []int64
	prefix []int64 // of the cells before; one more than cells
}

// NewCounts sorts a histogram of cells.
func NewCounts(histogram map[int64]int64) *Counts {
	c := &Counts{cells: make([]int64, 0, len(histogram)), prefix: make([]int64, 1, len(histogram)+1)}
	for cell := range histogram {
		c.cells = append(c.cells, cell)
	}
	slices.Sort(c.cells)
	for i, cell := range c.cells {
		c.prefix = append(c.prefix, c.prefix[i]+histogram[cell])
	}
	return c
}

// index returns the index of the first occupied cell from a cell on.
func (c *Counts) index(cell int64) int {
	i, _ := slices.BinarySearch(c.cells, cell)
	return i
}

// holds reports whether the i-th occupied cell is that cell.
func (c *Counts) holds(i int, cell int64) bool {
	return i >= 0 && i < len(c.cells) && c.cells[i] == cell
}

// count returns the number of records in the i-th occupied cell.
func (c *Counts) count(i int) int64 { return c.prefix[i+1] - c.prefix[i] }

// all returns the number of records.
func (c *Counts) all() int64 { return c.prefix[len(c.cells)] }

// below returns the number of records in cells before one.
func (c *Counts) below(cell int64) int64 {
	return c.prefix[c.index(cell)]
}

// exact returns the first cell by whose end a share a/b of the records has come:
// what would be released without noise.
func (c *Counts) exact(r Rank) int64 {
	want := ceilQuo(c.all(), r)
	i, _ := slices.BinarySearch(c.prefix, max(want, 1))
	if i == 0 || i > len(c.cells) {
		return 0
	}
	return c.cells[i-1]
}
