package bound

import (
	"hash/maphash"
	"math"
)

// A dictionary numbers keys in the order in which they come.
type dictionary[Key comparable] struct {
	seed   maphash.Seed
	closed bool // other keys than those that are there have no number
	ids    map[Key]uint32
	keys   []Key
	hashes []uint64
	last   uint32 // the number that was asked for last
}

// newDictionary returns one of given keys, or an open one if there are none.
func newDictionary[Key comparable](given []Key, seed maphash.Seed) *dictionary[Key] {
	d := &dictionary[Key]{seed: seed, ids: make(map[Key]uint32, len(given))}
	for _, k := range given {
		d.id(k)
	}
	d.closed = given != nil
	return d
}

// id returns the number of a key, and whether it has one.
func (d *dictionary[Key]) id(k Key) (uint32, bool) {
	if int(d.last) < len(d.keys) && d.keys[d.last] == k {
		return d.last, true
	}
	id, ok := d.ids[k]
	if !ok {
		if d.closed || len(d.keys) == math.MaxUint32 {
			return 0, false
		}
		id = uint32(len(d.keys))
		d.ids[k] = id
		d.keys = append(d.keys, k)
		d.hashes = append(d.hashes, maphash.Comparable(d.seed, k))
	}
	d.last = id
	return id, true
}
