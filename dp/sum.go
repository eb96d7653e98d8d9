package dp

import (
	"math"
	"slices"
)

// A sum is the spread of a sum of estimates, as the noise left it. Those that share noise
// are in one part, which is independent of the others.
type sum struct{ parts [][]operand }

// sumOf returns the sum of operands, as the noise left it.
func sumOf(a, b operand) operand {
	s := sum{a.parts()}
	for _, p := range b.parts() {
		s.parts = with(s.parts, p)
	}
	return operand{raw: s.Raw(), lo: a.lo + b.lo, hi: a.hi + b.hi, rawRange: [2]float64{a.rawRange[0] + b.rawRange[0], a.rawRange[1] + b.rawRange[1]}}
}

// parts returns what an operand is the sum of.
func (o operand) parts() [][]operand {
	if s, ok := o.raw.own().(sum); ok {
		return s.parts
	}
	return [][]operand{{o}}
}

// with returns parts and one more, which becomes one with those that it has a source in
// common with.
func with(parts [][]operand, p []operand) (all [][]operand) {
	mine := sourcesIn(p)
	for _, other := range parts {
		if len(mine) > 0 && slices.ContainsFunc(other, func(o operand) bool { return mine.sharedBy(o) }) {
			p = append(other[:len(other):len(other)], p...)
		} else {
			all = append(all, other)
		}
	}
	return append(all, p)
}

// A sourceSet is what the noise of some operands came from.
type sourceSet map[any]bool

func sourcesIn(part []operand) sourceSet {
	set := make(sourceSet)
	for _, o := range part {
		for _, source := range o.raw.sources() {
			set[source] = true
		}
	}
	return set
}

func (s sourceSet) sharedBy(o operand) bool {
	return slices.ContainsFunc(o.raw.sources(), func(source any) bool { return s[source] })
}

// sources returns what the noise of an estimate came from, as far as its spread says.
func (e Estimate[T]) sources() []any {
	if s, ok := e.own().(interface{ Sources() []any }); ok {
		return s.Sources()
	}
	return nil
}

// Interval implements Spread. Of a part of n numbers that share noise, each is held at a
// confidence at which all n are together, so that their sum is.
func (s sum) Interval(confidence float64) (lo, hi float64) {
	value := 0.0
	var below, above []reach
	for _, part := range s.parts {
		var down, up reach
		for _, o := range part {
			d, u := o.reaches(Jointly(confidence, len(part)))
			down, up = down.and(d), up.and(u)
			value += o.raw.Value
		}
		below, above = append(below, down), append(above, up)
	}
	return value - join(below), value + join(above)
}

// Sources is for [Spread].
func (s sum) Sources() (all []any) {
	for _, part := range s.parts {
		for _, o := range part {
			all = append(all, o.raw.sources()...)
		}
	}
	return all
}

// Raw is what [Estimate.Raw] returns. No noise of a sum is wider than all of it in one
// direction.
func (s sum) Raw() Estimate[float64] {
	value, stdDev := 0.0, 0.0
	for _, part := range s.parts {
		most := 0.0
		for _, o := range part {
			value += o.raw.Value
			most += o.raw.StdDev
		}
		stdDev = math.Hypot(stdDev, most)
	}
	return NewEstimate(value, stdDev, Spread[float64](s))
}

// times returns k times an operand.
func (o operand) times(k float64) operand {
	ends := func(lo, hi float64) (float64, float64) {
		return min(product(k, lo), product(k, hi)), max(product(k, lo), product(k, hi))
	}
	t := operand{raw: Estimate[float64]{Value: k * o.raw.Value, StdDev: math.Abs(k) * o.raw.StdDev, Unknown: o.raw.Unknown, spread: scaled{k, o.raw}}}
	t.lo, t.hi = ends(o.lo, o.hi)
	t.rawRange[0], t.rawRange[1] = ends(o.rawRange[0], o.rawRange[1])
	if s, ok := o.raw.own().(sum); ok {
		t.raw = s.times(k).Raw()
	}
	return t
}

func (s sum) times(k float64) sum {
	parts := make([][]operand, len(s.parts))
	for i, part := range s.parts {
		for _, o := range part {
			parts[i] = append(parts[i], o.times(k))
		}
	}
	return sum{parts}
}

// product is k·x, and 0 if k is.
func product(k, x float64) float64 {
	if k == 0 {
		return 0
	}
	return k * x
}

// scaled is the spread of an estimate times a number.
type scaled struct {
	by float64
	of Estimate[float64]
}

// Interval implements Spread.
func (s scaled) Interval(confidence float64) (lo, hi float64) {
	lo, hi = s.of.Interval(confidence)
	if s.by < 0 {
		lo, hi = hi, lo
	}
	return product(s.by, lo), product(s.by, hi)
}

// Sources is for [Spread].
func (s scaled) Sources() []any { return s.of.sources() }
