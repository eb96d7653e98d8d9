package bound

import (
	"hash/maphash"

	"github.com/equipoise-dp/equipoise/internal/keys"
)

// A Source takes the rows of one reader. Several sources may be filled at the same time,
// each by one goroutine; the rows of a unit may be spread over them.
type Source[Unit, Key comparable] struct {
	b      *Bounder[Unit, Key]
	number int // among the sources
	names  *dictionary[Key]
	shards shards[Unit]
	limit  int // of rows in the log of a shard, before it is condensed
	part   *part[Unit]

	waiting    waiting[Unit] // if there is a limit
	mostGroups int64         // bytes
	err        error
}

// firstLimit is how many rows a shard has before it is looked at whether caps cut many
// of them off.
const firstLimit = 256

// Source returns a new source. It is not for concurrent use with itself; rows of a unit
// are numbered in the order of the sources.
func (b *Bounder[Unit, Key]) Source() *Source[Unit, Key] {
	s := &Source[Unit, Key]{b: b, number: len(b.sources), names: b.names(), limit: b.limit, mostGroups: none}
	if b.within != nil {
		s.mostGroups = b.within.Groups
		s.names.perKey, s.names.text = b.within.PerGroup, keys.Text[Key]()
	}
	b.sources = append(b.sources, s)
	return s
}

// Group returns the number that a group has in this source, and false if it is not among
// those that are given.
func (s *Source[Unit, Key]) Group(k Key) (uint32, bool) { return s.names.id(k) }

// Add adds a row of a unit in a group. It returns where the values of the row belong, for
// the caller to fill in at once.
func (s *Source[Unit, Key]) Add(u Unit, group uint32) []int64 {
	shard := s.shards.of(maphash.Comparable(s.b.seed, u))
	if shard.came.full() {
		s.turn(shard)
	}
	page := shard.came.last
	page.unit = append(page.unit, u)
	page.key = append(page.key, group)
	n := len(page.values)
	page.values = page.values[:n+s.b.width]
	return page.values[n:]
}

// turn begins a page. A shard that outgrows its limit, and what was kept of it, is
// condensed: so memory follows what is kept. Where caps cut off less than half of the
// rows that is not worth it, and all shards wait until they are four times as large.
func (s *Source[Unit, Key]) turn(shard *shard[Unit]) {
	if s.b.within != nil {
		s.turnLimited(shard)
		return
	}
	if rows := shard.came.len(); rows >= max(s.limit, shard.kept.len()) && !s.condense(shard) {
		s.limit = 4 * max(s.limit, rows)
	}
	shard.came.next(func(rows int) *columns[Unit] { return newColumns[Unit](rows, s.b.width) })
}

// condense keeps of a shard what caps allow, and reports whether that is at most half. If
// not, nothing is changed.
func (s *Source[Unit, Key]) condense(shard *shard[Unit]) bool {
	if s.part == nil {
		s.part = newPart(s.b)
	}
	s.part.begin(s.names.chooseBy(), s.number)
	s.part.loadShard(shard, nil)
	kept := s.part.condensed()
	if kept == nil {
		return false
	}
	shard.kept = kept
	shard.came.clear()
	return true
}
