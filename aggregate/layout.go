package aggregate

import (
	"math"
	"math/big"
	"slices"

	"github.com/equipoise-dp/equipoise/internal/core"
)

// A layout says how long the numbers of a vector are to each other: how far a record may
// move them. It is chosen for the least noise of the columns, in mean logarithm, each of
// its weight; it follows from public numbers alone, and whatever it is, the noise is for the
// norm that it has.
type layout struct {
	count, take, people float64   // take and people are 0 without a centre
	values              []float64 // at most 1
	norm                float64   // of what a unit moves by: in a group or, with a centre, in all
}

// A reads is a number that a column reads from a vector: so many times the count and, of
// how far values are from their middle in halves of their bounds, so many times the sum.
type reads struct{ half, middle, weight float64 }

// readsOf returns what columns read of wants. A mean is that of values half way between
// the middle of their bounds and an end.
func readsOf(columns []column, weights map[column]*big.Rat, selects bool) map[want][]reads {
	all := make(map[want][]reads)
	for _, c := range columns {
		w := wantOf(columns, c, selects)
		r := reads{middle: 1, weight: 1}
		if given := weights[c]; given != nil {
			r.weight, _ = given.Float64()
		}
		switch half, middle := w.halves(); c.kind {
		case kindSum:
			r.half, r.middle = half, middle
		case kindMean:
			r.half, r.middle = half, half/2
		}
		all[w] = append(all[w], r)
	}
	return all
}

// readings returns what is read of a want, with weights that add up to 1.
func (q question) readings(w want) []reads {
	half, middle := w.halves()
	all := []reads{{half, middle, 1}}
	if given := q.reads[w]; len(given) > 0 {
		all = slices.Clone(given)
	}
	sum := 0.0
	for _, r := range all {
		sum += r.weight
	}
	for i := range all {
		all[i].weight /= sum
	}
	return all
}

// The lengths that are tried: counts in quarters of a value, what the centre takes in
// sixteenths of the count, and the number of units in fractions of the norm, each a quarter
// of an octave from the next.
const (
	mostQuarters   = 32
	mostSixteenths = 24
	mostOctaves    = 4
)

// layout returns the best layout of wants.
func (q question) layout(ws []want, f core.Family, centred bool) layout {
	values, squares := q.lengths(ws), 0.0
	for _, length := range values {
		squares += length * length
	}
	if f == core.Laplace {
		return layout{count: 1, values: values, norm: 1}
	}
	read, weights := q.lengthened(ws)
	best, least := layout{}, math.Inf(1)
	try := func(l layout) {
		if cost := q.cost(read, weights, l, centred); cost < least {
			best, least = l, cost
		}
	}
	hopeless := func(l layout) bool { // with any number of people
		l.people = math.Inf(1)
		return q.cost(read, weights, l, centred) > least+1e-9
	}
	for quarters := 1; quarters <= mostQuarters; quarters++ {
		l := layout{count: float64(quarters) / 4, values: values}
		record := l.count*l.count + squares
		l.norm = math.Sqrt(record)
		try(l)
		for sixteenths := 1; centred && sixteenths <= mostSixteenths; sixteenths++ {
			l.take = l.count * float64(sixteenths) / 16
			in, away, all := record+l.take*(l.take-2*l.count), l.take*l.take, float64(q.groups)
			groups := all*away + max(in-away, (in-away)*float64(q.l0))
			if l.norm = math.Sqrt(groups); hopeless(l) {
				continue
			}
			for step := range 4*mostOctaves + 1 {
				l.people = math.Sqrt(groups) * math.Exp2(-float64(step)/4)
				l.norm = math.Sqrt(groups + l.people*l.people)
				try(l)
			}
		}
	}
	return best
}

// lengths returns how long values are: as the roots of their weights, so that noise is as
// with shares of the loss in proportion to them.
func (q question) lengths(ws []want) (lengths []float64) {
	most := 0.0
	for _, w := range ws {
		if weight, _ := q.weight(w).Float64(); w.value != nil {
			most = max(most, weight)
		}
	}
	for _, w := range ws {
		if weight, _ := q.weight(w).Float64(); w.value != nil {
			lengths = append(lengths, math.Sqrt(weight/most))
		}
	}
	return lengths
}

// A read number of a vector, as its cost is worked out.
type lengthened struct {
	reads
	share float64 // of all that is read: the weight of the want, times that of the number in it
	value int     // whose length it is, or -1
}

// lengthened returns all that is read of wants, and the sum of the weights of the wants.
func (q question) lengthened(ws []want) (all []lengthened, weights float64) {
	value := 0
	for _, w := range ws {
		weight, _ := q.weight(w).Float64()
		at := -1
		if w.value != nil {
			at = value
			value++
		}
		for _, r := range q.readings(w) {
			all = append(all, lengthened{r, weight * r.weight, at})
		}
		weights += weight
	}
	return all, weights
}

// cost returns the mean logarithm of the noise of what is read, if all of it had a share
// of 1.
func (q question) cost(all []lengthened, weights float64, l layout, centred bool) float64 {
	norm := l.norm
	if l.take == 0 && centred {
		norm *= math.Sqrt(float64(q.l0))
	}
	back := 1 / l.count
	if l.take > 0 {
		back = math.Hypot(back, l.take/l.count/l.people)
	}
	sum := 0.0
	for _, r := range all {
		value := math.Inf(1)
		if r.value >= 0 {
			value = l.values[r.value]
		}
		sum += r.share * math.Log(norm*math.Hypot(r.half/value, r.middle*back))
	}
	return sum / weights
}
