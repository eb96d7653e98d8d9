package sample

import "math/bits"

// tableStep is the number of table entries that scan compares in one round.
// Tables are padded with zeros to a multiple of it.
const tableStep = 4

// scan counts the entries of a table above r: the inverse of a distribution
// function at r, found by reading all of it, so that neither the time nor the
// memory touched tells the answer. If tie is not zero, r equals an entry, and
// the count is undecided.
func scan(table []uint64, r uint64) (count, tie uint64) {
	nearest := uint64(1) // 0 once r-entry was 0
	for t := table; len(t) >= tableStep; t = t[tableStep:] {
		d0, b0 := bits.Sub64(r, t[0], 0)
		d1, b1 := bits.Sub64(r, t[1], 0)
		d2, b2 := bits.Sub64(r, t[2], 0)
		d3, b3 := bits.Sub64(r, t[3], 0)
		count, _ = bits.Add64(count, 0, b0)
		count, _ = bits.Add64(count, 0, b1)
		count, _ = bits.Add64(count, 0, b2)
		count, _ = bits.Add64(count, 0, b3)
		nearest = min(nearest, min(d0, d1), min(d2, d3))
	}
	return count, isZero(nearest)
}

// isZero is 1 if x is 0, else 0, without a branch.
func isZero(x uint64) uint64 {
	_, b := bits.Sub64(x, 1, 0)
	return b
}
