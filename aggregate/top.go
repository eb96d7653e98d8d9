package aggregate

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/equipoise-dp/equipoise/dp"
)

// A top asks which of the given groups are largest. They are either drawn, or read off noisy
// numbers of all groups, whichever is nearer: docs/proofs/top-k.md.
type top struct {
	k      int
	by     column
	why    string
	choice dp.Choice // the zero Choice where numbers get noise
}

// PlanTop checks the question which k of Query.Groups are the largest by a column: Units, Count, or
// the Sum of a value. Its release has these groups, the largest first as far as noise lets see, and no
// numbers: ask for those with a [Query.Plan] of its own, whose Query.Groups are what was found, or, for numbers of all groups, sort
// its release. Smallest groups are the largest by a value that falls.
//
// The plan is ε-, (ε, δ)- or ρ-private as loss says. Groups are drawn one after the other ([dp.CalibrateChoice]), or
// noise is added to the numbers of all groups and the k largest are shown, whichever is nearer by the standard deviation of the
// noise; [Plan.Prices] says which, and how much smaller than one that is left out a group may be that is shown. What draws cost does not
// grow with MaxGroups, so it may be as large as the number of groups; they take as long as k times the number of groups asks
// for, whether or not a context is done. Proof: docs/proofs/top-k.md.
//
// All mistakes are reported, joined, and none depends on rows. It costs nothing.
func (q *Query[Row, Unit, Group]) PlanTop(loss dp.Loss, k int, by AnyColumn) (*Plan[Row, Unit, Group], error) {
	columns, weights, weightErr := unweighted([]AnyColumn{by})
	asked, err := q.checkColumns(columns)
	if err := errors.Join(dp.CheckLoss(loss), q.check(), err, weightErr, q.checkTop(k, asked)); err != nil {
		return nil, err
	}
	calibrated, err := question{
		wants: []want{wantOf(asked, asked[0], false)}, loss: loss,
		l0: int64(q.maxGroups()), rows: int64(q.MaxRowsPerGroup), groups: len(q.Groups),
	}.top(k, asked[0])
	if err != nil {
		return nil, err
	}
	p := q.compile(loss, asked, calibrated)
	p.ask(weights)
	return p, nil
}

// checkTop returns every mistake of a question for the largest groups.
func (q *Query[Row, Unit, Group]) checkTop(k int, asked []column) error {
	var errs []error
	if q.Groups == nil {
		errs = append(errs, errors.New("aggregate: the largest groups are chosen among Query.Groups, which is nil; list them, or release Query.Units of selected groups, and sort"))
	} else if k < 1 || k > len(q.Groups) {
		errs = append(errs, fmt.Errorf("aggregate: the %d largest groups are asked for, must be 1 to %d, as many as Query.Groups has", k, len(q.Groups)))
	}
	for _, c := range asked {
		if c.kind != kindUnits && c.kind != kindCount && c.kind != kindSum {
			errs = append(errs, fmt.Errorf("aggregate: groups are compared by %v, must be by Units, Count or the Sum of a value", c))
		}
	}
	return errors.Join(errs...)
}

// top calibrates both ways, and takes the one with less noise.
func (q question) top(k int, by column) (*calibration, error) {
	drawn, errDrawn := q.drawnTop(k, by)
	q.apart = true // one number of each group is compared
	noisy, errNoisy := q.calibrate()
	switch {
	case errDrawn != nil && errNoisy != nil:
		return nil, errors.Join(errDrawn, errNoisy)
	case errNoisy != nil:
		drawn.top.why = "drawn one after the other: noise on all groups would be too wide"
		return drawn, nil
	}
	noisy.top = &top{k: k, by: by}
	if errDrawn != nil {
		noisy.top.why = "read off noisy numbers: they cannot be drawn"
		return noisy, nil
	}
	noise, draws := noisy.spread(), drawn.spread()
	if noise <= draws {
		noisy.top.why = fmt.Sprintf("read off noisy numbers of all groups: drawn one after the other they would have noise of %s", short(draws))
		return noisy, nil
	}
	drawn.top.why = fmt.Sprintf("drawn one after the other: noise on the numbers of all groups would be %s", short(noise))
	return drawn, nil
}

