package aggregate

import (
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// Change returns how much larger the column is in one group of a release than in
// another: what [dp.Estimate.Minus] says, but where groups share noise, as those of one
// vector of all groups do. What they share then cancels in counts and sums, so that the
// interval is narrower; of means it is as wide as if all their noise were one, where the
// two lie on different sides of the middle of their bounds. Like [Column.Of] it panics if
// the column is not in the plan of a cell.
func (c Column[T]) Change(from, to Cell) dp.Estimate[float64] {
	a := to.plan().answers[c.answer(to)]
	if !a.measure.common(from, to) {
		return c.Of(to).Minus(c.Of(from))
	}
	if a.kind != kindMean {
		return typed[float64](difference(from, to, a))
	}
	before, after := c.Of(from), c.Of(to)
	if before.Unknown || after.Unknown || from.moment(a).position()*to.moment(a).position() >= 0 {
		return alone(after).Minus(alone(before)) // what they share makes them alike
	}
	value := float64(after.Value) - float64(before.Value)
	return dp.NewEstimate(value, before.StdDev+after.StdDev, dp.Spread[float64](apart[T]{before, after, sourcesOf([]Cell{from, to}, a)}))
}

// common reports whether two cells share noise that the measure has: they do if they
// are of one release, and so have the same noisy number of units.
func (m *measure) common(a, b Cell) bool {
	if m.joint == nil || m.joint.centre == nil || a.plan() != b.plan() {
		return false
	}
	at := m.first + m.joint.people()
	return a.sums()[at].Cmp(b.sums()[at]) == 0
}

// difference estimates a count or a sum of one cell less that of another, of which the
// number of units cancels.
func difference(from, to Cell, a answer) estimate {
	law, people := a.measure.law, a.measure.joint.people()
	after, weights := to.weighted(a)
	before, others := from.weighted(a)
	value := after.Sub(after, before)
	weights = append(weights[:people:people], others[:people]...)
	interval := func(confidence float64) (lo, hi *big.Rat) {
		half := exact.Float(law.Combined(confidence, weights...))
		if half == nil {
			return nil, nil
		}
		return new(big.Rat).Sub(value, half), new(big.Rat).Add(value, half)
	}
	return estimate{value: value, stdDev: law.CombinedStdDev(weights...), interval: interval, linear: true, sources: func() []any { return sourcesOf([]Cell{from, to}, a) }}
}

// alone returns an estimate that does not say what noise it shares.
func alone[T dp.Number](e dp.Estimate[T]) dp.Estimate[T] {
	return dp.NewEstimate(e.Value, e.StdDev, dp.Spread[T](ends[T]{e}))
}

// ends are the ends of an estimate, and nothing else of it.
type ends[T dp.Number] struct{ of dp.Estimate[T] }

// Interval implements dp.Spread.
func (e ends[T]) Interval(confidence float64) (lo, hi T) { return e.of.Interval(confidence) }

// apart is the spread of a difference whose noise may be that of two estimates at once.
type apart[T dp.Number] struct {
	before, after dp.Estimate[T]
	sources       []any
}

// Sources is for [dp.Spread].
func (a apart[T]) Sources() []any { return a.sources }

// Interval implements dp.Spread.
func (a apart[T]) Interval(confidence float64) (lo, hi float64) {
	lowBefore, highBefore := a.before.Interval(confidence)
	lowAfter, highAfter := a.after.Interval(confidence)
	return float64(lowAfter) - float64(highBefore), float64(highAfter) - float64(lowBefore)
}
