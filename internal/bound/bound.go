// Package bound limits what one privacy unit contributes.
//
// Rows become columns. They are split by a keyed hash of their unit, so that all rows
// of a unit are in one part; each part is sorted by unit, and of each unit the rows of
// at most Caps.Keys groups and at most Caps.Rows rows in each are kept, chosen at
// random. What is kept of a unit depends on the rows of this unit and on the seed, and
// on nothing else: not on other units, nor on the order in which units come, nor on how
// much memory there was. Proof: docs/proofs/bounding.md.
package bound

import (
	"hash/maphash"
	"slices"
)

// Caps limit what is kept of one unit.
type Caps struct {
	Keys int // groups
	Rows int // rows in each of them
}

// A Bounder keeps rows within caps. Its choices are those of the seed, or of [Keyed] hashes.
//
// They come from a keyed hash (hash/maphash), which is not a cipher. The sensitivity
// does not rest on it: whatever it returns, the caps hold.
type Bounder[Unit, Key comparable] struct {
	caps    Caps
	width   int // values of a row
	given   []Key
	seed    maphash.Seed
	odd     uint64 // spreads the numbers of groups
	done    func() bool
	limit   int // see firstLimit
	sources []*Source[Unit, Key]
	keyed   *Keyed[Unit, Key] // or nil
	within  *Limit            // or nil

	groups  []Key
	hashes  []uint64   // of the groups
	renamed [][]uint32 // for each source but the first, its groups among all
}

// New returns an empty Bounder for rows of so many values. If groups are given, rows of
// others are left out. Work ends soon after done returns true, unfinished; it is called by
// several goroutines.
func New[Unit, Key comparable](caps Caps, width int, given []Key, seed maphash.Seed, done func() bool) *Bounder[Unit, Key] {
	return &Bounder[Unit, Key]{caps: caps, width: width, given: given, seed: seed, odd: maphash.Comparable(seed, 0) | 1, done: done, limit: firstLimit}
}

// Keyed are hashes with a key that outlives a process, which a seed does not: whoever has
// the key makes the same choices of the same rows.
type Keyed[Unit, Key comparable] struct {
	Unit  func(Unit) (hash uint64, in bool) // a unit that is not in is as if it had no rows
	Group func(Key) uint64

	// ByValue tells the rows of a unit in a group apart by their values and by how many equal
	// ones there are, and not by when they came and from where. So what is kept of them does not depend on
	// that; but all of them are kept until it is chosen.
	ByValue bool
}

// ChooseBy makes choices those of keyed hashes. It is called before there are sources, if
// it is called.
func (b *Bounder[Unit, Key]) ChooseBy(k *Keyed[Unit, Key]) { b.keyed = k }

// names returns a dictionary of groups.
func (b *Bounder[Unit, Key]) names() *dictionary[Key] {
	if b.keyed != nil {
		return newDictionary(b.given, b.seed, b.keyed.Group)
	}
	return newDictionary(b.given, b.seed, nil)
}

// Groups ends the reading of rows. It returns all groups, those given or those that
// rows have; groups are named by their number in it. It is called once. If done returns true meanwhile they are of no use.
func (b *Bounder[Unit, Key]) Groups() []Key {
	all := b.names()
	if len(b.sources) == 1 {
		all = b.sources[0].names
	}
	b.renamed = make([][]uint32, len(b.sources))
	for i, s := range b.sources {
		if b.given != nil || len(b.sources) == 1 {
			continue
		}
		for j, k := range s.names.keys {
			if j%often == often-1 && b.done() {
				break
			}
			id, _ := all.id(k)
			b.renamed[i] = append(b.renamed[i], id)
		}
	}
	b.groups, b.hashes = all.keys, all.chooseBy()
	return b.groups
}

// Filled returns the parts that have rows, in their order.
func (b *Bounder[Unit, Key]) Filled() []int {
	var parts []int
	for part := range Parts {
		if slices.ContainsFunc(b.sources, func(s *Source[Unit, Key]) bool { return s.shards.has(part) }) {
			parts = append(parts, part)
		}
	}
	return parts
}

// Parts is how many parts there are.
const Parts = 1 << partBits

// partBits is how many bits of the hash of a unit say in which part its rows are.
const partBits = 9
