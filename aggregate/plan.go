package aggregate

import (
	"errors"
	"slices"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/grid"
)

// A Plan is a checked question with a price. It is immutable and safe for
// concurrent use, and it can be run many times; every run is paid for.
type Plan[Row any, Unit, Group comparable] struct {
	query Query[Row, Unit, Group]
	*compiled
	reads   []func(Row) int64       // the inputs, as points or amounts
	memory  *Memory                 // how much collecting may take, or nil
	earlier *Plan[Row, Unit, Group] // the same question with the noise of an earlier version, or nil
}

// compiled is a plan without its types.
type compiled struct {
	dataset, unitName  string
	maxGroups, maxRows int
	loss               dp.Loss
	calibration
	inputs           []input    // in the order of their first column
	answers          []answer   // in the order of the columns, each once
	sums, histograms int        // of a group
	ranks            int        // quantiles of a group
	rankings         int        // measures of them
	paid             []dp.Event // what a run pays for; whoever gets it gets a copy
	fingerprint      string
	question         string // fingerprint of what is asked, without noise
	keyName          string
	given            []string  // keys, encoded; nil if groups are selected
	before           *compiled // of the earlier version, or nil
}

// An input is a value as a plan reads it.
type input struct {
	*value
	grid *grid.Grid
}

// per says what a value is of, as receipts and ledgers do.
func (in input) per() string {
	if in.perUnit {
		return "unit"
	}
	return "row"
}

// Plan checks the question and splits loss among the measures that answer it.
// All mistakes are reported, joined, and none depends on rows: call it when the
// program starts. It costs nothing.
//
// Counts and sums of one kind of record, per unit or per row, are released as one vector
// where they have less noise so: docs/proofs/cube.md.
//
// Measures get equal shares of the loss, unless columns are [Weighted]. Sum, Mean,
// Variance and StdDev of a value are one measure, all its quantiles are another;
// Count and Units come from the mean of a value where there is one. With a [dp.Approx], Laplace and
// Gaussian noise are compared and the plan takes the one with less noise or, where
// groups are selected, with the smaller product of threshold and noise, of which that of the units which
// select them counts half.
//
// Without columns, where groups are selected, a plan releases which groups there are and
// nothing else, and shows more of them. Proof: docs/proofs/selection.md.
//
// The plan is ε-, (ε, δ)- or ρ-private as loss says: its measures are calibrated
// so that their composition is. Proofs: docs/proofs/plan.md.
func (q *Query[Row, Unit, Group]) Plan(loss dp.Loss, columns ...AnyColumn) (*Plan[Row, Unit, Group], error) {
	columns, weights, weightErr := unweighted(columns)
	asked, err := q.checkColumns(columns)
	if err := errors.Join(dp.CheckLoss(loss), q.check(), q.checkSelection(loss), err, weightErr); err != nil {
		return nil, err
	}
	ws, weightOf := wants(asked, weights, q.selects())
	question := question{
		wants: ws, weights: weightOf, reads: readsOf(asked, weights, q.selects()), loss: loss, selects: q.selects(),
		l0: int64(q.maxGroups()), rows: int64(q.MaxRowsPerGroup), ranks: ranksAsked(asked), groups: len(q.given()),
	}
	calibrated, err := question.calibrate()
	if err != nil {
		return nil, err
	}
	if calibrated.finder != nil && q.LeastGroup > 0 {
		return nil, errors.New("aggregate: Query.LeastGroup is given and no column is: groups are found without a number of units then; ask for Query.Units")
	}
	p := q.compile(loss, asked, calibrated)
	if old := question.calibrateEarlier(calibrated); old != nil {
		p.earlier = q.compile(loss, asked, old)
		p.before = p.earlier.compiled
		p.earlier.ask(weights)
	}
	p.ask(weights)
	return p, nil
}

// compile joins a question with its noise, and works out everything that does not
// depend on rows.
func (q *Query[Row, Unit, Group]) compile(loss dp.Loss, asked []column, calibrated *calibration) *Plan[Row, Unit, Group] {
	c := &compiled{
		dataset: q.Dataset, unitName: q.UnitName, maxGroups: q.maxGroups(), maxRows: q.MaxRowsPerGroup,
		loss: loss, calibration: *calibrated,
	}
	c.threshold = c.threshold.atLeast(q.LeastGroup)
	c.placeMeasures(asked)
	if c.top == nil {
		c.answerColumns(asked, q.selects())
	}
	c.paid = c.events()
	p := &Plan[Row, Unit, Group]{query: *q, compiled: c}
	p.query.Groups = slices.Clone(q.Groups)
	p.query.Consent, p.query.Retention = copied(q.Consent), copied(q.Retention)
	for _, in := range c.inputs {
		p.reads = append(p.reads, in.bind(in.grid).(func(Row) int64))
	}
	c.fingerprint = p.describe()
	return p
}

// copied returns a pointer that whoever made a query does not have.
func copied[T any](x *T) *T {
	if x == nil {
		return nil
	}
	y := *x
	return &y
}

// placeMeasures gives every measure its place in a group.
func (c *compiled) placeMeasures(asked []column) {
	values := valuesOf(asked)
	c.inputs = make([]input, len(values))
	for _, m := range c.measures {
		m.place = place{first: c.sums, list: c.histograms, ranked: c.rankings, input: slices.Index(values, m.value)}
		c.sums += m.parts()
		if m.form == formDistinct {
			c.histograms++
		}
		if m.form == formRanks {
			c.histograms++
			c.rankings++
			m.quantiles = quantilesOf(asked, m.value)
			m.rank = c.ranks
			c.ranks += len(m.quantiles)
		}
		if m.value != nil {
			c.inputs[m.input] = input{m.value, m.grid}
		}
		if m.joint != nil {
			m.joint.inputs = nil
			for i, v := range m.joint.values {
				at := slices.Index(values, v)
				m.joint.inputs = append(m.joint.inputs, at)
				c.inputs[at] = input{v, m.joint.grids[i]}
			}
		}
	}
}
