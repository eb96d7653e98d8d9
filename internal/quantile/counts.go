package quantile

import (
	"slices"

	"github.com/equipoise-dp/equipoise/internal/sample"
)

// Counts are the exact records of a group, in sorted cells, and the memory that drawing its
// ranks takes. Counts are for one group after another, and for one goroutine.
type Counts struct {
	cells  []int64
	prefix []int64 // of the cells before; one more than cells

	runs     []run
	segments []sample.Segment
}

// NewCounts counts sorted points, of which so many in a row share a cell.
func NewCounts(points []int64, width int64) *Counts {
	c := new(Counts)
	c.Set(points, width)
	return c
}

// Set counts the points of another group.
func (c *Counts) Set(points []int64, width int64) {
	c.cells, c.prefix = c.cells[:0], c.prefix[:0]
	if cap(c.cells) < len(points) {
		c.cells, c.prefix = make([]int64, 0, len(points)), make([]int64, 0, len(points)+1)
	}
	last := int64(-1)
	for i, point := range points {
		if width > 1 {
			point /= width
		}
		if point != last {
			c.cells, c.prefix = append(c.cells, point), append(c.prefix, int64(i))
			last = point
		}
	}
	c.prefix = append(c.prefix, int64(len(points)))
}

// Wipe sets all memory to zero.
func (c *Counts) Wipe() {
	clear(c.cells[:cap(c.cells)])
	clear(c.prefix[:cap(c.prefix)])
	clear(c.runs[:cap(c.runs)])
	clear(c.segments[:cap(c.segments)])
	*c = Counts{}
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
