package bound

import (
	"cmp"
	"math/bits"
	"slices"
)

// A cell is one group of one unit.
type cell struct {
	group    uint32
	rows     uint32 // how many there are; 0 if the cell is not chosen
	end      uint32 // of its rows among those that are sorted by cell
	priority uint64
	seen     uint64 // how many rows came, of the last source, if they are ranked
}

// A choice is what is kept of one unit: of its cells and of the rows in each those with
// the smallest priorities. The priority of a cell is a function of the seed, the unit and
// the group; that of a row is one of the priority of its cell, and of how many rows of
// this cell came before from the same source; or, with [Keyed.ByValue], of its values and of how
// many rows with these came before.
type choice struct {
	ranking bool // rows that are all kept are ranked too

	cells      []cell
	cellOf     []uint32 // of each row of the unit
	table      []uint32 // places in cells, plus one
	byCell     []uint32 // rows
	priorities []uint64 // of the rows of a cell
	scratch    []uint64
	numbers    []uint64
}

// choose yields what is kept of one unit, whose rows are in the order in which they came. It
// reports false if it had to end.
func (p *part[Unit]) choose(unit uint64, rows []uint32, yield func(c *cell, rows []uint32) bool) bool {
	if !p.findCells(rows) {
		return false
	}
	if len(p.cells) > p.caps.Keys {
		p.dropCells(unit)
	}
	p.sortByCell(rows)
	begin := uint32(0)
	for i := range p.cells {
		c := &p.cells[i]
		if c.rows == 0 {
			continue
		}
		rows := p.byCell[begin:c.end]
		begin = c.end
		if rows = p.chosen(c, unit, rows); rows == nil {
			return false
		}
		if !yield(c, rows) {
			return false
		}
	}
	return true
}

// chosen returns the rows of a cell that are kept, or nil if it had to end.
func (p *part[Unit]) chosen(c *cell, unit uint64, rows []uint32) []uint32 {
	over := len(rows) > p.caps.Rows
	if !over && !p.ranking || p.byValue && p.ranking {
		return rows // by value, all rows are needed to say which are equal
	}
	c.priority = p.priority(unit, c.group)
	if !p.byValue {
		p.rank(c, rows)
	} else if !p.rankByValue(c, rows) {
		return nil
	}
	if over {
		rows = p.dropRows(rows)
	}
	return rows
}

// inOrder returns the groups of a unit that are kept, in the order of their priorities. It
// reports false if it had to end.
func (p *part[Unit]) inOrder(unit uint64, rows []uint32) (groups []uint32, ok bool) {
	if !p.findCells(rows) {
		return nil, false
	}
	for i := range p.cells {
		p.cells[i].priority = p.priority(unit, p.cells[i].group)
	}
	slices.SortStableFunc(p.cells, func(a, b cell) int { return cmp.Compare(a.priority, b.priority) })
	p.byCell = p.byCell[:0]
	for _, c := range p.cells[:min(len(p.cells), p.caps.Keys)] {
		p.byCell = append(p.byCell, c.group)
	}
	return p.byCell, true
}

// findCells finds the cells of a unit, and counts their rows. It reports false if it had to
// end.
func (p *part[Unit]) findCells(rows []uint32) bool {
	p.cells = p.cells[:0]
	if len(rows) == 1 {
		p.cells = append(p.cells, cell{group: p.rows.key[rows[0]], rows: 1})
		return true
	}
	size := bits.Len(uint(len(rows)))
	p.table = empty(p.table, 2<<size)
	p.cellOf = sized(p.cellOf, len(rows))
	for i, row := range rows {
		if i%often == often-1 && p.done() {
			return false
		}
		id := p.findCell(p.rows.key[row], 63-size)
		p.cells[id].rows++
		p.cellOf[i] = id
	}
	return true
}

// findCell looks in a table of which a place is the upper bits of a product with a secret
// odd number, so that no choice of groups makes it slow (Dietzfelbinger, Hagerup,
// Katajainen, Penttonen 1997).
func (p *part[Unit]) findCell(group uint32, shift int) uint32 {
	mask := uint64(len(p.table) - 1)
	for at := (uint64(group) + 1) * p.odd >> shift; ; at = (at + 1) & mask {
		id := p.table[at]
		if id == 0 {
			p.cells = append(p.cells, cell{group: group})
			p.table[at] = uint32(len(p.cells))
			return uint32(len(p.cells) - 1)
		}
		if p.cells[id-1].group == group {
			return id - 1
		}
	}
}

// dropCells leaves only the cells with the smallest priorities.
func (p *part[Unit]) dropCells(unit uint64) {
	p.scratch = p.scratch[:0]
	for i := range p.cells {
		c := &p.cells[i]
		c.priority = p.priority(unit, c.group)
		p.scratch = append(p.scratch, c.priority)
	}
	cut := newCut(p.scratch, p.caps.Keys)
	for i := range p.cells {
		if !cut.keeps(p.cells[i].priority) {
			p.cells[i].rows = 0
		}
	}
}

