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
//
// A vector with a centre is of all groups: of the count of each, so much is taken for
// every unit that is in any of them, and how many these are is one more number, times
// what the receipt says.
type vector struct {
	aggregate.ReceiptMeasure
	perUnit      bool
	own          []aggregate.ReceiptNumber // of each group
	values       []int                     // which of the question's are in it
	people, take int64                     // 0 without a centre
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

// readVector notes the values of a vector: their sums are asked for, or with Gaussian noise
// their means, and nothing else of them that a vector could not answer; and no other
// measure has them.
func (q *question) readVector(v *vector, r release) (problem string) {
	v.own = v.Numbers
	if n := len(v.Numbers) - 2; n > 0 && v.Numbers[n].Name == "units in any group" && v.Numbers[n+1].Name == "taken from every group" {
		v.own, v.people, v.take = v.Numbers[:n], v.Numbers[n].Times, v.Numbers[n+1].Times
		if problem := q.mayHaveCentre(v); problem != "" {
			return problem
		}
	}
	count := map[bool]string{false: "count", true: "units"}[v.perUnit]
	if len(v.own) < 2 && v.people == 0 || v.own[0].Name != count {
		return fmt.Sprintf("it must be the %s and a sum at least", count)
	}
	answered := len(v.own) - 1
	if slices.ContainsFunc(q.columns, func(c column) bool { return c.what == count }) {
		answered++
	}
	for _, n := range v.own[1:] {
		i := slices.IndexFunc(q.values, func(s spec) bool {
			return s.perUnit == v.perUnit && (s.name+" sum" == n.Name || s.name+" mean" == n.Name)
		})
		if i < 0 || slices.Contains(v.values, i) || !q.mayBeIn(v, i, n.Name) {
			return fmt.Sprintf("%q has no place in it", n.Name)
		}
		if slices.ContainsFunc(r.receipt.Measures, func(m aggregate.ReceiptMeasure) bool { return m.Name == n.Name }) {
			return fmt.Sprintf("%q is measured twice", n.Name)
		}
		v.values = append(v.values, i)
	}
	if answered < 1 || answered < 2 && v.people == 0 {
		return "it answers one column"
	}
	return ""
}

// mayHaveCentre says why a vector may have none: groups that are selected do not stand
// before rows are read, and of two records in a group the count could move by more than a unit
// is taken for.
func (q *question) mayHaveCentre(v *vector) string {
	if v.Mechanism != dp.DiscreteGaussian || len(q.given) < 2 || q.recordsOf(v.perUnit) != 1 || v.people < 1 || v.take < 1 {
		return fmt.Sprintf("a vector of %d groups with %d records of a unit has a centre", len(q.given), q.recordsOf(v.perUnit))
	}
	return ""
}

// mayBeIn reports whether a value may be in a vector by this name: after the most that is
// asked of it, which a cube answers only if it is the sum alone.
func (q *question) mayBeIn(v *vector, value int, name string) bool {
	sums, means, others, moments := 0, 0, 0, 0
	for _, c := range q.columns {
		switch {
		case c.value != value:
		case c.what == "sum":
			sums++
		case c.what == "mean":
			means++
		case c.what == "quantile":
			others++
		default:
			moments++
		}
	}
	asked := q.values[value].name + map[bool]string{false: " sum", true: " mean"}[means > 0]
	return name == asked && sums+means > 0 && moments == 0 && (v.Mechanism == dp.DiscreteGaussian || means+others == 0)
}

// A reach is how much one record moves a number at most, and how much it would move it
// if the number were multiplied with one more.
type reach struct{ now, next *big.Int }

// reaches returns the reach of every number. A value is at most half of its bounds from
// their middle, which is as many half steps as the bounds have steps.
func (q *question) reaches(v vector) (all []reach) {
	for i, n := range v.own {
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
	groups := q.groupsOfUnit()
	if v.people > 0 {
		groups = 1 // one vector of all of them
	}
	if v.Sensitivity.L0 != int64(groups) {
		return fmt.Sprintf("a unit is in %d groups", groups)
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
		square := q.moved(v, records)
		less := new(big.Int).Sub(charge, records)
		if charge.Mul(charge, charge).Cmp(square) < 0 || less.Mul(less, less).Cmp(square) >= 0 {
			return fmt.Sprintf("a unit moves a group, or all of them, by a vector whose norm has the square %v", square)
		}
		return ""
	}
	return "there is no such noise of vectors"
}

// moved returns the square of the L2 norm of the most that a unit moves: of a group, or
// with a centre of all groups, of which it is in any number that the caps allow.
func (q *question) moved(v vector, records *big.Int) *big.Int {
	reaches := q.reaches(v)
	square := func(x *big.Int) *big.Int { return new(big.Int).Mul(x, x) }
	values := new(big.Int)
	for _, number := range reaches[1:] {
		values.Add(values, square(number.now.Mul(number.now, records)))
	}
	count := reaches[0].now.Mul(reaches[0].now, records)
	if v.people == 0 {
		return values.Add(values, square(count))
	}
	most := new(big.Int)
	for in := 1; in <= q.groupsOfUnit(); in++ {
		sum := square(big.NewInt(v.people))
		for group := range q.given {
			if group < in {
				sum.Add(sum, values)
				sum.Add(sum, square(new(big.Int).Sub(count, big.NewInt(v.take))))
			} else {
				sum.Add(sum, square(big.NewInt(v.take)))
			}
		}
		if sum.Cmp(most) > 0 {
			most = sum
		}
	}
	return most
}

// recordsOf returns how many records a unit has in a group.
func (q *question) recordsOf(perUnit bool) int {
	if perUnit {
		return 1
	}
	return q.maxRows
}

// drawVector draws a question of counts, sums and means of one kind of record.
func drawVector(seed uint64) *question {
	q := drawSingle(seed)
	d := draw{rand.New(rand.NewPCG(seed, 23))}
	if d.chance(0.3) {
		q.maxRows = 1
	}
	perUnit := d.chance(0.5)
	q.values, q.columns = nil, nil
	if d.chance(0.7) {
		q.columns = append(q.columns, column{what: map[bool]string{false: "count", true: "units"}[perUnit], value: -1})
	}
	for len(q.values) < 2+d.IntN(2) {
		s := d.spec(len(q.values))
		if s.perUnit = perUnit; summable(&s) {
			q.columns = append(q.columns, column{what: "sum", value: len(q.values)})
			if _, gaussian := q.loss.(dp.Concentrated); gaussian && d.chance(0.2) { // with a cube means are apart
				q.columns = append(q.columns, column{what: "mean", value: len(q.values)})
			}
			q.values = append(q.values, s)
		}
	}
	return q
}

// deviationOf returns the standard deviation of a column that is read from a vector,
// and 0 for others and for what is not linear in it. Numbers of a vector are uncorrelated.
// A count has what was taken put back by the number of units that are in any group. A sum is
// the middle of the bounds times the count, and half a step times its own number.
func (q *question) deviationOf(v vector, c column) float64 {
	n := float64(len(v.own))
	change, groups := float64(v.Sensitivity.LInf), float64(q.groupsOfUnit())
	if v.people > 0 {
		groups = 1
	}
	var each float64
	switch l := q.loss.(type) {
	case dp.Pure: // a radius of Gamma(n+1) times a uniform number
		each = math.Sqrt((n+1)*(n+2)/3) * groups * change / l.Epsilon
	case dp.Concentrated:
		each = math.Sqrt(groups) * change / math.Sqrt(2*l.Rho)
	}
	ofCount := each / float64(v.own[0].Times)
	if v.people > 0 {
		ofCount *= math.Hypot(1, float64(v.take)/float64(v.people))
	}
	if c.value < 0 && q.countsWith(v) {
		return ofCount
	}
	i := slices.Index(v.values, c.value)
	if c.value < 0 || i < 0 || c.what != "sum" {
		return 0
	}
	s := &q.values[c.value]
	step, _ := s.grid.Float64()
	middle := (s.inSteps(false) + s.inSteps(true)) / 2 * step
	return math.Hypot(middle*ofCount, step/2*each/float64(v.own[i+1].Times))
}

// countsWith reports whether a vector answers the count: the first value of which a mean
// or more is asked does, where there is one.
func (q *question) countsWith(v vector) bool {
	for _, c := range q.columns {
		if slices.Contains([]string{"mean", "variance", "deviation"}, c.what) && q.values[c.value].perUnit == v.perUnit {
			return slices.Contains(v.values, c.value)
		}
	}
	return true
}
