package aggregate

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/calibrate"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/grid"
)

// A joint is several numbers of one record as one vector: 1, for the count, and of
// each value how far it is from the middle of its bounds. What is released are the sums of
// these, so that a number is at most half of its bounds away from 0, and the count, which
// puts the middle back, is there for nothing. Proof: docs/proofs/cube.md.
//
// With pure losses noise is that of a cube: of vectors whose largest number changes by no
// more than a limit, as here all of them may (the K-norm mechanism of Hardt, Talwar 2010
// for the set of all records; Joseph, Yu 2024). With Gaussian noise the count has as much
// of the norm as serves the columns best.
type joint struct {
	answers []want // the counts and sums that are read from it
	perUnit bool
	values  []*value
	grids   []*grid.Grid
	times   []int64 // what each number is multiplied with: the count, then the values
	inputs  []int   // where the values are among the inputs of the plan

	alone float64 // how much wider the noise would be, on average, without it
}

// joinable returns the wants of one kind that may be one vector: counts, and sums of
// values of which nothing else is asked, all of one weight.
func (q question) joinable(perUnit bool) []want {
	var ws []want
	for _, w := range q.wants {
		counts := w.form == formUnits && perUnit && !q.selects || w.form == formRows && !perUnit
		sums := w.form == formTotal && w.value.perUnit == perUnit && len(q.formsOf(w.value)) == 1
		if (counts || sums) && (len(ws) == 0 || q.weight(w).Cmp(q.weight(ws[0])) == 0) {
			ws = append(ws, w)
		}
	}
	return ws
}

// joints returns the joint measures that serve their columns better than a measure for
// each of them would.
func (q question) joints(f core.Family, scale scaler) []*measure {
	var joints []*measure
	for _, perUnit := range []bool{true, false} {
		if q.apart {
			break
		}
		ws := q.joinable(perUnit)
		if len(ws) < 2 {
			continue
		}
		m, err := q.join(ws, perUnit, f, scale)
		if err != nil {
			continue // without it there may be noise, or an error that says what is wrong
		}
		if m.joint.alone = q.gain(m, f, scale); m.joint.alone > 1 {
			m.why = fmt.Sprintf("released as one vector, with %s noise; one by one they would have %.3g times the noise", m.law.Family, m.joint.alone)
			joints = append(joints, m)
		}
	}
	return joints
}

// The scale of a joint is at most 2^39 steps, and its numbers are multiplied with at least
// 16 so that rounding that factor down is as good as nothing.
const (
	widestJoint = 1 << 39
	leastTimes  = 16
	finestJoint = 1 << 52 // so that the sums of 2^60 records fit
)

// join makes one measure of several.
func (q question) join(ws []want, perUnit bool, f core.Family, scale scaler) (*measure, error) {
	j := &joint{answers: ws, perUnit: perUnit}
	m := &measure{form: formJoint, joint: j}
	share := new(big.Rat)
	for _, w := range ws {
		share.Add(share, q.share(w))
		if w.value != nil {
			j.values = append(j.values, w.value)
		}
	}
	m.share, _ = share.Float64()
	records := q.records(m)
	one := scale(new(big.Rat).Set(share), calibrate.Change{L0: big.NewInt(q.l0), LInf: big.NewInt(1)})
	norm := exact.Float(j.most(f))
	room := new(big.Rat).Mul(one, new(big.Rat).SetInt(records))
	room.Mul(room, norm) // what the noise is to one record of a single number
	for _, v := range j.values {
		g, err := v.chooseGrid([]form{formTotal}, new(big.Rat).Mul(room, big.NewRat(4*leastTimes, 1)))
		if err != nil {
			return nil, err
		}
		j.grids = append(j.grids, g)
	}
	length := int64(1)
	for length < finestJoint && new(big.Rat).Mul(room, big.NewRat(2*length, 1)).Cmp(big.NewRat(widestJoint, 1)) <= 0 {
		length *= 2
	}
	change := calibrate.Change{L0: big.NewInt(q.l0)}
	if f == core.Laplace {
		j.setTimes(new(big.Int).Quo(big.NewInt(length), records), 4)
		change.LInf = big.NewInt(length)
	} else {
		j.setTimes(big.NewInt(length), j.countLength())
		change.LInf = new(big.Int).Mul(records, j.norm())
	}
	if slices.Min(j.times) < leastTimes {
		return nil, errors.New("aggregate: the noise leaves no room for a finer grid")
	}
	return m, m.calibrate(f, change, scale(share, change))
}

