package bound

import (
	"hash/maphash"
	"math/bits"
)

// A part has the rows of some units while it is found out what is kept of them. Its
// memory is used again for the next.
type part[Unit comparable] struct {
	caps    Caps
	width   int
	seed    maphash.Seed
	odd     uint64
	done    func() bool
	keyed   func(Unit) (hash uint64, in bool) // or nil
	byValue bool

	groups []uint64 // the hashes of all groups
	rows   columns[Unit]
	kept   columns[Unit] // scratch
	ends   []int         // of the rows of each source

	units  []member // in the order of their first rows
	slots  []uint32 // places in units, plus one, by hash
	unitOf []uint32 // of each row, its place in units
	order  []uint32 // rows by unit; those of one in the order in which they came

	choice
}

// A member is one unit.
type member struct {
	hash  uint64
	first uint32 // row
	end   uint32 // of its rows in the order; while they are counted, how many there are
}

// often is after how many rows a loop asks whether it must end.
const often = 1024

func newPart[Unit, Key comparable](b *Bounder[Unit, Key]) *part[Unit] {
	p := &part[Unit]{caps: b.caps, width: b.width, seed: b.seed, odd: b.odd, done: b.done}
	if b.keyed != nil {
		p.keyed, p.byValue = b.keyed.Unit, b.keyed.ByValue
	}
	return p
}

// begin forgets all rows. The next are those of a source, of groups with some hashes.
func (p *part[Unit]) begin(groups []uint64, source int) {
	p.rows.clear()
	p.groups, p.ends = groups, p.ends[:0]
	for range source {
		p.ends = append(p.ends, 0)
	}
}

// loadShard appends the rows of one source. If its groups have other numbers than those
// of the part, renamed has them. The shard is nil if the source has no rows of the part.
func (p *part[Unit]) loadShard(s *shard[Unit], renamed []uint32) {
	from := p.rows.len()
	if s != nil {
		s.appendTo(&p.rows)
	}
	if renamed != nil {
		for i, k := range p.rows.key[from:] {
			p.rows.key[from+i] = renamed[k]
		}
	}
	p.ends = append(p.ends, p.rows.len())
}

// each yields the hash of every unit that is in, and its rows, until yield returns false.
func (p *part[Unit]) each(yield func(unit uint64, rows []uint32) bool) {
	if p.rows.len() == 0 || !p.findUnits() || !p.sortByUnit() {
		return
	}
	begin := uint32(0)
	for i := range p.units {
		if i%often == often-1 && p.done() {
			return
		}
		u := &p.units[i]
		rows := p.order[begin:u.end]
		begin = u.end
		if hash, in := p.chooses(u); in && !yield(hash, rows) {
			return
		}
	}
}

// chooses returns the hash by which the choices of a unit are made, and whether it is in.
func (p *part[Unit]) chooses(u *member) (hash uint64, in bool) {
	if p.keyed == nil {
		return u.hash, true
	}
	return p.keyed(p.rows.unit[u.first])
}

// findUnits numbers the units, and counts their rows. It reports false if it had to end.
func (p *part[Unit]) findUnits() bool {
	n := p.rows.len()
	p.slots = empty(p.slots, 1<<bits.Len(uint(n+n/2)))
	p.unitOf = sized(p.unitOf, n)
	p.units = p.units[:0]
	for i, u := range p.rows.unit {
		if i%often == often-1 && p.done() {
			return false
		}
		id := p.find(u, uint32(i))
		p.units[id].end++
		p.unitOf[i] = id
	}
	return true
}

func (p *part[Unit]) find(u Unit, row uint32) uint32 {
	h := maphash.Comparable(p.seed, u)
	mask := uint64(len(p.slots) - 1)
	for at := h & mask; ; at = (at + 1) & mask {
		id := p.slots[at]
		if id == 0 {
			p.units = append(p.units, member{hash: h, first: row})
			p.slots[at] = uint32(len(p.units))
			return uint32(len(p.units) - 1)
		}
		if m := &p.units[id-1]; m.hash == h && p.rows.unit[m.first] == u {
			return id - 1
		}
	}
}

// sortByUnit sorts the rows. It reports false if it had to end.
func (p *part[Unit]) sortByUnit() bool {
	sum := uint32(0)
	for i := range p.units {
		n := p.units[i].end
		p.units[i].end = sum
		sum += n
	}
	p.order = sized(p.order, p.rows.len())
	for row, id := range p.unitOf {
		if row%often == often-1 && p.done() {
			return false
		}
		m := &p.units[id]
		p.order[m.end] = uint32(row)
		m.end++
	}
	return true
}

// condensed returns what is kept, with priorities, or nil if it is more than half.
func (p *part[Unit]) condensed() *columns[Unit] {
	kept := p.ranked(&p.kept)
	if 2*kept.len() > p.rows.len() {
		return nil
	}
	return kept.clone()
}

// ranked puts what is kept, with priorities, into columns in place of what they hold.
func (p *part[Unit]) ranked(kept *columns[Unit]) *columns[Unit] {
	kept.clear()
	p.ranking = true
	keep := func(c *cell, rows []uint32) bool {
		for i, row := range rows {
			kept.unit = append(kept.unit, p.rows.unit[row])
			kept.key = append(kept.key, c.group)
			kept.values = append(kept.values, p.rows.values[int(row)*p.width:][:p.width]...)
			if !p.byValue {
				kept.priority = append(kept.priority, p.priorities[i])
				kept.seen = append(kept.seen, c.seen)
			}
		}
		return true
	}
	p.each(func(unit uint64, rows []uint32) bool { return p.choose(unit, rows, keep) })
	p.ranking = false
	return kept
}
