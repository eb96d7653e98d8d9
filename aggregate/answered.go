package aggregate

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/grid"
)

var errOtherPlan = errors.New("aggregate: the stored release answers another plan")

// answeredBy returns the plan that a stored release was made by: this one or, if
// another version of this library chose other noise for the same question, this one
// with the noise that the receipt tells. So a key that was paid has one answer,
// whatever a plan of today would choose.
func (c *compiled) answeredBy(s *stored) (*compiled, error) {
	switch {
	case s.Plan == c.fingerprint:
		return c, nil
	case c.before != nil && s.Plan == c.before.fingerprint:
		return c.before, nil
	}
	if s.Question != c.question && (s.Question != "" || !c.sameFacts(s)) {
		return nil, errOtherPlan
	}
	if c.finder != nil || c.top != nil {
		return c, nil // there is nothing to read but which groups there are
	}
	calibrated, err := c.calibrationOf(s)
	if err != nil {
		return nil, fmt.Errorf("aggregate: the stored release cannot be read: its plan: %w", err)
	}
	other := &compiled{
		dataset: c.dataset, unitName: c.unitName, maxGroups: c.maxGroups, maxRows: c.maxRows, loss: c.loss,
		calibration: *calibrated, fingerprint: s.Plan, question: c.question, keyName: c.keyName, given: c.given,
	}
	columns := c.columns()
	other.placeMeasures(columns)
	other.answerColumns(columns, c.threshold != nil)
	return other, nil
}

func (c *compiled) columns() (all []column) {
	for _, a := range c.answers {
		all = append(all, a.column)
	}
	return all
}

// sameFacts says whether a receipt of a version that recorded no question is of
// this one, as far as it tells. It tells no weights, but noise that follows them.
func (c *compiled) sameFacts(s *stored) bool {
	r := &s.Receipt
	columns := make([]string, len(c.answers))
	for i, a := range c.answers {
		columns[i] = a.String()
	}
	same := r.Dataset == c.dataset && r.Unit == c.unitName && r.Loss == c.loss && r.MaxGroups == c.maxGroups && r.MaxRows == c.maxRows &&
		r.Groups == c.keyName && slices.Equal(r.Columns, columns) && len(r.Values) == len(c.inputs)
	for i, in := range c.inputs {
		if !same {
			return false
		}
		g := in.gridOfStep(r.Values[i].Step)
		same = g != nil && r.Values[i] == input{in.value, g}.receipt()
	}
	if !same || c.given == nil {
		return same
	}
	return slices.EqualFunc(s.Groups, c.given, func(g storedGroup, key string) bool { return g.Key == key })
}

// gridOfStep returns the grid of a value with a step that a receipt tells: the one
// that was asked for, or a power of two. It returns nil for any other.
func (v *value) gridOfStep(text string) *grid.Grid {
	step := v.asked
	if step == nil {
		var x float64
		if n, err := fmt.Sscan(text, &x); n != 1 || err != nil || !(x > 0) || math.IsInf(x, 1) {
			return nil
		}
		step = powerOf(2, int(math.Round(math.Log2(x))))
	}
	if step == nil || step.Sign() <= 0 || decimal(step) != text {
		return nil
	}
	return grid.New(v.lower, v.upper, step)
}

// calibrationOf returns the noise of a stored release, from its receipt.
func (c *compiled) calibrationOf(s *stored) (*calibration, error) {
	out := &calibration{}
	for i, r := range s.Receipt.Measures {
		err := out.add(c, r, s.Receipt.Values)
		if slices.ContainsFunc(s.Receipt.Measures[:i], func(o ReceiptMeasure) bool { return o.Name == r.Name }) {
			err = errTwice
		}
		if err != nil {
			return nil, fmt.Errorf("%.80q: %w", r.Name, err)
		}
	}
	if !out.answersAll(c.wants()) || (s.Receipt.Threshold > 0) != (c.threshold != nil) {
		return nil, errors.New("it has other measures")
	}
	if u := out.units(); c.threshold != nil && u != nil && u.law != nil {
		out.threshold = &threshold{int64(math.Ldexp(s.Receipt.Threshold, int(u.shift))), u.shift, c.threshold.delta, u.law}
	}
	return out, nil
}

var errTwice = errors.New("it is there twice")

