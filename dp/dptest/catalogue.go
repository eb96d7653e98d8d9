package dptest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
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

	// Runs and Alpha are those of a [Trial]. Alpha is for the whole catalogue.
	Runs  int
	Alpha float64

	// Read returns what the program shows of a group, if it is not only what the
	// release holds. May be nil.
	Read func(aggregate.Cell) []float64
}

// A pair is two neighbouring inputs: with one unit and without.
type pair[Row any] struct {
	name          string
	with, without []Row
}

// AuditPlan audits a whole plan, with everything that it releases, on a
// catalogue of neighbours: what it collects, the noise, the selection of groups
// and the release are those of the library and of the program's own functions.
// Runs are paid for by a budget that is always full, inside the test. It fails t
// if the plan's loss is refuted on any of them, and returns what was found on
// each.
func AuditPlan[Row any, Unit, Key comparable](t testing.TB, plan *aggregate.Plan[Row, Unit, Key], c Catalogue[Row]) []Result {
	t.Helper()
	if err := c.check(); err != nil {
		t.Fatal(err)
	}
	pairs := c.pairs()
	trial := Trial{Claim: plan.Charge(aggregate.Request{}).Loss, Runs: c.Runs, Alpha: c.Alpha / float64(len(pairs))}
	var results []Result
	for _, p := range pairs {
		r := trial.run(released(t, plan, c, p.with), released(t, plan, c, p.without))
		r.Name = p.name
		if r.Refuted {
			t.Errorf("dptest: %s: %v is %v", p.name, trial.Claim, r)
		}
		results = append(results, r)
	}
	return results
}

func (c Catalogue[Row]) check() error {
	var errs []error
	if c.Row == nil {
		errs = append(errs, errors.New("dptest: Catalogue.Row is nil; it must make a row"))
	}
	if !(c.Lower < c.Upper) || math.IsInf(c.Lower, 0) || math.IsInf(c.Upper, 0) {
		errs = append(errs, fmt.Errorf("dptest: Catalogue bounds are [%v, %v], must be finite and rising", c.Lower, c.Upper))
	}
	if c.Runs < minRuns {
		errs = append(errs, fmt.Errorf("dptest: Catalogue.Runs is %d, must be at least %d", c.Runs, minRuns))
	}
	if !(c.Alpha > 0 && c.Alpha < 1) {
		errs = append(errs, fmt.Errorf("dptest: Catalogue.Alpha is %v, must be in (0, 1)", c.Alpha))
	}
	return errors.Join(errs...)
}

// released returns a function that runs the whole plan once.
func released[Row any, Unit, Key comparable](t testing.TB, plan *aggregate.Plan[Row, Unit, Key], c Catalogue[Row], rows []Row) func() Sample {
	request := aggregate.Request{Key: "audit", Purpose: "audit"}
	return func() Sample {
		p := purse{show: c.Read != nil}
		partial, err := plan.Collect(t.Context(), aggregate.Slice(rows))
		if err != nil {
			return Sample{Tag: err.Error()}
		}
		release, err := plan.Release(t.Context(), &p, request, partial)
		if err != nil && !errors.Is(err, errSeen) {
			return Sample{Tag: err.Error()}
		}
		s := stored(p.kept)
		if c.Read != nil {
			for _, cell := range release.All() {
				s.Numbers = append(s.Numbers, c.Read(cell)...)
			}
		}
		return s
	}
}

// stored reads the text that a release is kept as: every number in it, and the
// keys and shape as the tag. An estimate is a function of this text and of the
// plan, so it tells no more.
func stored(text []byte) Sample {
	var release struct {
		Groups []struct {
			Key   string
			Sums  []json.Number
			Ranks [][]struct {
				Point       json.Number
				Lows, Highs []json.Number
			}
		}
	}
	if err := json.Unmarshal(text, &release); err != nil {
		return Sample{Tag: err.Error()}
	}
	var s Sample
	var tag strings.Builder
	add := func(xs ...json.Number) {
		for _, x := range xs {
			f, _ := x.Float64()
			s.Numbers = append(s.Numbers, f)
		}
	}
	for _, g := range release.Groups {
		fmt.Fprintf(&tag, "%s:%d ", g.Key, len(g.Sums))
		add(g.Sums...)
		for _, ranks := range g.Ranks {
			for _, r := range ranks {
				add(r.Point)
				add(r.Lows[len(r.Lows)/2], r.Highs[len(r.Highs)/2])
			}
		}
	}
	s.Tag = tag.String()
	return s
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
