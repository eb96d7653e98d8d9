package bound

import (
	"hash/maphash"
	"math"
)

// A dictionary numbers keys in the order in which they come. It is a table of open addresses:
// a place is 32 bits of the keyed hash of a key and its number, plus one, so that a key is
// hashed once, and looked at where it is.
type dictionary[Key comparable] struct {
	seed   maphash.Seed
	closed bool // other keys than those that are there have no number
	places []uint64
	keys   []Key
	hashes []uint64

	keyed   func(Key) uint64 // makes choices, if it is not nil, and not the hash
	choices []uint64         // of the keys, if there is one

	bytes, perKey int64         // that keys take, if that is counted
	text          func(Key) int // bytes of the strings of a key; or nil

	last   Key // that was asked for last, and its number, if there is one
	lastID uint32
}

// newDictionary returns one of given keys, or an open one if there are none.
func newDictionary[Key comparable](given []Key, seed maphash.Seed, keyed func(Key) uint64) *dictionary[Key] {
	d := &dictionary[Key]{seed: seed, keyed: keyed, places: make([]uint64, 64)}
	for _, k := range given {
		d.id(k)
	}
	d.closed = given != nil
	return d
}

// id returns the number of a key, and whether it has one.
func (d *dictionary[Key]) id(k Key) (uint32, bool) {
	if k == d.last && len(d.keys) > 0 {
		return d.lastID, true
	}
	hash := maphash.Comparable(d.seed, k)
	mask := uint64(len(d.places) - 1)
	at := hash & mask
	for ; d.places[at] != 0; at = (at + 1) & mask {
		if p := d.places[at]; p>>32 == hash>>32 && d.keys[uint32(p)-1] == k {
			d.last, d.lastID = k, uint32(p)-1
			return d.lastID, true
		}
	}
	if d.closed || len(d.keys) == math.MaxUint32-1 {
		return 0, false
	}
	d.add(k, hash, at)
	return d.lastID, true
}

// add adds a key, whose place is free. Half of the places are free always.
func (d *dictionary[Key]) add(k Key, hash, at uint64) {
	d.last, d.lastID = k, uint32(len(d.keys))
	d.keys, d.hashes = append(d.keys, k), append(d.hashes, hash)
	d.places[at] = hash>>32<<32 | uint64(len(d.keys))
	if d.bytes += d.perKey; d.text != nil {
		d.bytes += int64(d.text(k))
	}
	if d.keyed != nil {
		d.choices = append(d.choices, d.keyed(k))
	}
	if 2*len(d.keys) < len(d.places) {
		return
	}
	d.places = make([]uint64, 2*len(d.places))
	mask := uint64(len(d.places) - 1)
	for id, hash := range d.hashes {
		at := hash & mask
		for d.places[at] != 0 {
			at = (at + 1) & mask
		}
		d.places[at] = hash>>32<<32 | uint64(id+1)
	}
}

// chooseBy returns the hashes of the keys that choices are made by.
func (d *dictionary[Key]) chooseBy() []uint64 {
	if d.keyed != nil {
		return d.choices
	}
	return d.hashes
}