// add adds what one line of a receipt says to a calibration: draws, noise, or the
// noise for the intervals of draws. Draws of a measure may have several lines.
func (c *calibration) add(plan *compiled, r ReceiptMeasure, values []ReceiptValue) error {
	if r.Numbers != nil {
		m, err := plan.jointOf(r, values)
		if err != nil {
			return err
		}
		c.measures = append(c.measures, m)
		return c.setFamily(m.law)
	}
	today, drawn := plan.named(r.Name), r.Mechanism == dp.BoundedRange
	if today == nil {
		return errors.New("it is not asked for")
	}
	m := c.find(today.form, today.value)
	switch {
	case m == nil && (drawn || today.String() == r.Name):
		m = &measure{form: today.form, value: today.value, share: today.share}
		c.measures = append(c.measures, m)
		if err := m.setGrid(plan, values); err != nil {
			return err
		}
	case m == nil || m.drawing == nil || m.law != nil || !drawn && m.noisyName() != r.Name:
		return errTwice
	}
	if drawn {
		m.drawing = today.drawing
		if m.drawing == nil || m.law != nil {
			return errors.New("it was drawn")
		}
		return nil
	}
	if err := m.setNoise(r, plan.maxRows); err != nil {
		return err
	}
	return c.setFamily(m.law)
}

// setFamily sets the family of a plan, whose measures are all of one. Cubes go with
// Laplace noise: both are pure.
func (c *calibration) setFamily(l *core.Law) error {
	family := l.Family
	if family == core.Cube {
		family = core.Laplace
	}
	if c.family != 0 && c.family != family {
		return errors.New("its noise is of another family than the rest")
	}
	c.family = family
	return nil
}

// wants returns what the columns of a plan are read from.
func (c *compiled) wants() (ws []want) {
	selects := c.threshold != nil
	if selects {
		ws = append(ws, want{formUnits, nil})
	}
	columns := c.columns()
	for _, column := range columns {
		if w := wantOf(columns, column, selects); !slices.Contains(ws, w) {
			ws = append(ws, w)
		}
	}
	return ws
}

// answersAll reports whether every want has its measure, and nothing has two.
func (c *calibration) answersAll(ws []want) bool {
	answered := 0
	for _, m := range c.measures {
		answered++
		if m.joint != nil {
			answered += len(m.joint.answers) - 1
		}
	}
	for _, w := range ws {
		if c.find(w.form, w.value) == nil {
			return false
		}
	}
	return answered == len(ws)
}

// named returns the measure that a line of a receipt is of: one of this plan, or one that
// a column would have by itself.
func (c *compiled) named(line string) *measure {
	for _, m := range c.measures {
		if m.joint == nil && m.hasLine(line) {
			return m
		}
	}
	for _, w := range c.wants() {
		if m := (&measure{form: w.form, value: w.value}); m.String() == line {
			return m
		}
	}
	return nil
}

// setGrid sets the grid that the receipt tells of the measure's value.
func (m *measure) setGrid(c *compiled, values []ReceiptValue) error {
	if m.value == nil {
		return nil
	}
	at := slices.IndexFunc(c.inputs, func(in input) bool { return in.value == m.value })
	if at >= len(values) {
		return errors.New("its value is missing")
	}
	if m.grid = m.value.gridOfStep(values[at].Step); m.grid == nil {
		return fmt.Errorf("its step is %.40q", values[at].Step)
	}
	return nil
}

// setNoise sets the noise that a receipt tells.
func (m *measure) setNoise(r ReceiptMeasure, rows int) (err error) {
	family, ok := map[dp.Mechanism]core.Family{
		dp.DiscreteLaplace: core.Laplace, dp.DiscreteLaplaceVector: core.Laplace, dp.DiscreteGaussian: core.Gaussian,
	}[r.Mechanism]
	scale := quotient(r.Scale)
	if !ok || scale == nil {
		return fmt.Errorf("its noise is %.40q of scale %.40q", r.Mechanism, r.Scale)
	}
	if m.law, err = core.NewLaw(family, scale); err != nil {
		return err
	}
	if m.form == formRanks && m.drawing == nil {
		m.chooseLeaves(branching(family), true)
	}
	m.event = dp.Event{Mechanism: r.Mechanism, For: r.Name, Scale: scale, Sensitivity: r.Sensitivity, Count: 1}
	if m.drawing != nil {
		return nil // its noise is not in sums
	}
	return m.setShift(rows)
}

// setShift finds how much finer than the sums the noise is: a unit moves them by
// norm times its records, times 2^shift.
func (m *measure) setShift(rows int) error {
	most := m.norm()
	most.Mul(most, big.NewInt(m.records(int64(rows))))
	linf := big.NewInt(m.event.Sensitivity.LInf)
	for ; m.shift < 62; m.shift++ {
		if linf.Cmp(new(big.Int).Lsh(most, m.shift)) == 0 {
			return nil
		}
	}
	return fmt.Errorf("its sensitivity is %d, and a unit moves %v", m.event.Sensitivity.LInf, most)
}

// quotient reads a rational as RatString writes it, or returns nil. A short text
// could be a number that fills the memory.
func quotient(text string) *big.Rat {
	if len(text) > 1000 || strings.Trim(text, "/0123456789") != "" {
		return nil
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok || r.Sign() <= 0 {
		return nil
	}
	return r
}
