package sample

// tableStep is the number of table entries that scan compares in one round.
// Tables are padded with zeros to a multiple of it.
const tableStep = 4

// scan counts the entries of a table above r: the inverse of a distribution
// function at r, found by reading all of it, so that neither the time nor the
// memory touched tells the answer. If tie is not zero, r equals an entry, and
// the count is undecided.
func scan(table []uint64, r uint64) (count, tie uint64) {
	var below, above uint64
	for t := table; len(t) >= tableStep; t = t[tableStep:] {
		below, above = compare(r, t[0], below, above)
		below, above = compare(r, t[1], below, above)
		below, above = compare(r, t[2], below, above)
		below, above = compare(r, t[3], below, above)
	}
	return below, below + above ^ uint64(len(table))
}
