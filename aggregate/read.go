package aggregate

import (
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// Reading a cell takes rationals, which know every number exactly: see [estimate]. But what
// is read most often, the value and its standard deviation, are floats or integers, and those
// two floats in place of a rational tell as well, nearly always for sure. Where they do not,
// rationals do: the numbers are the same bit by bit.

// A quick is what is read of a cell without rationals: whole is the value of an integer
// column.
type quick struct {
	value, stdDev float64
	whole         int64
	unknown       bool
}

// A quickly has what does not depend on the cell.
type quickly struct {
	weights             []exact.Near // of the sums
	ones, positions     []exact.Near // of the sums, in the count of a mean and in its sum of positions, see [moment]
	onesOf, positionsOf []float64    // of the parts
	middle, arm         exact.Near
	armFloat, unit      float64
	first, step         exact.Near // of a quantile: the value of the first point, and of a step
	stdDev              float64    // of what is linear in the noise, and of what nothing is known of
	noise               float64    // how large a count must be for a mean
	least, most         float64    // the range of the value
}

// newQuickly returns nil for columns that are read from rationals alone.
func newQuickly(a answer) *quickly {
	m := a.measure
	if a.value != nil && a.kind != kindMean && !a.value.integer && a.value.bits < 64 {
		return nil // a float32 is rounded once
	}
	switch a.kind {
	case kindCount, kindUnits, kindSum, kindDistinct:
		return quicklyLinear(a)
	case kindMean:
		return quicklyMean(a)
	case kindQuantile:
		return quicklyRanked(m)
	}
	return nil
}

// ends sets the range.
func (q *quickly) ends(within span) {
	q.least, q.most = math.Inf(-1), math.Inf(1)
	if within.least != nil {
		q.least, _ = within.least.Float64()
	}
	if within.most != nil {
		q.most, _ = within.most.Float64()
	}
}

// unknown is what is said of a number of which nothing is known.
func (q *quickly) unknown() quick {
	return quick{value: math.NaN(), stdDev: q.most/2 - q.least/2, unknown: true}
}

// clamp brings a value into the range. Rounding is monotone, so it may come first.
func (q *quickly) clamp(x float64) float64 { return min(max(x, q.least), q.most) }

// quickly reads a cell, and reports whether that is sure.
func (a *answer) quickly(cell Cell) (q quick, known bool) {
	switch {
	case a.quick == nil || cell.of.large != nil:
		return q, false
	case a.kind == kindMean:
		return a.quick.mean(a.measure, cell.of.sumsOf(cell.at, a.measure))
	case a.kind == kindQuantile:
		return a.quick.ranked(a, &cell.of.ranksOf(cell.at, a.measure)[a.index])
	}
	return a.quick.linear(a, cell.of.sumsOf(cell.at, a.measure))
}

func quicklyLinear(a answer) *quickly {
	q := &quickly{}
	q.ends(a.within)
	var floats []float64
	for _, w := range a.weights {
		each := new(big.Rat).Quo(w, a.measure.recordSize())
		float, _ := each.Float64()
		floats = append(floats, float)
		q.weights = append(q.weights, exact.NearRat(each))
	}
	q.stdDev = a.measure.law.CombinedStdDev(floats...)
	return q
}

// linear reads a count or a sum, see [together]. The ends of its range are 0, or none.
func (q *quickly) linear(a *answer, sums []exact.Int128) (r quick, known bool) {
	var value exact.Near
	for i, sum := range sums {
		value = value.Add(q.weights[i].Mul(exact.NearInt(sum)))
	}
	r.stdDev = q.stdDev
	if !a.integer() {
		r.value, known = value.Float64()
		r.value = q.clamp(r.value)
		return r, known
	}
	r.whole, known = value.Round()
	if q.least == 0 {
		r.whole = max(r.whole, 0)
	}
	if q.most == 0 {
		r.whole = min(r.whole, 0)
	}
	return r, known
}

// mostWeights is of how many numbers means are read without rationals.
const mostWeights = 8

func quicklyMean(a answer) *quickly {
	o, size := a.moment(nil), a.partSize()
	if len(o.ones.near) > mostWeights {
		return nil
	}
	q := &quickly{middle: exact.NearRat(o.middle), arm: exact.NearRat(o.arm), unit: o.unit, onesOf: o.ones.near, positionsOf: o.positions.near}
	for i, one := range o.ones.exact {
		q.ones = append(q.ones, exact.NearRat(new(big.Rat).Quo(one, size)))
		q.positions = append(q.positions, exact.NearRat(new(big.Rat).Quo(o.positions.exact[i], size)))
	}
	q.armFloat, _ = o.arm.Float64()
	q.noise = o.countNoise()
	q.ends(o.bounds)
	return q
}

// mean reads a mean, see [Cell.mean].
func (q *quickly) mean(m *measure, sums []exact.Int128) (r quick, known bool) {
	var count, position exact.Near
	for i, sum := range sums {
		x := exact.NearInt(sum)
		count, position = count.Add(q.ones[i].Mul(x)), position.Add(q.positions[i].Mul(x))
	}
	n, known := count.Float64()
	switch {
	case !known:
		return r, false
	case !(n > q.noise) && !(core.Noiseless() && n > 0):
		return q.unknown(), true
	}
	position = position.Quo(count)
	value, valueKnown := q.middle.Add(q.arm.Mul(position)).Float64()
	at, known := position.Float64()
	var room [mostWeights]float64
	weights := shifted(room[:len(sums)], q.positionsOf, q.onesOf, min(max(at, -1), 1))
	for i := range weights {
		weights[i] *= q.unit
	}
	r.value = q.clamp(value)
	r.stdDev = min(q.armFloat*m.law.CombinedStdDev(weights...)/max(n, q.unit), q.armFloat)
	return r, known && valueKnown
}

func quicklyRanked(m *measure) *quickly {
	q := &quickly{first: exact.NearRat(m.grid.Lower), step: exact.NearRat(m.grid.Step)}
	within := m.valueSpan()
	q.ends(within)
	q.stdDev = withoutInterval(nil, within).stdDev
	return q
}

// ranked reads a quantile, see [measure.quantile]. Points are in the order of their values.
func (q *quickly) ranked(a *answer, of *ranked) (r quick, known bool) {
	least, most := a.measure.grid.Range()
	value, lowKnown, highKnown := q.at(min(max(of.Point, least), most)), true, true
	if r.stdDev = q.stdDev; len(of.Lows) > 0 {
		if low, high := of.Lows[unknownAt], of.Highs[unknownAt]; low <= least && high >= most && low < high && !core.Noiseless() {
			return q.unknown(), !a.integer()
		}
		var low, high float64
		low, lowKnown = q.at(of.Lows[stdDevAt]).Float64()
		high, highKnown = q.at(of.Highs[stdDevAt]).Float64()
		r.stdDev = (high - low) / 2
	}
	if a.integer() {
		r.whole, known = value.Round()
	} else {
		r.value, known = value.Float64()
	}
	return r, known && lowKnown && highKnown
}

// at returns the value of a point.
func (q *quickly) at(point int64) exact.Near {
	return q.first.Add(q.step.Mul(exact.NearInt(exact.Int(point))))
}
