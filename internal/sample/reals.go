package sample

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

// search returns the largest m that holds, for a condition that holds at 0 and
// never again once it has failed.
func search(holds func(m uint64) bool) uint64 {
	high := uint64(1)
	for holds(high) {
		high *= 2
	}
	low := high / 2
	for high-low > 1 {
		if mid := low + (high-low)/2; holds(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}