// setTimes sets the multipliers so that a value is at most length from its middle, and
// the count length·quarters/4.
func (j *joint) setTimes(length *big.Int, quarters int64) {
	count := new(big.Int).Mul(length, big.NewInt(quarters))
	j.times = []int64{count.Rsh(count, 2).Int64()}
	for _, g := range j.grids {
		j.times = append(j.times, new(big.Int).Quo(length, big.NewInt(g.Cells)).Int64())
	}
}

// norm returns the L2 norm of one record, rounded up.
func (j *joint) norm() *big.Int {
	sum := new(big.Int)
	for i, times := range j.times {
		length := big.NewInt(times)
		if i > 0 {
			length.Mul(length, big.NewInt(j.grids[i-1].Cells))
		}
		sum.Add(sum, length.Mul(length, length))
	}
	root := new(big.Int).Sqrt(sum)
	if new(big.Int).Mul(root, root).Cmp(sum) < 0 {
		root.Add(root, big.NewInt(1))
	}
	return root
}

// most returns what the norm of a record is at most, if that of each value is 1.
func (j *joint) most(f core.Family) float64 {
	if f == core.Laplace {
		return 1
	}
	return math.Sqrt(float64(len(j.values))+mostQuarters*mostQuarters/16) * 1.01
}

const mostQuarters = 32

// countLength returns how long the count is in the best vector for Gaussian noise, in
// quarters of what a value is: that for which the columns have the least noise, in mean
// logarithm.
func (j *joint) countLength() int64 {
	best, least := int64(4), math.Inf(1)
	for quarters := int64(1); quarters <= mostQuarters; quarters++ {
		count := float64(quarters) / 4
		norm := math.Sqrt(float64(len(j.values)) + count*count)
		sum := 0.0
		for _, w := range j.answers {
			half, middle := w.halves()
			sum += math.Log(norm * math.Hypot(half, middle/count))
		}
		if sum < least {
			best, least = quarters, sum
		}
	}
	return best
}

// halves returns half of the width of the bounds of a value, and their middle. A count
// is like a value that is 1 in every record.
func (w want) halves() (half, middle float64) {
	if w.value == nil {
		return 0, 1
	}
	low, _ := w.value.lower.Float64()
	high, _ := w.value.upper.Float64()
	return (high - low) / 2, (high + low) / 2
}

// gain returns by how much the noise of the columns would be wider, in mean logarithm, if
// each had a measure of its own.
func (q question) gain(m *measure, f core.Family, scale scaler) float64 {
	sum := 0.0
	for _, w := range m.joint.answers {
		own := scale(q.share(w), calibrate.Change{L0: big.NewInt(q.l0), LInf: q.records(m)})
		alone, _ := own.Float64()
		if f == core.Laplace {
			alone *= math.Sqrt2
		}
		if half, middle := w.halves(); w.value != nil {
			alone *= half + math.Abs(middle)
		}
		sum += math.Log(alone / m.noiseOf(w))
	}
	return math.Exp(sum / float64(len(m.joint.answers)))
}

// noiseOf returns the standard deviation of a column.
func (m *measure) noiseOf(w want) float64 {
	weights := m.joint.countWeights()
	if w.value != nil {
		weights = m.joint.sumWeights(w.value)
	}
	floats := make([]float64, len(weights))
	for i, x := range weights {
		floats[i], _ = x.Float64()
	}
	return m.law.CombinedStdDev(floats...)
}

// record adds a record to the sums: the point of each value on its grid.
func (j *joint) record(point func(input int) int64, parts []exact.Int128) {
	parts[0] = parts[0].Add(exact.Int(j.times[0]))
	for i, g := range j.grids {
		parts[i+1] = parts[i+1].Add(exact.Mul(j.times[i+1], 2*point(j.inputs[i])-g.Cells))
	}
}

