package aggregate

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/grid"
	"github.com/equipoise-dp/equipoise/internal/keys"
)

// A Plan is a checked question with a price. It is immutable and safe for
// concurrent use, and it can be run many times; every run is paid for.
type Plan[Row any, Unit, Key comparable] struct {
	query Query[Row, Unit, Key]
	*compiled
	reads   []func(Row) int64     // the values, as points or amounts
	earlier *Plan[Row, Unit, Key] // the same question with the noise of an earlier version, or nil
}

// compiled is a plan without its types.
type compiled struct {
	dataset, unitName string
	maxKeys, maxRows  int
	loss              dp.Loss
	columns           []column
	values            []*value // that are read, in the order of their first column
	valueOf           []int    // for each measure, the index of its value, or -1
	calibration
	fingerprint string
}

// Plan checks the question and splits loss among the measures that answer it.
// All mistakes are reported, joined, and none depends on rows: call it when the
// program starts. It costs nothing.
//
// Measures get equal shares of the loss, unless columns are [Weighted]. Sum, Mean, Variance and StdDev of a
// value are one measure, all its quantiles are another; Count and Units come
// from the mean of a value where there is one. With a [dp.Approx], Laplace and
// Gaussian noise are compared and the plan takes the one with less noise or, where
// groups are selected, with the smaller product of noise and threshold.
//
// The plan is ε-, (ε, δ)- or ρ-private as loss says: its measures are calibrated
// so that their composition is. Proofs: docs/proofs/plan.md.
func (q *Query[Row, Unit, Key]) Plan(loss dp.Loss, columns ...AnyColumn) (*Plan[Row, Unit, Key], error) {
	columns, weights, weightErr := unweighted(columns)
	asked, err := q.checkColumns(columns)
	if err := errors.Join(dp.CheckLoss(loss), q.check(), q.checkSelection(loss), err, weightErr); err != nil {
		return nil, err
	}
	c := &compiled{
		dataset: q.Dataset, unitName: q.UnitName, loss: loss, columns: asked,
		maxKeys: q.maxKeys(), maxRows: q.MaxRowsPerKey, values: valuesOf(asked),
	}
	ws, weightOf := wants(asked, weights, q.selects())
	question := question{
		wants: ws, weights: weightOf, loss: loss, selects: q.selects(),
		l0: int64(q.maxKeys()), rows: int64(q.MaxRowsPerKey), ranks: ranksAsked(asked),
	}
	calibrated, err := question.calibrate()
	if err != nil {
		return nil, err
	}
	p := q.compile(*c, calibrated)
	if old := question.calibrateEarlier(calibrated); old != nil {
		p.earlier = q.compile(*c, old)
	}
	return p, nil
}

// compile joins a question with its noise.
func (q *Query[Row, Unit, Key]) compile(of compiled, calibrated *calibration) *Plan[Row, Unit, Key] {
	c := &of
	c.calibration = *calibrated
	for _, m := range c.measures {
		c.valueOf = append(c.valueOf, slices.Index(c.values, m.value))
	}
	p := &Plan[Row, Unit, Key]{query: *q, compiled: c}
	p.query.Keys = slices.Clone(q.Keys)
	for _, v := range c.values {
		p.reads = append(p.reads, v.bind(c.gridOf(v)).(func(Row) int64))
	}
	c.fingerprint = p.describe()
	return p
}

// checkSelection returns an error if groups are selected without a delta.
func (q *Query[Row, Unit, Key]) checkSelection(loss dp.Loss) error {
	if loss == nil || dp.PartsOf(loss).Delta > 0 || !q.selects() {
		return nil
	}
	return fmt.Errorf("aggregate: groups are selected privately, which needs a dp.Approx loss, not %v; or list them in Query.Keys", loss)
}