// sortByCell sorts the rows of the cells that are chosen.
func (p *part[Unit]) sortByCell(rows []uint32) {
	if len(p.cells) == 1 {
		p.byCell = append(p.byCell[:0], rows...)
		p.cells[0].end = uint32(len(rows))
		return
	}
	sum := uint32(0)
	for i := range p.cells {
		p.cells[i].end = sum
		sum += p.cells[i].rows
	}
	p.byCell = sized(p.byCell, int(sum))
	for i, row := range rows {
		if c := &p.cells[p.cellOf[i]]; c.rows > 0 {
			p.byCell[c.end] = row
			c.end++
		}
	}
}

// rank finds the priorities of the rows of a cell. Those of rows that were kept when their
// shard was condensed are what they were then, and the rows that came since are numbered on
// from how many there were.
func (p *part[Unit]) rank(c *cell, rows []uint32) {
	p.priorities = p.priorities[:0]
	source := -1
	var base uint64
	for _, row := range rows {
		for source < 0 || int(row) >= p.ends[source] {
			source++
			c.seen, base = 0, mix(c.priority^mix(uint64(source)+1))
		}
		if len(p.rows.seen) > 0 && p.rows.seen[row] > 0 {
			c.seen = p.rows.seen[row]
			p.priorities = append(p.priorities, p.rows.priority[row])
			continue
		}
		c.seen++
		p.priorities = append(p.priorities, mix(base+c.seen*0x9e3779b97f4a7c15))
	}
}

// rankByValue finds the priorities of the rows of a cell by their values. Equal rows are
// numbered; which of them has which number does not matter, since they are equal. It reports
// false if it had to end.
func (p *part[Unit]) rankByValue(c *cell, rows []uint32) bool {
	p.table = empty(p.table, 2<<bits.Len(uint(len(rows))))
	p.scratch, p.numbers, p.priorities = p.scratch[:0], p.numbers[:0], p.priorities[:0]
	for i, row := range rows {
		if i%often == often-1 && p.done() {
			return false
		}
		hash := c.priority
		for _, v := range p.rows.values[int(row)*p.width:][:p.width] {
			hash = mix(hash ^ mix(uint64(v)+0x9e3779b97f4a7c15))
		}
		p.priorities = append(p.priorities, mix(hash+p.numberOf(hash)*0x9e3779b97f4a7c15))
	}
	return true
}

// numberOf returns how many rows with this hash there were, with this one.
func (p *part[Unit]) numberOf(hash uint64) uint64 {
	mask := uint64(len(p.table) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		id := p.table[at]
		if id == 0 {
			p.scratch, p.numbers = append(p.scratch, hash), append(p.numbers, 1)
			p.table[at] = uint32(len(p.scratch))
			return 1
		}
		if p.scratch[id-1] == hash {
			p.numbers[id-1]++
			return p.numbers[id-1]
		}
	}
}

// dropRows leaves only the rows with the smallest priorities.
func (p *part[Unit]) dropRows(rows []uint32) []uint32 {
	p.scratch = append(p.scratch[:0], p.priorities...)
	cut := newCut(p.scratch, p.caps.Rows)
	n := 0
	for i, priority := range p.priorities {
		if cut.keeps(priority) {
			rows[n], p.priorities[n] = rows[i], priority
			n++
		}
	}
	return rows[:n]
}

// priority returns the priority of a cell: a mixture of the hashes of its unit and its
// group, both with a key, as wyhash makes one (Wang Yi 2019).
func (p *part[Unit]) priority(unit uint64, group uint32) uint64 {
	hash := p.groups[group]
	hi, lo := bits.Mul64(unit^0x9e3779b97f4a7c15, hash^0xbf58476d1ce4e5b9)
	return mix(hi ^ lo ^ hash)
}

// A cut lets the smallest of some priorities through, and of equal ones those that are
// asked for first.
type cut struct {
	at    uint64
	equal int // how many of those that are at the cut may pass
}

// newCut returns the cut that lets n through, of more than n. It changes their order.
func newCut(priorities []uint64, n int) cut {
	c := cut{at: smallest(priorities, n), equal: n}
	for _, p := range priorities {
		if p < c.at {
			c.equal--
		}
	}
	return c
}

func (c *cut) keeps(priority uint64) bool {
	if priority == c.at {
		c.equal--
		return c.equal >= 0
	}
	return priority < c.at
}

// smallest returns the n-th smallest number, with n from 1 on (Hoare 1961, FIND). It
// changes their order.
func smallest(x []uint64, n int) uint64 {
	n--
	lo, hi := 0, len(x)-1
	for lo < hi {
		i, j, pivot := lo, hi, x[n]
		for i <= j {
			for x[i] < pivot {
				i++
			}
			for x[j] > pivot {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
				i, j = i+1, j-1
			}
		}
		if j < n {
			lo = i
		}
		if n < i {
			hi = j
		}
	}
	return x[n]
}

// mix spreads a number over all bits (the finaliser of SplitMix64: Steele, Lea, Flood
// 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
