package bound

import (
	"cmp"
	"hash/maphash"
	"iter"
	"slices"
)

// A Roster keeps of every unit which groups it is in: at most reach of them, chosen at
// random, and in a random order. What is kept of a unit depends on the rows of this
// unit and on the seed, and on nothing else. Proof: docs/proofs/bounding.md.
type Roster[Unit, Key comparable] struct {
	reach int
	seed  maphash.Seed
	units map[Unit]*places[Key]
}

// places are the groups of one unit. Behind the first tidy ones, which are in order and
// all different, come those that were added since.
type places[Key comparable] struct {
	all  []item[Key]
	tidy int
}

// NewRoster returns an empty Roster whose choices are those of the seed.
func NewRoster[Unit, Key comparable](reach int, seed maphash.Seed) *Roster[Unit, Key] {
	return &Roster[Unit, Key]{reach: reach, seed: seed, units: make(map[Unit]*places[Key])}
}

// Add says that a unit has a row in a group.
func (r *Roster[Unit, Key]) Add(u Unit, k Key) {
	p := r.units[u]
	if p == nil {
		p = new(places[Key])
		r.units[u] = p
	}
	p.all = append(p.all, item[Key]{maphash.Comparable(r.seed, pair[Unit, Key]{u, k}), k})
	if len(p.all) > 2*p.tidy+16 {
		p.order(r.reach)
	}
}

// order puts the groups in order, each once, and forgets those out of reach. A group
// that was forgotten never comes back to stay: its priority is always the same, and
// reach others come before it.
func (p *places[Key]) order(reach int) {
	slices.SortStableFunc(p.all, func(a, b item[Key]) int { return cmp.Compare(a.priority, b.priority) })
	kept := p.all[:0]
	for _, at := range p.all {
		if len(kept) < reach && !again(kept, at) {
			kept = append(kept, at)
		}
	}
	p.all, p.tidy = kept, len(kept)
}

// again reports whether a group is among those of its priority, which are the last. That
// none is there twice does not rest on the hash: a unit would count twice in it.
func again[Key comparable](kept []item[Key], at item[Key]) bool {
	for i := len(kept) - 1; i >= 0 && kept[i].priority == at.priority; i-- {
		if kept[i].value == at.value {
			return true
		}
	}
	return false
}

// Units yields, for every unit, the groups that were kept, in their order. The order of
// the units is that of a map.
func (r *Roster[Unit, Key]) Units() iter.Seq[[]Key] {
	return func(yield func([]Key) bool) {
		for _, p := range r.units {
			p.order(r.reach)
			groups := make([]Key, len(p.all))
			for i, at := range p.all {
				groups[i] = at.value
			}
			if !yield(groups) {
				return
			}
		}
	}
}