// checkColumns returns the columns without repetitions, and every mistake in
// them.
func (q *Query[Row, Unit, Key]) checkColumns(columns []AnyColumn) ([]column, error) {
	var asked []column
	var errs []error
	checked := map[*value]bool{nil: true}
	if len(columns) == 0 {
		errs = append(errs, errors.New("aggregate: no columns given; ask for at least one, such as Query.Count"))
	}
	for _, any := range columns {
		if isNil(any) {
			errs = append(errs, errors.New("aggregate: a column is nil"))
			continue
		}
		c := any.id()
		if c.kind == 0 {
			errs = append(errs, errors.New("aggregate: a column is the zero Column; columns come from a Query or a Value"))
			continue
		}
		if c.query != q.identity() {
			errs = append(errs, fmt.Errorf("aggregate: column %v belongs to another query", c))
		}
		if c.kind == kindQuantile && !(c.rank > 0 && c.rank < 1) { // written so that NaN fails
			errs = append(errs, fmt.Errorf("aggregate: quantile rank of %q is %v, must be in (0, 1)", c.value.name, c.rank))
		}
		if c.kind == kindSum && c.value.integer && c.value.bits < 64 {
			errs = append(errs, fmt.Errorf("aggregate: the sum of %q does not fit its type of %d bits; return an int64 from its function", c.value.name, c.value.bits))
		}
		if !checked[c.value] {
			checked[c.value] = true
			errs = append(errs, c.value.err)
		}
		if !slices.Contains(asked, c) {
			asked = append(asked, c)
		}
	}
	return asked, errors.Join(append(errs, checkNames(asked), checkIntervals(asked))...)
}

// unweighted returns the columns without weights, and the weights: of a column
// that is asked for twice, the larger.
func unweighted(columns []AnyColumn) (plain []AnyColumn, weights map[column]*big.Rat, err error) {
	weights = make(map[column]*big.Rat)
	var errs []error
	for _, c := range columns {
		weight := big.NewRat(1, 1)
		for w, ok := asWeighted(c); ok; w, ok = asWeighted(c) {
			c = w.AnyColumn
			if x := exact.Decimal(w.Weight); x != nil && x.Sign() > 0 {
				weight.Mul(weight, x)
			} else {
				errs = append(errs, fmt.Errorf("aggregate: weight of a column is %v, must be positive and finite", w.Weight))
			}
		}
		plain = append(plain, c)
		if isNil(c) {
			continue
		}
		if old := weights[c.id()]; old == nil || old.Cmp(weight) < 0 {
			weights[c.id()] = weight
		}
	}
	return plain, weights, errors.Join(errs...)
}

func asWeighted(c AnyColumn) (w Weighted, ok bool) {
	if p, ok := c.(*Weighted); ok && p != nil {
		return *p, true
	}
	w, ok = c.(Weighted)
	return w, ok
}

// isNil reports whether a column is nil, or a nil pointer to one.
func isNil(c AnyColumn) bool {
	return c == nil || reflect.ValueOf(c).Kind() == reflect.Pointer && reflect.ValueOf(c).IsNil()
}

// identity is what columns remember their query by.
func (q *Query[Row, Unit, Key]) identity() any { return q }

// checkNames returns an error if two values have one name, which would make
// receipts ambiguous.
func checkNames(columns []column) error {
	byName := make(map[string]*value)
	var errs []error
	for _, v := range valuesOf(columns) {
		if byName[v.name] != nil {
			errs = append(errs, fmt.Errorf("aggregate: two values have the name %q", v.name))
		}
		byName[v.name] = v
	}
	return errors.Join(errs...)
}

func valuesOf(columns []column) []*value {
	var values []*value
	for _, c := range columns {
		if c.value != nil && !slices.Contains(values, c.value) {
			values = append(values, c.value)
		}
	}
	return values
}

// wants returns the measures that answer the columns, each of them once, and
// their weights.
func wants(columns []column, weights map[column]*big.Rat, selects bool) ([]want, map[want]*big.Rat) {
	var ws []want
	weight := make(map[want]*big.Rat)
	if selects {
		ws = append(ws, want{formUnits, nil})
	}
	for _, c := range columns {
		w := answer(columns, c, selects)
		if !slices.Contains(ws, w) {
			ws = append(ws, w)
		}
		if weight[w] == nil || weights[c].Cmp(weight[w]) > 0 {
			weight[w] = weights[c]
		}
	}
	return ws, weight
}

