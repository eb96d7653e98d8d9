package sqlaggtest

import (
	"fmt"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/aggregate/sqlagg"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
	"github.com/equipoise-dp/equipoise/internal/purse"
)

// audit tries to refute the loss of a plan that is run through the database, on tables with and without
// one unit: with more rows than caps let through, and with values that are odd.
func audit(t *testing.T, d Database) {
	others := []line{{un: int64(2), gn: int64(0), x: 40.0}, {un: int64(3), gn: int64(0), x: 100.0}, {un: int64(3), gn: int64(1), x: 0.0}}
	one := func(gn int64, x float64) line { return line{un: int64(1), gn: gn, x: x} }
	var many []line
	for i := range int64(24) {
		many = append(many, one(i%4, 100))
	}
	q := &aggregate.Query[sqlagg.Row, int64, int64]{
		Dataset: "rows", UnitName: "person", Unit: sqlagg.Int("un"), Group: sqlagg.Int("gn"), MaxGroups: 2, MaxRowsPerGroup: 2, Groups: []int64{0, 1, 2, 3},
	}
	x := aggregate.PerRow(q, "x", sqlagg.Float("x"), aggregate.Bounds[float64]{Lower: 0, Upper: 100})
	of := aggregate.PerUnit(q, "x of a person", sqlagg.Float("x"), aggregate.Bounds[float64]{Lower: 0, Upper: 150})
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, x.Mean(), of.Sum())
	if err != nil {
		t.Fatal(err)
	}
	pairs := map[string][]line{"many rows in many groups": many, "odd rows": {one(1, 1e300), one(1, -1e300), one(0, -5)}}
	trial := dptest.Trial{Claim: dp.Pure{Epsilon: 1}, Runs: 420, Alpha: 1e-6 / float64(len(pairs))}
	without := d.fill(t, "without", others)
	for name, own := range pairs {
		with := d.fill(t, "with", append(own, others...))
		if r := trial.Run(released(t, with, plan), released(t, without, plan)); r.Refuted {
			t.Errorf("%s: %v is %v", name, trial.Claim, r)
		}
	}
}

// released returns a function that runs the plan once.
func released(t *testing.T, s sqlagg.Source, plan *aggregate.Plan[sqlagg.Row, int64, int64]) func() dptest.Sample {
	return func() (sample dptest.Sample) {
		r, err := sqlagg.Run(t.Context(), s, plan, purse.Free{}, request)
		if err != nil {
			return dptest.Sample{Tag: err.Error()}
		}
		for group, cell := range r.All() {
			sample.Tag += fmt.Sprint(group, " ")
			sample.Numbers = append(sample.Numbers, cell.Noisy()...)
		}
		return sample
	}
}
