package aggregate

import (
	"math"

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

// A reads is a number that columns read from a vector: so many times the count and, of
// how far values are from their middle in halves of their bounds, so many times the sum.
type reads struct{ half, middle float64 }

// readings returns what a want is for. The first one is its own column; a pair also
// counts, and its mean is that of values half way between the middle and an end.
func (w want) readings() []reads {
	half, middle := w.halves()
	all := []reads{{half, middle}}
	if w.form == formPair {
		all = append(all, reads{0, 1}, reads{half, half / 2})
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
	best, least := layout{}, math.Inf(1)
	try := func(l layout) {
		if cost := q.cost(ws, l, centred); cost < least {
			best, least = l, cost
		}
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

// cost returns the mean logarithm of the noise of what is read, if all of it had a share
// of 1.
func (q question) cost(ws []want, l layout, centred bool) float64 {
	norm := l.norm
	if l.take == 0 && centred {
		norm *= math.Sqrt(float64(q.l0))
	}
	back := 1 / l.count
	if l.take > 0 {
		back = math.Hypot(back, l.take/l.count/l.people)
	}
	sum, weights, i := 0.0, 0.0, 0
	for _, w := range ws {
		weight, _ := q.weight(w).Float64()
		value := math.Inf(1)
		if w.value != nil {
			value = l.values[i]
			i++
		}
		all := w.readings()
		for _, r := range all {
			sum += weight / float64(len(all)) * math.Log(norm*math.Hypot(r.half/value, r.middle*back))
		}
		weights += weight
	}
	return sum / weights
}
