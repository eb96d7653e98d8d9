package quantile

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// A law says how likely each transcript of a plan is: the positions that were
// drawn, level by level, of which only the cells are released.
type law map[string]float64

// A model is the mechanism written as plainly as possible: the weight of every
// part of every cell in a list, and every candidate looked at. It shares nothing
// with the product but the plan's ranks. Its mistakes are planted.
type model struct {
	each    []float64 // base measure of a cell
	ranks   []float64
	epsilon float64
	records int
	parts   int

	rateTimes float64 // 1, or how much too steep
	whole     bool    // both sides get all records of the cell that was drawn
}

func (m model) law(counts []int) law {
	weights := m.weights(counts)
	l := law{}
	for _, o := range m.outcomes(weights, 0, len(weights), 0, len(m.ranks), 0, 1) {
		l[fmt.Sprint(o.drawn)] += o.p
	}
	return l
}

// afterFirst returns, for each first draw, the law of what is drawn after it.
func (m model) afterFirst(counts []int) map[int]law {
	weights := m.weights(counts)
	laws := make(map[int]law)
	for _, o := range m.outcomes(weights, 0, len(weights), 0, len(m.ranks), 0, 1) {
		first := o.drawn[len(m.ranks)/2]
		if laws[first] == nil {
			laws[first] = law{}
		}
		laws[first][fmt.Sprint(o.drawn)] += o.p
	}
	for _, l := range laws {
		sum := 0.0
		for _, p := range l {
			sum += p
		}
		for o := range l {
			l[o] /= sum
		}
	}
	return laws
}

// Released returns the law of the cells that are released, in order.
func (m model) Released(counts []int) law {
	l := law{}
	for _, o := range m.outcomes(m.weights(counts), 0, len(counts)*m.parts, 0, len(m.ranks), 0, 1) {
		var at []int64
		for _, x := range o.drawn {
			at = append(at, int64(min(x/m.parts, len(counts)-1)))
		}
		slices.Sort(at)
		l[fmt.Sprint(at)] += o.p
	}
	return l
}

func (m model) weights(counts []int) []float64 {
	var weights []float64
	for _, n := range counts {
		for range m.parts {
			weights = append(weights, float64(n)/float64(m.parts))
		}
	}
	return weights
}

// An outcome is what was drawn for some ranks, in their order.
type outcome struct {
	drawn []int
	p     float64
}

// outcomes returns all that can be drawn for ranks[from:to] between two
// positions.
func (m model) outcomes(weights []float64, lo, hi, from, to int, low, high float64) []outcome {
	if from == to {
		return []outcome{{nil, 1}}
	}
	if to-from == 2 && len(m.ranks) == 2 { // each by itself
		var all []outcome
		for _, a := range m.outcomes(weights, lo, hi, 0, 1, 0, 1) {
			for _, b := range m.outcomes(weights, lo, hi, 1, 2, 0, 1) {
				all = append(all, outcome{slices.Concat(a.drawn, b.drawn), a.p * b.p})
			}
		}
		return all
	}
	mid := (from + to) / 2
	split := to-from > 1
	xs, probs := []int{lo}, []float64{1}
	if lo < hi {
		xs, probs = m.candidates(weights, lo, hi, (m.ranks[mid]-low)/(high-low), split)
	}
	var all []outcome
	for i, x := range xs {
		left, right := x, x
		if m.whole && split && x < hi {
			left, right = min((x/m.parts+1)*m.parts, hi), max(x/m.parts*m.parts, lo)
		}
		for _, a := range m.outcomes(weights, lo, left, from, mid, low, m.ranks[mid]) {
			for _, b := range m.outcomes(weights, right, hi, mid+1, to, m.ranks[mid], high) {
				all = append(all, outcome{slices.Concat(a.drawn, []int{x}, b.drawn), probs[i] * a.p * b.p})
			}
		}
	}
	return all
}

// candidates returns the positions that can be drawn and their probabilities.
func (m model) candidates(weights []float64, lo, hi int, q float64, split bool) (xs []int, probs []float64) {
	all := total(weights[lo:hi])
	rate := m.rateTimes * m.epsilon / (2 * max(q, 1-q) * float64(m.records))
	sum := 0.0
	for x := lo; x < hi; {
		next := x + 1
		if !split {
			next = min((x/m.parts+1)*m.parts, hi)
		}
		before, until := total(weights[lo:x]), total(weights[lo:next])
		if split {
			until = before
		}
		cost := max(0, before-q*all, q*all-until)
		w := m.each[x/m.parts] * math.Exp(-rate*cost)
		at := x
		if !split {
			at = x / m.parts * m.parts
		}
		xs, probs = append(xs, at), append(probs, w)
		sum += w
		x = next
	}
	for i := range probs {
		probs[i] /= sum
	}
	return xs, probs
}

func total(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum
}

// histograms yields every way to put at most n records into so many cells.
func histograms(cells, n int, yield func([]int)) {
	counts := make([]int, cells)
	var put func(cell, left int)
	put = func(cell, left int) {
		if cell == cells {
			yield(slices.Clone(counts))
			return
		}
		for k := range left + 1 {
			counts[cell] = k
			put(cell+1, left-k)
		}
		counts[cell] = 0
	}
	put(0, n)
}

// losses returns the least and the largest log ratio of two laws.
func losses(a, b law) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for o, p := range a {
		l := math.Log(p / b[o])
		low, high = min(low, l), max(high, l)
	}
	return low, high
}

// hockeyStick returns the least δ for which two laws are (ε, δ) alike, one way.
func hockeyStick(a, b law, epsilon float64) float64 {
	delta := 0.0
	for o, p := range a {
		delta += max(p-math.Exp(epsilon)*b[o], 0)
	}
	return delta
}

// divergence returns the Rényi divergence of an order above 1.
func divergence(a, b law, order float64) float64 {
	sum := 0.0
	for o, p := range a {
		if p > 0 {
			sum += p * math.Pow(p/b[o], order-1)
		}
	}
	return math.Log(sum) / (order - 1)
}

func randomCounts(r *rand.Rand, cells, most int) []int {
	counts := make([]int, cells)
	for i := range counts {
		if r.IntN(2) == 0 {
			counts[i] = r.IntN(most + 1)
		}
	}
	return counts
}
