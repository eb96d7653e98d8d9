package aggregate

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
)

// An origin says which units a Partial may hold: those of one slice of a space. Units of
// slices that do not overlap are different ones. Of different spaces nothing is known, but that whoever
// collected says that no unit is in two of them.
type origin struct {
	space
	keyed      bool // the space is that of a secret
	number, of uint32
}

// A space is the name of one way to split units: that of a secret, or one that is drawn for a
// Partial, and for a Collector and all that comes of it, and is not split.
type space [16]byte

// newSpace returns a name that no other space has. It is no secret.
func newSpace() (s space) {
	for i := 0; i < len(s); i += 8 {
		binary.BigEndian.PutUint64(s[i:], maphash.Bytes(maphash.MakeSeed(), nil))
	}
	return s
}

// before orders slices by where they begin: those of one space do not overlap if each
// ends where the next begins, or before.
func (o origin) before(p origin) int {
	if c := slices.Compare(o.space[:], p.space[:]); c != 0 {
		return c
	}
	return cmp.Or(compare(o.number, o.of, p.number, p.of), compare(o.number+1, o.of, p.number+1, p.of))
}

// compare compares a/b and c/d.
func compare(a, b, c, d uint32) int { return cmp.Compare(uint64(a)*uint64(d), uint64(c)*uint64(b)) }

// overlaps reports whether a unit may be in both, where p does not begin before o.
func (o origin) overlaps(p origin) bool {
	return o.space == p.space && compare(p.number, p.of, o.number+1, o.of) < 0
}

func (o origin) shard() Shard { return Shard{Number: int(o.number), Of: int(o.of)} }

// originsOf returns the origins of what is merged, in order, or an error if a unit may be in
// two of the Partials.
func originsOf[Group comparable](partials []*partial[Group]) ([]origin, error) {
	type placed struct {
		origin
		part int
	}
	var all []placed
	for i, p := range partials {
		for _, o := range p.origins {
			all = append(all, placed{o, i})
		}
	}
	if len(all) > mostShards {
		return nil, fmt.Errorf("aggregate: %d parts are too many, merge at most %d", len(all), mostShards)
	}
	slices.SortFunc(all, func(a, b placed) int { return cmp.Or(a.before(b.origin), cmp.Compare(a.part, b.part)) })
	origins := make([]origin, len(all))
	for i, o := range all {
		origins[i] = o.origin
		if i == 0 {
			continue
		}
		last := all[i-1]
		switch {
		case last.overlaps(o.origin) && o.keyed:
			return nil, fmt.Errorf("aggregate: Partials %d and %d hold %v and %v, which overlap; a unit would count twice: take one of them", last.part, o.part, last.shard(), o.shard())
		case last.overlaps(o.origin):
			return nil, fmt.Errorf("aggregate: Partials %d and %d are the same, or hold the same; a unit would count twice", last.part, o.part)
		case last.space != o.space && (last.keyed || o.keyed):
			return nil, fmt.Errorf("aggregate: Partials %d and %d are not shards of one secret, so the same units may be in both; collect all with one secret, or none with any", last.part, o.part)
		}
	}
	return origins, nil
}

// complete returns an error if shards are missing. Origins are in order.
func complete(origins []origin) error {
	if len(origins) == 0 || !origins[0].keyed {
		return nil
	}
	last := origin{of: 1}
	end := func(gap string) error {
		return fmt.Errorf("aggregate: not all shards are there: %s; collect those that are missing, also if they have no rows", gap)
	}
	for i, o := range origins {
		if compare(last.number, last.of, o.number, o.of) != 0 {
			if i == 0 {
				return end("the first is " + o.shard().String())
			}
			return end(fmt.Sprintf("after %v comes %v", origins[i-1].shard(), o.shard()))
		}
		last = origin{number: o.number + 1, of: o.of}
	}
	if last.number != last.of {
		return end("the last is " + origins[len(origins)-1].shard().String())
	}
	return nil
}

var errWiped = errors.New("aggregate: the Partial was wiped; collect again")
