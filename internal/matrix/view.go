package matrix

import "math"

// A Span is a run of periods, from the first to the one before To.
type Span struct{ From, To int }

// A View is what people will read: the sums over some spans, and how much it matters
// how exact they are.
type View struct {
	Spans  []Span
	Weight float64
}

// at returns the weight of row u in the sum over a span: a row of B, where A = B·C.
func (r reading) at(u int, v Span) float64 { return r.total(v.To-u) - r.total(v.From-u) }

// A reading holds running totals of an inverse, from which the weights of every sum
// follow.
type reading struct {
	totals []float64 // of the first i coefficients
}

func (r reading) total(n int) float64 {
	if n <= 0 {
		return 0
	}
	return r.totals[n]
}

func newReading(inverse []float64) reading {
	r := reading{make([]float64, len(inverse)+1)}
	for i, g := range inverse {
		r.totals[i+1] = r.totals[i] + g
	}
	return r
}

// A Reader knows how exact the sums are that are read from a strategy's rows.
type Reader struct {
	strategy *Strategy
	reading
	level [][]float64 // weights of rows in the running totals of a level strategy
}

// Reader returns what reads the strategy.
func (s *Strategy) Reader() *Reader {
	r := &Reader{strategy: s, reading: newReading(s.inverse)}
	if s.level != nil {
		r.level = s.levelTotals()
	}
	return r
}

// Covariance returns Σ b[u]·d[u] over the rows, with b and d the weights of two sums: how
// the noise of them goes together, if each row has noise of variance 1 in units of
// x. The covariance of a sum with itself is its variance.
func (r *Reader) Covariance(v, w Span) float64 {
	if c := r.strategy.centred; c != nil {
		return c.covariance(v, w)
	}
	if l := r.level; l != nil {
		return product(l[v.From], l[v.To], l[w.From], l[w.To], min(v.To, w.To))
	}
	sum := 0.0
	for u := range min(v.To, w.To) {
		sum += r.at(u, v) * r.at(u, w)
	}
	return sum
}

// Error returns the root of the mean variance of the sums of a view, if each row has
// noise of variance 1.
func (r *Reader) Error(v View) float64 {
	sum := 0.0
	for _, span := range v.Spans {
		sum += r.Covariance(span, span)
	}
	return math.Sqrt(sum / float64(len(v.Spans)))
}

// Relative returns the error of a view as a multiple of what independent noise has, for
// the same guarantee. The sensitivities are those of the strategy and of independent
// noise, squared.
func (r *Reader) Relative(v View, squares, independent float64) float64 {
	length := 0.0
	for _, span := range v.Spans {
		length += float64(span.To - span.From)
	}
	return r.Error(v) * math.Sqrt(squares/independent*float64(len(v.Spans))/length)
}