// answer returns the measure that answers a column.
func answer(columns []column, c column, selects bool) want {
	v := c.value
	switch {
	case c.kind == kindQuantile:
		return want{formRanks, v}
	case c.kind == kindUnits && selects:
		return want{formUnits, nil}
	case v == nil:
		v = counter(columns, c.kind == kindUnits)
	}
	switch {
	case v != nil:
		return want{momentForms(columns)[v], v}
	case c.kind == kindUnits:
		return want{formUnits, nil}
	}
	return want{formRows, nil}
}

// momentForms returns the form that answers all moments that are asked of a
// value.
func momentForms(columns []column) map[*value]form {
	forms := make(map[*value]form)
	need := map[kind]form{kindSum: formTotal, kindMean: formPair, kindVariance: formTriple, kindStdDev: formTriple}
	for _, c := range columns {
		forms[c.value] = max(forms[c.value], need[c.kind])
	}
	return forms
}

// counter returns the value whose mean or variance also counts the rows, or the
// units, of a group.
func counter(columns []column, units bool) *value {
	for _, c := range columns {
		if c.kind >= kindMean && c.kind <= kindStdDev && c.value.perUnit == units {
			return c.value
		}
	}
	return nil
}

func (c *compiled) has(asked column) bool { return slices.Contains(c.columns, asked) }

// gridOf returns the grid that all measures of a value share.
func (c *compiled) gridOf(v *value) *grid.Grid {
	for _, m := range c.measures {
		if m.value == v {
			return m.grid
		}
	}
	return nil
}

// moments returns the measure that answers the moments of a value.
func (c *compiled) moments(v *value) *measure {
	for _, f := range []form{formTriple, formPair, formTotal} {
		if m := c.find(f, v); m != nil {
			return m
		}
	}
	return nil
}

// Charge returns what one run costs: the events, in exact terms.
func (p *Plan[Row, Unit, Key]) Charge(r Request) dp.Charge {
	return dp.Charge{
		Dataset: p.dataset, Unit: p.unitName, Purpose: r.Purpose, Key: r.Key, Plan: p.fingerprint,
		Analyst: r.Analyst, Periods: slices.Clone(r.Periods), Loss: p.loss, Events: p.events(),
	}
}

func (c *calibration) events() []dp.Event {
	var events []dp.Event
	for _, m := range c.measures {
		events = append(events, m.events()...)
	}
	if c.threshold != nil {
		events = append(events, c.threshold.event().Clone())
	}
	return events
}

// Fingerprint identifies the question: two plans have the same one if they ask
// for the same columns with the same bounds, caps, keys, loss and noise. It does
// not see the functions of the query, which are code.
func (p *Plan[Row, Unit, Key]) Fingerprint() string { return p.fingerprint }

func (p *Plan[Row, Unit, Key]) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "equipoise plan 1\n%q %q %d %d %v\n", p.dataset, p.unitName, p.maxKeys, p.maxRows, p.loss)
	for _, c := range p.columns {
		fmt.Fprintf(&b, "column %q %d %v\n", c, c.kind, c.rank)
		if c.bare {
			fmt.Fprintln(&b, "without interval")
		}
	}
	for _, v := range p.values {
		g := p.gridOf(v)
		fmt.Fprintf(&b, "value %q %t %t %v %v %v\n", v.name, v.perUnit, v.integer, g.Lower, g.Step, g.Cells)
	}
	for _, e := range p.events() {
		fmt.Fprintf(&b, "event %q %q %+v %v %v\n", e.Mechanism, e.For, e.Sensitivity, e.Scale, e.Delta)
		if e.Epsilon != nil {
			fmt.Fprintf(&b, "epsilon %v times %d\n", e.Epsilon, e.Count)
		}
	}
	fmt.Fprintf(&b, "keyed %t %q %s\n", p.query.Key != nil, p.query.KeyName, keys.Shape(reflect.TypeFor[Key]()))
	for _, k := range p.query.given() {
		fmt.Fprintf(&b, "key %s\n", keys.Encode(k))
	}
	hash := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(hash[:])
}
