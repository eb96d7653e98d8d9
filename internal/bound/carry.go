package bound

import "hash/maphash"

// A Carried row is one that a source keeps, as it can be put into a source of another
// bounder with the same [Keyed] hashes.
type Carried[Unit, Key comparable] struct {
	Unit     Unit
	Key      Key
	Values   []int64
	Priority uint64
	Seen     uint64 // how many rows of its cell there were, see part.rank; at least 1
}

// Carry yields what a source keeps, and changes nothing. It reports false if done ended it.
// Values are overwritten after.
func (s *Source[Unit, Key]) Carry(done func() bool, yield func(Carried[Unit, Key])) bool {
	p := newPart(s.b)
	p.done = done
	for part := range Parts {
		p.begin(s.names.chooseBy(), s.number)
		p.loadShard(s.shards.part(part), nil)
		kept := p.ranked(new(columns[Unit]))
		if done() {
			return false
		}
		for j, u := range kept.unit {
			yield(Carried[Unit, Key]{u, s.names.keys[kept.key[j]], kept.values[j*p.width:][:p.width], kept.priority[j], kept.seen[j]})
		}
	}
	return true
}

// Put takes a row that another source kept, before any is added. All rows of a unit are put
// into one source, and added to it.
func (s *Source[Unit, Key]) Put(r Carried[Unit, Key]) {
	group, ok := s.Group(r.Key)
	if !ok {
		return
	}
	shard := s.shards.of(maphash.Comparable(s.b.seed, r.Unit))
	if shard.kept == nil {
		shard.kept = new(columns[Unit])
	}
	k := shard.kept
	k.unit, k.key, k.values = append(k.unit, r.Unit), append(k.key, group), append(k.values, r.Values...)
	k.priority, k.seen = append(k.priority, r.Priority), append(k.seen, r.Seen)
}
