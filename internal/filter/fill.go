package filter

// Fill returns how many copies of a charge fit, at most most, and the filter with
// as many. It counts in steps that double and then halve: the sums only grow, so
// what does not fit now does not fit later.
func Fill(f Filter, p *Price, most int64) (int64, Filter) {
	f = f.Clone()
	var n int64
	for step := int64(1); step > 0 && n < most; {
		step = min(step, most-n)
		if g, ok := addCopies(f, p, step); ok {
			f, n, step = g, n+step, 2*step
		} else {
			step /= 2
		}
	}
	return n, f
}

// FillAll adds n copies of a charge that all fit in one way, as they nearly always do, or
// returns false: then [Fill] says whether they fit in several.
func FillAll(f Filter, p *Price, n int64) (Filter, bool) {
	g, ok := addCopies(f.Clone(), p, n)
	return g, ok && n > 0
}

// addCopies adds n copies that are all taken in one way.
func addCopies(f Filter, p *Price, n int64) (Filter, bool) {
	w := f.Decide(p)
	if w == Refused {
		return f, false
	}
	g := f.Clone()
	g.Add(p, w, n-1)
	if g.Decide(p) != w {
		return f, n == 1
	}
	g.Add(p, w, 1)
	return g, true
}
