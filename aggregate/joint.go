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
	answers []want    // the counts, sums and means that are read from it
	weights []float64 // of these, which add up to 1
	perUnit bool
	values  []*value
	grids   []*grid.Grid
	times   []int64 // what each number is multiplied with: the count, then the values
	inputs  []int   // where the values are among the inputs of the plan

	centre *centre // or nil

	alone float64 // how much wider the noise would be, on average, without it
}

// joinable returns the wants of one kind that may be one vector: counts, sums and means.
// The noise of a cube is as wide in every direction, so it serves columns of one weight, and
// there the pair of a mean by itself is as good.
func (q question) joinable(f core.Family, perUnit bool) []want {
	var ws []want
	for _, w := range q.wants {
		counts := w.form == formUnits && perUnit && !q.selects || w.form == formRows && !perUnit
		sums := (w.form == formTotal || w.form == formPair && f == core.Gaussian) && w.value.perUnit == perUnit
		cube := f == core.Laplace && w.value != nil && len(q.formsOf(w.value)) > 1
		alike := f == core.Gaussian || len(ws) == 0 || q.weight(w).Cmp(q.weight(ws[0])) == 0
		if (counts || sums) && !cube && alike {
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
		ws := q.joinable(f, perUnit)
		if len(ws) == 0 || len(ws) == 1 && !q.centres(f, ws[0]) {
			continue
		}
		m, err := q.join(ws, perUnit, f, scale)
		if err != nil {
			continue // without it there may be noise, or an error that says what is wrong
		}
		m.joint.alone = q.gain(m, f, scale)
		if m.joint.alone > 1 && (len(ws) > 1 || m.joint.centre != nil) {
			m.why = fmt.Sprintf("%s, with %s noise; one by one they would have %.3g times the noise", m.joint.how(), m.law.Family, m.joint.alone)
			joints = append(joints, m)
		}
	}
	return joints
}

// centres reports whether a vector with the want may have a centre: with Gaussian noise,
// where several groups are given and a unit has one record in each.
func (q question) centres(f core.Family, w want) bool {
	return f == core.Gaussian && q.groups > 1 && q.records(&measure{form: w.form, value: w.value}).Cmp(big.NewInt(1)) == 0
}

// The scale of a joint is at most 2^39 steps, and its numbers are multiplied with at least
// 16 so that rounding that factor down is as good as nothing.
const (
	widestJoint = 1 << 39
	leastTimes  = 16
	finestJoint = 1 << 52 // so that the sums of 2^60 records fit
	mostCentre  = 1 << 60 // so that 2^60 units do
)

// join makes one measure of several.
func (q question) join(ws []want, perUnit bool, f core.Family, scale scaler) (*measure, error) {
	m, share := q.vectorOf(ws, perUnit)
	j, records, l := m.joint, q.records(m), q.layout(ws, f, q.centres(f, ws[0]))
	change := calibrate.Change{L0: big.NewInt(q.l0)}
	if l.take > 0 {
		change.L0.SetInt64(1) // the norm of the layout is that of all groups
	}
	room := scale(new(big.Rat).Set(share), calibrate.Change{L0: change.L0, LInf: big.NewInt(1)})
	room.Mul(room, new(big.Rat).SetInt(records))
	room.Mul(room, exact.Float(l.norm*1.01)) // what the noise is to one record of a single number
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
	if f == core.Laplace {
		change.LInf = big.NewInt(length)
		length /= records.Int64()
	}
	if err := j.setTimes(length, l); err != nil {
		return nil, err
	}
	if f == core.Gaussian {
		change.LInf = j.norm(q.l0, int64(q.groups))
		change.LInf.Mul(change.LInf, records)
	}
	return m, m.calibrate(f, change, scale(share, change))
}

// vectorOf returns the measure that wants are read from, without noise, and its share.
func (q question) vectorOf(ws []want, perUnit bool) (m *measure, share *big.Rat) {
	j := &joint{answers: ws, perUnit: perUnit}
	share = new(big.Rat)
	for _, w := range ws {
		share.Add(share, q.share(w))
		if w.value != nil {
			j.values = append(j.values, w.value)
		}
	}
	for _, w := range ws {
		weight, _ := new(big.Rat).Quo(q.share(w), share).Float64()
		j.weights = append(j.weights, weight)
	}
	m = &measure{form: formJoint, joint: j}
	m.share, _ = share.Float64()
	return m, share
}

// setTimes sets the multipliers, so that the numbers are as long as a layout says, in parts
// of length.
func (j *joint) setTimes(length int64, l layout) error {
	if l.norm*float64(length) > mostCentre {
		return errors.New("aggregate: the numbers of a vector are too long")
	}
	part := func(x float64) int64 { return int64(x * float64(length)) }
	j.times = []int64{part(l.count)}
	for i, g := range j.grids {
		j.times = append(j.times, part(l.values[i])/g.Cells)
	}
	least := slices.Min(j.times)
	if l.take > 0 {
		j.centre = &centre{take: part(l.take), times: part(l.people)}
		least = min(least, j.centre.take, j.centre.times)
	}
	if least < leastTimes || slices.Max(j.times) > finestJoint {
		return errors.New("aggregate: the noise leaves no room for a finer grid")
	}
	return nil
}

// norm returns the L2 norm of what a unit moves by, rounded up: by one record in a group or,
// with a centre, in all groups.
func (j *joint) norm(l0, groups int64) *big.Int {
	sum := new(big.Int)
	for i, times := range j.times {
		length := big.NewInt(times)
		if i > 0 {
			length.Mul(length, big.NewInt(j.grids[i-1].Cells))
		}
		sum.Add(sum, length.Mul(length, length))
	}
	if j.centre != nil {
		sum = j.centre.lengthen(sum, j.times[0], l0, groups)
	}
	root := new(big.Int).Sqrt(sum)
	if new(big.Int).Mul(root, root).Cmp(sum) < 0 {
		root.Add(root, big.NewInt(1))
	}
	return root
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
	for i, w := range m.joint.answers {
		own := scale(q.share(w), calibrate.Change{L0: big.NewInt(q.l0), LInf: q.records(m)})
		alone, _ := own.Float64()
		if f == core.Laplace {
			alone *= math.Sqrt2
		}
		for _, r := range q.readings(w) {
			sum += m.joint.weights[i] * r.weight * math.Log(alone*w.alone(r)/m.joint.noise(m.law, w.value, r))
		}
	}
	return math.Exp(sum)
}

// alone returns the noise of a reading in a measure of its own, for noise of 1.
func (w want) alone(r reads) float64 {
	if w.form == formPair {
		return math.Sqrt2 * math.Hypot(r.half, r.middle)
	}
	return r.half + math.Abs(r.middle)
}

// noise returns the standard deviation of a reading.
func (j *joint) noise(l *core.Law, v *value, r reads) float64 {
	weights := make([]float64, 1, len(j.times)+1)
	weights[0] = r.middle / float64(j.times[0])
	if v != nil {
		i := slices.Index(j.values, v)
		weights = append(weights, r.half/(float64(j.times[i+1])*float64(j.grids[i].Cells)))
	}
	if c := j.centre; c != nil {
		weights = append(weights, weights[0]*float64(c.take)/float64(c.times))
	}
	return l.CombinedStdDev(weights...)
}

// noiseOf returns the standard deviation of a column.
func (m *measure) noiseOf(w want) float64 {
	half, middle := w.halves()
	return m.joint.noise(m.law, w.value, reads{half: half, middle: middle})
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
	if c := j.centre; c != nil {
		back := big.NewRat(c.take, c.times)
		weights = append(weights, back.Mul(back, weights[0]))
	}
	return weights
}

// positionWeights returns the weights of the parts whose sum is that of the positions of
// a value on [-1, 1], from the lower end of its grid to the upper one.
func (j *joint) positionWeights(v *value) []*big.Rat {
	weights := make([]*big.Rat, len(j.countWeights()))
	for i := range weights {
		weights[i] = new(big.Rat)
	}
	i := slices.Index(j.values, v)
	weights[i+1].SetFrac(big.NewInt(1), new(big.Int).Mul(big.NewInt(j.times[i+1]), big.NewInt(j.grids[i].Cells)))
	return weights
}

// sumWeights returns the weights of the parts whose sum is the sum of a value: the
// middle of its grid for every record, and half of its width for what the record is from it.
func (j *joint) sumWeights(v *value) []*big.Rat {
	g := j.of(v).grid
	middle, half := g.Value(big.NewRat(g.Cells, 2)), new(big.Rat).Mul(g.Step, big.NewRat(g.Cells, 2))
	weights := j.countWeights()
	for i, w := range j.positionWeights(v) {
		weights[i].Add(weights[i].Mul(weights[i], middle), w.Mul(w, half))
	}
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

// measureOf returns the measure that would answer a value of the joint alone.
func (j *joint) measureOf(v *value) *measure {
	i := slices.IndexFunc(j.answers, func(w want) bool { return w.value == v })
	return &measure{form: j.answers[i].form, value: v}
}

// What the lines of a centre are called in receipts: the number of units in any group, and
// what every one of them takes from the count of each group.
const (
	peopleLine = "units in any group"
	takenLine  = "taken from every group"
)

// how says in words what is released.
func (j *joint) how() string {
	how := "released as one vector"
	if j.centre != nil {
		how += " of all groups, which are counted from their middle"
	}
	return how
}

// numbers says what the numbers of the vector are multiplied with, for receipts.
func (j *joint) numbers() []ReceiptNumber {
	count := measure{form: formRows}
	if j.perUnit {
		count.form = formUnits
	}
	lines := []ReceiptNumber{{count.String(), j.times[0]}}
	for i, v := range j.values {
		lines = append(lines, ReceiptNumber{j.measureOf(v).String(), j.times[i+1]})
	}
	if j.centre != nil {
		lines = append(lines, ReceiptNumber{peopleLine, j.centre.times}, ReceiptNumber{takenLine, j.centre.take})
	}
	return lines
}

// jointOf returns the joint that a receipt tells of, which answers some of the wants.
func (c *compiled) jointOf(r ReceiptMeasure, values []ReceiptValue) (*measure, error) {
	j := &joint{perUnit: r.Name == (&joint{perUnit: true}).String()}
	m := &measure{form: formJoint, joint: j}
	numbers := r.Numbers
	if n := len(numbers) - 2; n > 0 && numbers[n].Name == peopleLine && numbers[n+1].Name == takenLine {
		j.centre = &centre{times: numbers[n].Times, take: numbers[n+1].Times}
		if min(j.centre.times, j.centre.take) < 1 || max(j.centre.times, j.centre.take) > mostCentre {
			return nil, fmt.Errorf("its centre is %v", *j.centre)
		}
		numbers = numbers[:n]
	}
	for i, number := range numbers {
		if err := j.add(c, i, number, values); err != nil {
			return nil, err
		}
	}
	if len(j.answers) == 0 || len(j.values) == 0 && j.centre == nil {
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
