package sample

import "github.com/equipoise-dp/equipoise/internal/search"

func whole(n uint64) real {
	return func(p uint) interval { return wholeInterval(n, p) }
}

// smaller tells whether x < y. It does not return if they are equal: callers
// must know that they are not.
func smaller(x, y real) bool {
	for p := uint(128); ; p *= 2 {
		a, b := x(p), y(p)
		if a.hi.Cmp(b.lo) < 0 {
			return true
		}
		if b.hi.Cmp(a.lo) < 0 {
			return false
		}
	}
}

// lastThat returns the largest m that holds, for a condition that holds at 0 and
// never again once it has failed. A good guess makes it fast; a bad one does
// not make it wrong.
func lastThat(guess uint64, holds func(m uint64) bool) uint64 {
	low, high := uint64(0), guess
	if guess == 0 || holds(guess) {
		low, high = guess, guess+1
		for step := uint64(1); holds(high); step *= 2 {
			low, high = high, high+step
		}
	} else {
		for step := uint64(1); step < high; step *= 2 {
			if holds(high - step) {
				low = high - step
				break
			}
			high -= step
		}
	}
	low, _ = search.Edge(low, high, nil, holds)
	return low
}