// countWeights returns the weights of the parts whose sum is the count.
func (j *joint) countWeights() []*big.Rat {
	weights := make([]*big.Rat, len(j.times))
	for i := range weights {
		weights[i] = new(big.Rat)
	}
	weights[0].SetFrac64(1, j.times[0])
	return weights
}

// sumWeights returns the weights of the parts whose sum is the sum of a value: the
// middle of its grid for every record, and half a step for what the record is from it.
func (j *joint) sumWeights(v *value) []*big.Rat {
	i := slices.Index(j.values, v)
	g, weights := j.grids[i], j.countWeights()
	weights[0].Mul(weights[0], g.Value(big.NewRat(g.Cells, 2)))
	weights[i+1].Mul(g.Step, new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Lsh(big.NewInt(j.times[i+1]), 1)))
	return weights
}

// of returns a measure of one value of the joint, which has no noise of its own.
func (j *joint) of(v *value) *measure {
	return &measure{form: formTotal, value: v, grid: j.grids[slices.Index(j.values, v)]}
}

// String names a joint in price lists and receipts.
func (j *joint) String() string {
	if j.perUnit {
		return "numbers per unit"
	}
	return "numbers per row"
}

// numbers says what the numbers of the vector are multiplied with, for receipts.
func (j *joint) numbers() []ReceiptNumber {
	count := measure{form: formRows}
	if j.perUnit {
		count.form = formUnits
	}
	lines := []ReceiptNumber{{count.String(), j.times[0]}}
	for i, v := range j.values {
		lines = append(lines, ReceiptNumber{j.of(v).String(), j.times[i+1]})
	}
	return lines
}

// jointOf returns the joint that a receipt tells of, which answers some of the wants.
func (c *compiled) jointOf(r ReceiptMeasure, values []ReceiptValue) (*measure, error) {
	j := &joint{perUnit: r.Name == (&joint{perUnit: true}).String()}
	m := &measure{form: formJoint, joint: j}
	for i, number := range r.Numbers {
		if err := j.add(c, i, number, values); err != nil {
			return nil, err
		}
	}
	if len(j.values) == 0 {
		return nil, errors.New("it has no numbers")
	}
	return m, m.setJointNoise(r)
}

// add adds the i-th number that a receipt tells of.
func (j *joint) add(c *compiled, i int, number ReceiptNumber, values []ReceiptValue) error {
	wants := c.wants()
	at := slices.IndexFunc(wants, func(w want) bool { return (&measure{form: w.form, value: w.value}).String() == number.Name })
	if i == 0 && j.perUnit && c.threshold != nil {
		at = -1 // groups are selected by another count
	}
	if at < 0 && i > 0 || number.Times < 1 || number.Times > finestJoint {
		return fmt.Errorf("its number %.80q is not asked for, or times %d", number.Name, number.Times)
	}
	j.times = append(j.times, number.Times)
	if at < 0 {
		return nil // a count that nobody asked for
	}
	w := wants[at]
	if (w.value == nil) != (i == 0) || w.value != nil && slices.Contains(j.values, w.value) {
		return errTwice
	}
	j.answers = append(j.answers, w)
	if w.value == nil {
		return nil
	}
	one := &measure{value: w.value}
	if err := one.setGrid(c, values); err != nil {
		return err
	}
	j.values, j.grids = append(j.values, w.value), append(j.grids, one.grid)
	return nil
}

// setJointNoise sets the noise that a receipt tells of a joint.
func (m *measure) setJointNoise(r ReceiptMeasure) (err error) {
	scale := quotient(r.Scale)
	if scale == nil {
		return fmt.Errorf("its scale is %.40q", r.Scale)
	}
	switch r.Mechanism {
	case dp.CubeNorm:
		m.law, err = core.NewCube(m.parts(), scale)
	case dp.DiscreteGaussian:
		m.law, err = core.NewLaw(core.Gaussian, scale)
	default:
		err = fmt.Errorf("its noise is %.40q", r.Mechanism)
	}
	m.event = dp.Event{Mechanism: r.Mechanism, For: r.Name, Scale: scale, Sensitivity: r.Sensitivity, Count: 1}
	return err
}
