package bound

// columns hold rows: the value j of row i is values[i*width+j]. Rows that were chosen
// before have a priority and a number, see [part.rank]; rows without have the number 0,
// and where no row has one the columns may be empty.
type columns[Unit comparable] struct {
	unit     []Unit
	key      []uint32 // the number of the group
	values   []int64
	priority []uint64
	seen     []uint64
}

func (c *columns[Unit]) len() int {
	if c == nil {
		return 0
	}
	return len(c.unit)
}

// append appends all rows of other.
func (c *columns[Unit]) append(other *columns[Unit]) {
	if len(other.seen) > 0 {
		c.rankUpTo(c.len())
		c.priority = append(c.priority, other.priority...)
		c.seen = append(c.seen, other.seen...)
	}
	c.unit = append(c.unit, other.unit...)
	c.key = append(c.key, other.key...)
	c.values = append(c.values, other.values...)
	if len(c.seen) > 0 {
		c.rankUpTo(c.len())
	}
}

// newColumns returns room for so many rows.
func newColumns[Unit comparable](rows, width int) *columns[Unit] {
	return &columns[Unit]{unit: make([]Unit, 0, rows), key: make([]uint32, 0, rows), values: make([]int64, 0, rows*width)}
}

// clone returns a copy that takes no more memory than it must.
func (c *columns[Unit]) clone() *columns[Unit] {
	return &columns[Unit]{
		unit: exactly(c.unit), key: exactly(c.key), values: exactly(c.values), priority: exactly(c.priority), seen: exactly(c.seen),
	}
}

func exactly[T any](s []T) []T { return append(make([]T, 0, len(s)), s...) }

// rankUpTo fills the columns of priorities up to a row.
func (c *columns[Unit]) rankUpTo(n int) {
	for len(c.seen) < n {
		c.priority, c.seen = append(c.priority, 0), append(c.seen, 0)
	}
}

// clear makes room for other rows, and forgets what units there were.
func (c *columns[Unit]) clear() {
	clear(c.unit)
	c.unit, c.key, c.values, c.priority, c.seen = c.unit[:0], c.key[:0], c.values[:0], c.priority[:0], c.seen[:0]
}

// Pages are small at first, since there are many parts, and then of one size.
const (
	smallPage = 32
	largePage = 512
)

// A log is a list of pages, of which the first are in use.
type log[Unit comparable] struct {
	pages []*columns[Unit]
	used  int
	last  *columns[Unit] // in use, or nil
	rows  int            // in pages before the last
}

func (l *log[Unit]) len() int {
	if l.last == nil {
		return 0
	}
	return l.rows + l.last.len()
}

func (l *log[Unit]) full() bool { return l.last == nil || len(l.last.unit) == cap(l.last.unit) }

// next begins a page, which it gets if it has none of its own.
func (l *log[Unit]) next(page func(rows int) *columns[Unit]) {
	l.rows = l.len()
	if l.used == len(l.pages) {
		l.pages = append(l.pages, page(min(largePage, max(smallPage, l.rows))))
	}
	l.last = l.pages[l.used]
	l.used++
}

// clear empties the log, and keeps its pages for other rows.
func (l *log[Unit]) clear() {
	for _, p := range l.pages[:l.used] {
		p.clear()
	}
	l.used, l.last, l.rows = 0, nil, 0
}

// sized returns a slice of so many elements, which may hold anything.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n+n/4)[:n]
	}
	return s[:n]
}

// empty returns a slice of so many zeros.
func empty[T any](s []T, n int) []T {
	s = sized(s, n)
	clear(s)
	return s
}
