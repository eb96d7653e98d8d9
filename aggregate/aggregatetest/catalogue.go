package aggregatetest

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// A Catalogue makes the neighbouring inputs that [AuditPlan] runs a plan on.
// Every field but Read is required.
type Catalogue[Row any] struct {
	// Row makes a row of a unit, in a group, with a value in every column. Units
	// and groups are numbered from 0, at most 12 of each; fewer groups may stand
	// for many, as in days[key%7]. A value can be outside its bounds, NaN or
	// infinite; a program whose values are integers converts it as it would.
	Row func(unit, key int, x float64) Row

	// Lower and Upper are the bounds of the value.
	Lower, Upper float64

	// Runs and Alpha are those of a [dptest.Trial], for each pair of inputs and for
	// the whole catalogue. At Alpha 1e-6 a plan of ε = 1 takes at least 400 runs, of
	// ε = 5 5,698, of ε = 10 1,146,398; with fewer, AuditPlan says how many it takes.
	// So many find a plan without noise. Noise that is too small takes more of them,
	// as dptest.Trial says. 10,000 runs of a plan of five groups with three quartiles
	// and their intervals take about 90 seconds of processor time, on all processors at once.
	Runs  int
	Alpha float64

	// Purpose is what the runs are asked for; empty for "audit". A plan that asks units for
	// their consent is asked for nothing else than it asks them about.
	Purpose string

	// Read returns what the program shows of a group, if it is not only what the
	// release holds. May be nil.
	Read func(aggregate.Cell) []float64
}

// request is what runs answer.
func (c Catalogue[Row]) request() aggregate.Request {
	return aggregate.Request{Key: "audit", Purpose: cmp.Or(c.Purpose, "audit")}
}

// A pair is two neighbouring inputs: with one unit and without.
type pair[Row any] struct {
	name          string
	with, without []Row
}

// pairsOfCatalogue is how many pairs a catalogue has.
const pairsOfCatalogue = 17

// trial returns what is asked about each pair, or every mistake of the catalogue,
// joined.
func (c Catalogue[Row]) trial(claim dp.Loss) (dptest.Trial, error) {
	trial := dptest.Trial{Claim: claim, Runs: c.Runs, Alpha: c.Alpha / pairsOfCatalogue}
	var errs []error
	if c.Row == nil {
		errs = append(errs, errors.New("aggregatetest: Catalogue.Row is nil; it must make a row"))
	}
	if !(c.Lower < c.Upper) || math.IsInf(c.Lower, 0) || math.IsInf(c.Upper, 0) {
		errs = append(errs, fmt.Errorf("aggregatetest: Catalogue bounds are [%v, %v], must be finite and rising", c.Lower, c.Upper))
	}
	if !(c.Alpha > 0 && c.Alpha < 1) {
		errs = append(errs, fmt.Errorf("aggregatetest: Catalogue.Alpha is %v, must be in (0, 1)", c.Alpha))
		return trial, errors.Join(errs...)
	}
	return trial, errors.Join(append(errs, trial.Check())...)
}

// pairs returns the catalogue. In each pair one input is the other with all the
// rows of one more unit, number 0.
func (c Catalogue[Row]) pairs() []pair[Row] {
	third := c.Lower + (c.Upper-c.Lower)/3
	middle := c.Lower/2 + c.Upper/2
	one := func(x float64) []Row { return []Row{c.Row(0, 0, x)} }
	others := []Row{c.Row(1, 0, middle), c.Row(2, 0, c.Upper), c.Row(3, 0, c.Lower), c.Row(3, 1, third)}
	alone := func(name string, rows []Row) pair[Row] { return pair[Row]{name, rows, nil} }
	among := func(name string, rows []Row) pair[Row] {
		return pair[Row]{name + ", among others", append(rows, others...), others}
	}
	return []pair[Row]{
		alone("one unit, nobody else", one(middle)),
		alone("the upper bound", one(c.Upper)),
		alone("the lower bound", one(c.Lower)),
		alone("a third of the bounds", one(third)),
		among("the upper bound", one(c.Upper)),
		among("the lower bound", one(c.Lower)),
		among("a third of the bounds", one(third)),
		among("NaN", one(math.NaN())),
		among("infinity", one(math.Inf(1))),
		among("minus infinity", one(math.Inf(-1))),
		alone("the smallest float", one(math.SmallestNonzeroFloat64)),
		among("the largest float, twice, and its negative", c.rows(3, 1, math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64)),
		among("many rows in one group", c.rows(12, 1, c.Upper)),
		among("one row in each of many groups", c.rows(12, 12, c.Lower)),
		among("many rows in many groups", c.rows(36, 12, c.Upper, c.Lower)),
		among("a new group", []Row{c.Row(0, 5, c.Upper)}),
		among("the rows that others have", []Row{c.Row(0, 0, middle), c.Row(0, 0, c.Upper), c.Row(0, 0, c.Lower), c.Row(0, 1, third)}),
	}
}

// rows returns rows of unit 0, over some groups in turn, with some values in
// turn.
func (c Catalogue[Row]) rows(n, groups int, xs ...float64) []Row {
	var rows []Row
	for i := range n {
		rows = append(rows, c.Row(0, i%groups, xs[i/groups%len(xs)]))
	}
	return rows
}
