package aggregate

import "math"

// votesSeen are noisy numbers of votes by half octaves of size, and what is made of them. Nothing
// here is private, and no guarantee depends on it. With these constants sums of the data sets of
// examples/accuracy are about as near to the truth as with the best bounds.
type votesSeen struct {
	counts       []float64
	noise        float64 // a Laplace law's scale, or what has as large a standard deviation
	all          float64 // votes that are surely there
	above, below bool    // 0: on which side votes are to be seen
	top          int     // the largest size that is seen
}

const (
	roomForMore = 20   // half octaves beyond the largest
	clearly     = 3    // times the scale of noise is more than noise
	further     = 0.7  // more for each half octave from the most popular size: a false one is as bad as it is far
	mostGoesOn  = 0.6  // of a size the next one has at most, beyond what is seen
	mistaken    = 1e-4 // the probability that where nobody is, something is seen
	typical     = 0.85 // of the largest of a size is a mean value of it
)

// visible reports whether there are votes on one side of 0.
func (t *votesSeen) visible(side []float64) bool {
	return side[fullest(side)] > t.noise*math.Log(2*float64(len(side))/mistaken)
}

func (t *votesSeen) seen() bool { return t.above || t.below }

func fullest(counts []float64) (at int) {
	for h, n := range counts {
		if n > counts[at] {
			at = h
		}
	}
	return at
}

// least returns how many votes are seen at a size, so far from the most popular one.
func (t *votesSeen) least(distance int) float64 {
	return t.noise * (clearly + further*float64(distance))
}

// goOn replaces the numbers beyond the largest size that is seen.
func (t *votesSeen) goOn() {
	mode := fullest(t.counts)
	for h, n := range t.counts {
		t.counts[h] = max(n, 0)
		if h == mode || h > mode && n > t.least(h-mode) {
			t.top = h
		}
	}
	tail := t.parabola(mode)
	for h := t.top + 1; h < len(t.counts); h++ {
		t.counts[h] = min(tail(h), t.counts[h-1]*mostGoesOn, t.least(h-mode))
	}
}

// parabola fits one that does not open upwards to the logarithms of what is seen from a size on,
// by weighted least squares, and returns it as numbers.
func (t *votesSeen) parabola(from int) func(h int) float64 {
	var powers [5]float64
	var right [3]float64
	for h := from; h <= t.top; h++ {
		n, x := t.counts[h], float64(h-from)
		if n < 1 {
			continue
		}
		w := 1 / (2*t.noise*t.noise/(n*n) + 1/n + 0.05)
		for k := range powers {
			powers[k] += w * math.Pow(x, float64(k))
		}
		for k := range right {
			right[k] += w * math.Pow(x, float64(k)) * math.Log(n)
		}
	}
	p := solved([3][4]float64{{powers[0], powers[1], powers[2], right[0]}, {powers[1], powers[2], powers[3], right[1]}, {powers[2], powers[3], powers[4], right[2]}})
	if p[2] > 0 {
		p = solved([3][4]float64{{powers[0], powers[1], 0, right[0]}, {powers[1], powers[2], 0, right[1]}, {0, 0, 1, 0}})
	}
	return func(h int) float64 { x := float64(h - from); return math.Exp(p[0] + x*(p[1]+x*p[2])) }
}

// solved returns the solution of equations, with 0 for what they do not tell.
func solved(m [3][4]float64) (x [3]float64) {
	for i := range m {
		for k := range m {
			if k == i || math.Abs(m[i][i]) < 1e-9 {
				continue
			}
			factor := m[k][i] / m[i][i]
			for l := range m[k] {
				m[k][l] -= factor * m[i][l]
			}
		}
	}
	for i := range m {
		if math.Abs(m[i][i]) >= 1e-9 {
			x[i] = m[i][3] / m[i][i]
		}
	}
	return x
}

// best returns the bound on |value| with the least sum of the squares of noise and of what is
// cut off, in quarters of an octave.
func (t *votesSeen) best(s *sizes, records, noise float64) (bound float64) {
	least := math.Inf(1)
	for quarters := range 2 * len(t.counts) {
		u := rounded(s.largest(float64(quarters) / 2))
		off := 0.0
		for h, n := range t.counts {
			off += n * max(typical*s.largest(float64(h))-u, 0)
		}
		if cost := math.Hypot(off*records/max(t.all, 1), noise*u); cost < least {
			least, bound = cost, u
		}
	}
	return bound
}
