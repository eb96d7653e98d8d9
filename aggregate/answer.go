package aggregate

import (
	"math/big"
	"slices"
)

// An answer is how a column is read from what is released: from which measure, and
// with which weights.
type answer struct {
	column
	measure *measure
	weights []*big.Rat // of the parts of the measure, for counts and sums
	within  span       // of counts and sums
	index   int        // of a quantile, among those of the measure
	quick   *quickly   // or nil
}

// answerColumns works out every answer.
func (c *compiled) answerColumns(asked []column, selects bool) {
	for _, column := range asked {
		w := wantOf(asked, column, selects)
		a := newAnswer(column, c.find(w.form, w.value))
		a.quick = newQuickly(a)
		c.answers = append(c.answers, a)
	}
}

// answerOf returns which answer is that of a column, or -1.
func (c *compiled) answerOf(asked column) int {
	for i := range c.answers {
		if a := &c.answers[i].column; a.kind == asked.kind && a.value == asked.value && *a == asked {
			return i
		}
	}
	return -1
}

func newAnswer(c column, m *measure) answer {
	a := answer{column: c, measure: m}
	switch c.kind {
	case kindCount, kindUnits, kindDistinct:
		a.weights, a.within = m.countWeights(), span{least: new(big.Rat)}
	case kindSum:
		if m.joint != nil {
			a.weights, a.within = m.joint.sumWeights(c.value), m.joint.of(c.value).sumSpan()
			return a
		}
		a.weights, a.within = m.sumWeights(), m.sumSpan()
	case kindQuantile:
		a.index = slices.Index(m.quantiles, c)
	}
	return a
}

// on returns the measure whose grid an answer is on: of the value, where several numbers
// are one vector.
func (a answer) on() *measure {
	if a.measure.joint != nil && a.value != nil {
		return a.measure.joint.of(a.value)
	}
	return a.measure
}

// quantilesOf returns the quantiles that are asked of a value.
func quantilesOf(asked []column, v *value) []column {
	var all []column
	for _, c := range asked {
		if c.kind == kindQuantile && c.value == v {
			all = append(all, c)
		}
	}
	return all
}

// countWeights returns the weights of the parts whose sum is the count of
// records.
func (m *measure) countWeights() []*big.Rat {
	if m.joint != nil {
		return m.joint.countWeights()
	}
	weights := make([]*big.Rat, m.parts())
	for i := range weights {
		weights[i] = big.NewRat(1, 1)
	}
	return weights
}

// sumWeights returns the weights of the parts whose sum is the sum of the value:
// the value at the points where a part alone is 1. (In Bernstein's basis a
// linear function has the same weights as in Lagrange's.)
func (m *measure) sumWeights() []*big.Rat {
	if m.form == formTotal {
		return []*big.Rat{m.grid.Step}
	}
	last := int64(m.parts() - 1)
	var weights []*big.Rat
	for i := range last + 1 {
		weights = append(weights, m.grid.Value(new(big.Rat).Mul(big.NewRat(i, last), big.NewRat(m.grid.Cells, 1))))
	}
	return weights
}

// valueSpan returns the ends of what one record can be.
func (m *measure) valueSpan() span {
	least, most := m.grid.Range()
	return span{m.grid.Value(big.NewRat(least, 1)), m.grid.Value(big.NewRat(most, 1))}
}

// sumSpan returns what is known of sums of any number of records: of values that
// are never negative, they are not negative either.
func (m *measure) sumSpan() (sums span) {
	values := m.valueSpan()
	if values.least.Sign() >= 0 {
		sums.least = new(big.Rat)
	}
	if values.most.Sign() <= 0 {
		sums.most = new(big.Rat)
	}
	return sums
}
