package questioner

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// A vector is several numbers that are released together: of every record a 1, and of
// each value how many half steps it is from the middle of its bounds, each times what
// the receipt says.
type vector struct {
	aggregate.ReceiptMeasure
	perUnit bool
	values  []int // which of the question's are in it
}

const (
	perUnitVector = "numbers per unit"
	perRowVector  = "numbers per row"
)

// vectors returns the vectors of a release, or what is wrong with one.
func (q *question) vectors(r release) (all []vector, problem string) {
	for _, m := range r.receipt.Measures {
		if m.Name != perUnitVector && m.Name != perRowVector {
			if m.Numbers != nil {
				return nil, fmt.Sprintf("the receipt has numbers of %q", m.Name)
			}
			continue
		}
		v := vector{ReceiptMeasure: m, perUnit: m.Name == perUnitVector}
		if problem = q.readVector(&v, r); problem == "" {
			problem = q.charged(v)
		}
		if problem != "" {
			return nil, fmt.Sprintf("the receipt says %+v: %s", m, problem)
		}
		all = append(all, v)
	}
	return all, ""
}

// readVector notes the values of a vector: their sums are asked for, and nothing else of
// them, and no other measure has them.
func (q *question) readVector(v *vector, r release) (problem string) {
	count := map[bool]string{false: "count", true: "units"}[v.perUnit]
	if len(v.Numbers) < 2 || v.Numbers[0].Name != count {
		return fmt.Sprintf("it must be the %s and a sum at least", count)
	}
	answered := len(v.Numbers) - 1
	if slices.ContainsFunc(q.columns, func(c column) bool { return c.what == count }) {
		answered++
	}
	for _, n := range v.Numbers[1:] {
		i := slices.IndexFunc(q.values, func(s spec) bool { return s.perUnit == v.perUnit && s.name+" sum" == n.Name })
		if i < 0 || slices.Contains(v.values, i) || !q.asksOnlySumOf(i) {
			return fmt.Sprintf("%q has no place in it", n.Name)
		}
		if slices.ContainsFunc(r.receipt.Measures, func(m aggregate.ReceiptMeasure) bool { return m.Name == n.Name }) {
			return fmt.Sprintf("%q is measured twice", n.Name)
		}
		v.values = append(v.values, i)
	}
	if answered < 2 {
		return "it answers one column"
	}
	return ""
}

func (q *question) asksOnlySumOf(value int) bool {
	asked := false
	for _, c := range q.columns {
		if c.value == value && c.what != "sum" {
			return false
		}
		asked = asked || c.value == value
	}
	return asked
}

// A reach is how much one record moves a number at most, and how much it would move it
// if the number were multiplied with one more.
type reach struct{ now, next *big.Int }

// reaches returns the reach of every number. A value is at most half of its bounds from
// their middle, which is as many half steps as the bounds have steps.
func (q *question) reaches(v vector) (all []reach) {
	for i, n := range v.Numbers {
		halves := big.NewInt(1)
		if i > 0 {
			s := &q.values[v.values[i-1]]
			halves.Sub(s.end(true), s.end(false))
		}
		now := new(big.Int).Mul(halves, big.NewInt(n.Times))
		all = append(all, reach{now, new(big.Int).Add(now, halves)})
	}
	return all
}

// charged says how what a vector is charged for differs from what a unit moves: it may
// be in so many groups, with so many records in each that are all at the same ends of
// their bounds. No charge may be for less, nor for so much more that a number could have
// been multiplied with one more, or the norm rounded up to one more.
func (q *question) charged(v vector) string {
	records, charge := big.NewInt(int64(q.recordsOf(v.perUnit))), big.NewInt(v.Sensitivity.LInf)
	if v.Sensitivity.L0 != int64(q.groupsOfUnit()) {
		return fmt.Sprintf("a unit is in %d groups", q.groupsOfUnit())
	}
	switch v.Mechanism {
	case dp.CubeNorm: // of a change whose largest number is the charge
		for i, number := range q.reaches(v) {
			now, next := number.now.Mul(number.now, records), number.next.Mul(number.next, records)
			if now.Cmp(charge) > 0 || next.Cmp(charge) <= 0 {
				return fmt.Sprintf("a unit moves number %d by %v", i, now)
			}
		}
		return ""
	case dp.DiscreteGaussian: // of a change whose L2 norm is the charge
		square := new(big.Int)
		for _, number := range q.reaches(v) {
			moved := number.now.Mul(number.now, records)
			square.Add(square, moved.Mul(moved, moved))
		}
		less := new(big.Int).Sub(charge, records)
		if charge.Mul(charge, charge).Cmp(square) < 0 || less.Mul(less, less).Cmp(square) >= 0 {
			return fmt.Sprintf("a unit moves a group by a vector whose norm has the square %v", square)
		}
		return ""
	}
	return "there is no such noise of vectors"
}

// recordsOf returns how many records a unit has in a group.
func (q *question) recordsOf(perUnit bool) int {
	if perUnit {
		return 1
	}
	return q.maxRows
}

// drawVector draws a question of counts and sums of one kind of record.
func drawVector(seed uint64) *question {
	q := drawSingle(seed)
	d := draw{rand.New(rand.NewPCG(seed, 23))}
	perUnit := d.chance(0.5)
	q.values, q.columns = nil, nil
	if d.chance(0.7) {
		q.columns = append(q.columns, column{what: map[bool]string{false: "count", true: "units"}[perUnit], value: -1})
	}
	for len(q.values) < 2+d.IntN(2) {
		s := d.spec(len(q.values))
		if s.perUnit = perUnit; summable(&s) {
			q.columns = append(q.columns, column{what: "sum", value: len(q.values)})
			q.values = append(q.values, s)
		}
	}
	return q
}

// deviationOf returns the standard deviation of a column that is read from a vector,
// and 0 for others. Numbers of a vector are uncorrelated. That of a sum is the middle of the
// bounds times the count, and half a step times its own.
func (q *question) deviationOf(v vector, c column) float64 {
	n := float64(len(v.Numbers))
	change, groups := float64(v.Sensitivity.LInf), float64(q.groupsOfUnit())
	var each float64
	switch l := q.loss.(type) {
	case dp.Pure: // a radius of Gamma(n+1) times a uniform number
		each = math.Sqrt((n+1)*(n+2)/3) * groups * change / l.Epsilon
	case dp.Concentrated:
		each = math.Sqrt(groups) * change / math.Sqrt(2*l.Rho)
	}
	ofCount := each / float64(v.Numbers[0].Times)
	if c.value < 0 {
		return ofCount
	}
	i := slices.Index(v.values, c.value)
	if i < 0 {
		return 0
	}
	s := &q.values[c.value]
	step, _ := s.grid.Float64()
	middle := (s.inSteps(false) + s.inSteps(true)) / 2 * step
	return math.Hypot(middle*ofCount, step/2*each/float64(v.Numbers[i+1].Times))
}
