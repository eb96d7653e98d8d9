package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"path/filepath"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/aggregate/rows"
	"github.com/equipoise-dp/equipoise/dp"
)

// A question is what the report asks: a plan, and the quantities that it
// answers.
type question struct {
	plan       *aggregate.Plan[row, rows.ID, slot]
	quantities []quantity
}

// A quantity is one number of every cell of the report.
type quantity struct {
	Name  string // in CSV and JSON
	Label string // in the report
	Note  string // what it is exactly
	Money bool
	Cents bool // whether amounts are written with them
	Each  bool // whether it is per unit, and not a total

	Quantile bool // whether it is read from ranks

	Price  aggregate.Price
	of     func(aggregate.Cell) figure
	change func(before, after aggregate.Cell, confidence float64) figure
	total  func(*aggregate.Release[slot], []slot) (figure, error) // nil unless it adds up
	exact  func(exactCell) float64
}

// A figure is an estimate with its 95 % interval.
type figure struct {
	Value  float64 `json:"value"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	StdDev float64 `json:"stddev"`

	// Unknown says that noise hides the number. Value is then the middle of what is
	// possible, for charts.
	Unknown bool `json:"unknown,omitempty"`
}

// ask makes the plan. It costs nothing and reads nothing.
//
// Everything but the number of units is the sum of something over the rows of a
// unit in a period, clamped once per unit. So one customer with many purchases
// costs no more noise than one with few.
func (o *options) ask() (*question, error) {
	q, all := o.columnsAsked()
	o.weigh(all)
	plan, err := q.Plan(o.loss(), all.columns...)
	if err != nil {
		return nil, err
	}
	for i, price := range plan.Prices() {
		all.quantities[i].Price = price
	}
	return &question{plan, all.quantities}, nil
}

// columnsAsked returns the columns of the report, with the numbers that they answer.
func (o *options) columnsAsked() (*aggregate.Query[row, rows.ID, slot], *asked) {
	q := &aggregate.Query[row, rows.ID, slot]{
		Dataset:         o.Dataset,
		UnitName:        o.UnitName,
		Unit:            func(r row) rows.ID { return r.Unit },
		Group:           func(r row) slot { return r.Slot },
		GroupName:       o.groups(),
		Groups:          o.slots(),
		MaxGroups:       o.MaxSlots,
		MaxRowsPerGroup: maxRowsRead,
	}
	rows := aggregate.PerUnit(q, o.RowNames, func(row) int64 { return 1 },
		aggregate.Bounds[int64]{Lower: o.leastRows(), Upper: int64(o.MaxRows)})

	all := &asked{options: o}
	add(all, quantity{Name: o.UnitNames, Label: "Active " + o.UnitNames, Note: fmt.Sprintf("with at least one %s", o.RowName),
		exact: func(c exactCell) float64 { return float64(c.units()) }}, q.Units())
	add(all, adds(quantity{Name: o.RowNames, Label: title(o.RowNames), Note: fmt.Sprintf("at most %s of one %s", count(o.MaxRows, o.RowName, o.RowNames), o.UnitName),
		exact: func(c exactCell) float64 { return float64(c.rows()) }}, rows.Sum()), rows.Sum())
	if o.Value != "" {
		all.addValue(q)
	}
	return q, all
}

// asked collects columns and the quantities that they answer.
type asked struct {
	options    *options
	columns    []aggregate.AnyColumn
	quantities []quantity
}

func add[T dp.Number](a *asked, q quantity, c aggregate.Column[T]) {
	q.of = func(cell aggregate.Cell) figure { return figureOf(c.Of(cell), single) }
	q.change = func(before, after aggregate.Cell, confidence float64) figure {
		return figureOf(c.Change(before, after), confidence)
	}
	a.columns = append(a.columns, c)
	a.quantities = append(a.quantities, q)
}

func figureOf[T dp.Number](e dp.Estimate[T], confidence float64) figure {
	low, high := e.Interval(confidence)
	f := figure{Value: float64(e.Value), Low: float64(low), High: float64(high), StdDev: e.StdDev, Unknown: e.Unknown}
	if e.Unknown {
		f.Value = f.Low/2 + f.High/2
	}
	if f.High >= math.MaxInt64 { // which stands for no limit
		f.High = math.Inf(1)
	}
	return f
}

// addValue asks for the total value, and for how it is spread over units.
func (a *asked) addValue(q *aggregate.Query[row, rows.ID, slot]) {
	o := a.options
	value := aggregate.PerUnit(q, o.Value, func(r row) float64 { return r.Value },
		aggregate.Bounds[float64]{Lower: o.Lower, Upper: o.Upper, Step: o.Step})

	per := fmt.Sprintf("%s per active %s", o.ValueName, o.UnitName)
	cents := o.Upper-o.Lower < 10_000
	fine := cents && o.Step != math.Round(o.Step)
	add(a, adds(quantity{Name: o.ValueName, Label: title(o.ValueName), Note: fmt.Sprintf("at most %s of one %s", o.money(o.Upper, false), o.UnitName), Money: true,
		exact: func(c exactCell) float64 { return c.total() }}, value.Sum()), value.Sum())
	add(a, quantity{Name: o.ValueName + "_mean", Label: "Mean", Note: per, Money: true, Each: true, Cents: cents, exact: exactCell.mean}, value.Mean())
	add(a, quantity{Name: o.ValueName + "_median", Label: "Median", Note: per, Money: true, Each: true, Quantile: true, Cents: fine,
		exact: func(c exactCell) float64 { return c.quantile(0.5) }}, value.Quantile(0.5))
	add(a, quantity{Name: o.ValueName + "_p95", Label: "95th percentile", Note: per, Money: true, Each: true, Quantile: true, Cents: fine,
		exact: func(c exactCell) float64 { return c.quantile(0.95) }}, value.Quantile(0.95))
}

// groups says what the cells are: a plan's fingerprint sees names, and not the
// functions that read rows.
func (o *options) groups() string {
	name := o.Period.adverb() + ", by " + o.Time
	if o.By != "" {
		name += " and " + o.By
	}
	if how := o.Reading(); how != "" {
		name += "; " + how
	}
	return name
}

// slots returns the cells to release, or nil if they are selected privately.
func (o *options) slots() []slot {
	if o.selects() {
		return nil
	}
	groups := o.Groups
	if o.By == "" {
		groups = []string{""}
	}
	var all []slot
	for _, g := range groups {
		for _, p := range o.periods {
			all = append(all, slot{p, g})
		}
	}
	return all
}

// request names the release. Without -key, the name is made from the question
// and the input, so that asking the same again is not paying again.
func (o *options) request(q *question) aggregate.Request {
	key := o.Key
	if key == "" {
		columns := fmt.Sprintf("%q %q %q", o.columns(), filepath.Base(o.inputName()), writtenAs(o.Format))
		hash := sha256.Sum256([]byte(q.plan.Fingerprint() + " " + columns))
		key = "trends-" + hex.EncodeToString(hash[:6])
	}
	return aggregate.Request{Key: key, Purpose: o.Purpose, Analyst: o.Asker}
}

// writtenAs is how a format stands in the names of requests, always in the same way: what
// was paid for is found again.
func writtenAs(f rows.Format) string {
	return fmt.Sprintf("{%s %s {%s %s %s} {%s %v} {%s %s}}", f.Encoding, f.Delimiter, f.Decimal, f.Thousands, f.Currency, f.Missing, f.Marks, f.Zone, f.Layout)
}
