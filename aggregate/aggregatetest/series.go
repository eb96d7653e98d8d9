package aggregatetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
	"github.com/equipoise-dp/equipoise/internal/purse"
)

// AuditSeries audits a series as a whole, with everything that it releases over its whole
// life, as [AuditPlan] audits a plan: inputs differ by all that one unit does in all
// periods. Period after period the rows are read again, as they are in a program. Rows of the
// catalogue should be spread over the periods as over groups: key 0 is the first pair of a
// group and a period, and so on. Read is given the total of each group over all periods.
func AuditSeries[Row any, Unit, Group comparable](t testing.TB, plan *aggregate.SeriesPlan[Row, Unit, Group], groups []Group, c Catalogue[Row]) []dptest.Result {
	t.Helper()
	results := auditSeries(t, plan, groups, c, c.pairs())
	for _, r := range results {
		if r.Refuted {
			t.Errorf("aggregatetest: %s: %v is %v", r.Name, plan.Charge(aggregate.Request{}).Loss, r)
		}
	}
	return results
}

// auditSeries audits some pairs.
func auditSeries[Row any, Unit, Group comparable](t testing.TB, plan *aggregate.SeriesPlan[Row, Unit, Group], groups []Group, c Catalogue[Row], pairs []pair[Row]) []dptest.Result {
	trial, err := c.trial(plan.Charge(aggregate.Request{}).Loss)
	if err != nil {
		t.Fatal(err)
	}
	trial.Features = map[string]func(dptest.Sample) float64{
		"sum of all rows":                func(s dptest.Sample) float64 { return sum(s.Numbers) },
		"sum of the first half of rows":  func(s dptest.Sample) float64 { return sum(s.Numbers[:len(s.Numbers)/2]) },
		"sum of the second half of rows": func(s dptest.Sample) float64 { return sum(s.Numbers[len(s.Numbers)/2:]) },
	}
	if s := advanced(t, plan, groups, c, nil)(); len(s.Numbers) == 0 {
		t.Fatalf("aggregatetest: the series cannot be run, so nothing can be audited: %s", s.Tag)
	}
	return each(pairs, func(p pair[Row]) dptest.Result {
		r := trial.Run(advanced(t, plan, groups, c, p.with), advanced(t, plan, groups, c, p.without))
		r.Name = p.name
		return r
	})
}

func sum(xs []float64) float64 {
	total := 0.0
	for _, x := range xs {
		total += x
	}
	return total
}

// advanced returns a function that runs the whole series once.
func advanced[Row any, Unit, Group comparable](t testing.TB, plan *aggregate.SeriesPlan[Row, Unit, Group], groups []Group, c Catalogue[Row], rows []Row) func() dptest.Sample {
	request := c.request()
	periods := plan.Periods()
	return func() dptest.Sample {
		var s dptest.Sample
		account := &drawer{kept: make(map[string][]byte)}
		for through := range periods {
			trend, err := aggregate.Advance(t.Context(), plan, account, request, through+1, aggregate.Slice(rows))
			if err != nil { // of a series that is released at once, but for the last
				s.Tag += fmt.Sprintln(through, err)
				continue
			}
			if through+1 == len(periods) {
				s.Numbers = append(s.Numbers, trend.Noisy()...)
				s.Numbers = append(s.Numbers, read(t, trend, groups, len(periods), c.Read)...)
			}
		}
		return s
	}
}

// read returns what the program shows of the totals.
func read[Group comparable](t testing.TB, trend *aggregate.Trend[Group], groups []Group, periods int, show func(aggregate.Cell) []float64) (numbers []float64) {
	if show == nil {
		return nil
	}
	for _, g := range groups {
		cell, err := trend.Over(aggregate.Stretch[Group]{Groups: []Group{g}, To: periods})
		if err != nil {
			t.Error(err)
			return nil
		}
		numbers = slices.Concat(numbers, show(cell))
	}
	return numbers
}

// A drawer affords everything, and remembers what it kept for the length of one run.
type drawer struct {
	purse.Free
	kept map[string][]byte
}

// Reserve implements aggregate.Reserver.
func (d *drawer) Reserve(context.Context, dp.Charge) (*drawer, error) { return d, nil }

// Spend implements aggregate.Budget.
func (d *drawer) Spend(_ context.Context, c dp.Charge) (dp.Payment, error) {
	return dp.Payment{Account: c.Dataset, Entry: 1, At: time.Unix(0, 0), Kept: d.kept[c.Key]}, nil
}

// Keep implements aggregate.Budget.
func (d *drawer) Keep(_ context.Context, c dp.Charge, release []byte) ([]byte, error) {
	d.kept[c.Key] = release
	return release, nil
}

// Kept implements aggregate.Budget.
func (d *drawer) Kept(_ context.Context, c dp.Charge) ([]byte, error) { return d.kept[c.Key], nil }
