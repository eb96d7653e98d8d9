// Package search finds where a condition changes, by halving.
package search

import "math"

// Edge returns two arguments between which a condition changes. It holds at yes
// and not at no: both were seen, unless they are the ends that were given, which
// are taken on trust. It halves what is between them until nothing is, or until
// they are near. A nil near is never. yes may be above no or below it.
//
// Where the condition changes more than once, Edge finds one change. Ends must be
// finite, and not further apart than the largest number of their type.
func Edge[T int64 | uint64 | float64](yes, no T, near func(yes, no T) bool, holds func(T) bool) (y, n T) {
	for near == nil || !near(yes, no) {
		high := max(yes, no)
		mid := high - (high-min(yes, no))/2
		if mid == yes || mid == no {
			break
		}
		if holds(mid) {
			yes = mid
		} else {
			no = mid
		}
	}
	return yes, no
}

// Absolute says that floats are near if they differ by at most d.
func Absolute(d float64) func(yes, no float64) bool {
	return func(yes, no float64) bool { return math.Abs(yes-no) <= d }
}

// Times says that floats are near after so many halvings. It can be used once.
func Times(n int) func(yes, no float64) bool {
	return func(float64, float64) bool { n--; return n < 0 }
}

// Relative says that floats are near if they differ by at most d of the one at
// which the condition holds.
func Relative(d float64) func(yes, no float64) bool {
	return func(yes, no float64) bool { return math.Abs(yes-no) <= d*math.Abs(yes) }
}