// drawnTop calibrates draws. A unit moves numbers by amounts of one record's range, times how many records it has.
func (q question) drawnTop(k int, by column) (*calibration, error) {
	w := q.wants[0]
	m := &measure{form: w.form, value: w.value, share: 1}
	width := q.records(m)
	if w.value != nil {
		one, err := dp.CalibrateChoice(q.loss, k, 1)
		if err != nil {
			return nil, err
		}
		times := new(big.Rat).SetInt(width)
		if m.grid, err = w.value.chooseGrid([]form{w.form}, times.Quo(times, one.Event().Epsilon)); err != nil {
			return nil, err
		}
		least, most := m.grid.Range()
		span := max(0, m.grid.First()+most) - min(0, m.grid.First()+least)
		width = new(big.Int).Mul(width, big.NewInt(span))
	}
	if !width.IsInt64() {
		return nil, fmt.Errorf("aggregate: a unit may move the numbers by %v steps, must be below 2^63; use smaller caps or coarser steps", width)
	}
	choice, err := dp.CalibrateChoice(q.loss, k, max(width.Int64(), 1))
	if err != nil {
		return nil, fmt.Errorf("aggregate: %w", err)
	}
	return &calibration{measures: []*measure{m}, top: &top{k: k, by: by, choice: choice}}, nil
}

// draws reports whether groups are drawn.
func (t *top) draws() bool { return t.choice != dp.Choice{} }

// step returns what the numbers that are compared are counted in.
func (m *measure) step() float64 {
	if m.grid == nil {
		return 1
	}
	step, _ := m.grid.Step.Float64()
	return step
}

// spread returns the standard deviation of the noise of the numbers, in the unit of the column.
func (c *calibration) spread() float64 {
	m := c.measures[0]
	if c.top.draws() {
		return c.top.choice.StdDev() * m.step()
	}
	return math.Ldexp(m.law.StdDev(), -int(m.shift)) * m.step()
}

// margin returns how much larger than a group that is shown one may be that is left out, but for one case in twenty: by
// [dp.Choice.Margin], or twice the largest noise of all groups.
func (c *compiled) margin() float64 {
	m, groups := c.measures[0], len(c.given)
	if c.top.draws() {
		return c.top.choice.Margin(0.95, groups) * m.step()
	}
	if groups <= c.top.k {
		return 0
	}
	return math.Ldexp(2*m.law.HalfWidth(1-0.05/float64(groups)), -int(m.shift)) * m.step()
}

// String names what is asked, such as "10 largest by units".
func (t *top) String() string { return fmt.Sprintf("%d largest by %v", t.k, t.by) }

// describe is what tells such a question from others; it is empty in these.
func (t *top) describe() string {
	if t == nil {
		return ""
	}
	return fmt.Sprintf("top %d %q %d\n", t.k, t.by, t.by.kind)
}

// events lists what draws cost.
func (t *top) events() []dp.Event {
	if t == nil || !t.draws() {
		return nil
	}
	e := t.choice.Event()
	e.For = t.String()
	return []dp.Event{e}
}

func (t *top) receipts() []ReceiptMeasure {
	var lines []ReceiptMeasure
	for _, e := range t.events() {
		lines = append(lines, ReceiptMeasure{Name: e.For, Mechanism: e.Mechanism, Epsilon: e.Epsilon.RatString(), Draws: e.Count})
	}
	return lines
}

// topPrice is the price list of the largest groups.
func (p *Plan[Row, Unit, Group]) topPrice() Price {
	return Price{
		Column: p.top.String(), Measure: p.measures[0].String(), Mechanism: p.paid[0].Mechanism, Share: 1, Why: p.top.why,
		StdDev: p.spread(), OwnStdDev: p.spread(), PlusMinus: p.margin(), LeavesOut: p.leavesOut(p.top.by), Per: PerNumber,
	}
}

// writeTop writes it as a table.
func (p *Plan[Row, Unit, Group]) writeTop(b *strings.Builder) {
	price := p.topPrice()
	fmt.Fprintf(b, "%v of %d groups of %s: %v per release, %s\neach %s counts in at most %s%s\n", p.top, len(p.given), p.dataset, p.loss, p.noise(), p.unitName, plural(p.maxGroups, "group"), p.rowsInEach())
	for _, in := range p.inputs {
		fmt.Fprintln(b, in.clamped())
	}
	fmt.Fprintf(b, "\n%s\nnoise of %s on each number would choose alike; in 95 %% of releases no group left out has more than %s more than one that is shown\n", price.Why, short(price.StdDev), short(price.PlusMinus))
}

// bare returns the plan of what is shown: where the largest groups are asked for, that of no numbers.
func (c *compiled) bare() *compiled {
	if c.top == nil {
		return c
	}
	shown := *c
	shown.measures, shown.inputs, shown.sums, shown.top = nil, nil, 0, nil
	return &shown
}

// checkTop returns an error if stored groups are no answer to the question for the largest.
func (c *compiled) checkTop(groups []storedGroup) error {
	switch {
	case c.top == nil:
		return nil
	case len(groups) != c.top.k:
		return fmt.Errorf("it has %d groups, must have %d", len(groups), c.top.k)
	case slices.ContainsFunc(groups, func(g storedGroup) bool { return !slices.Contains(c.given, g.Key) }):
		return errors.New("it has a group that is not among those given")
	}
	return nil
}
