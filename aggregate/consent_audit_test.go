package aggregate_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// out is a source of which one unit says no.
type out int

func (o out) Choices(_ context.Context, _ string, units []int) ([]aggregate.Choice, error) {
	answers := make([]aggregate.Choice, len(units))
	for i, u := range units {
		if answers[i] = aggregate.Silent; u == int(o) {
			answers[i] = aggregate.No
		}
	}
	return answers, nil
}

type visit struct{ who, ward, stay int }

// optOutQuery asks whether patients are in; nobody is the unit -1.
func optOutQuery(who int) *aggregate.Query[visit, int, int] {
	return &aggregate.Query[visit, int, int]{
		Dataset: "visits", UnitName: "patient", MaxGroups: 1, MaxRowsPerGroup: 2, Groups: []int{0, 1},
		Unit: func(v visit) int { return v.who }, Group: func(v visit) int { return v.ward },
		Consent: &aggregate.Consent[int]{Mode: aggregate.OptOut, Purpose: "audit", Source: out(who)},
	}
}

var stayBounds = aggregate.Bounds[int64]{Lower: 0, Upper: 8}

func stayOf(v visit) int64 { return int64(v.stay) }

// optOutShapes are the kinds of questions that are audited: what each asks for, and under which loss.
// Where moved is set, a filter that is moved to after counting takes it from the number of a ward.
var optOutShapes = []struct {
	name  string
	claim dp.Loss
	ask   func(q *aggregate.Query[visit, int, int]) []aggregate.AnyColumn
	moved func(v visit) float64
}{
	{"counts and sums of rows", dp.Pure{Epsilon: 1.5}, func(q *aggregate.Query[visit, int, int]) []aggregate.AnyColumn {
		// A weight of its own keeps the count out of a vector, so that a step of its noise is one row.
		return []aggregate.AnyColumn{aggregate.Weighted{AnyColumn: q.Count(), Weight: 1.01}, aggregate.PerRow(q, "stay", stayOf, stayBounds).Sum()}
	}, func(visit) float64 { return 1 }},
	{"sums of units", dp.Pure{Epsilon: 1.5}, func(q *aggregate.Query[visit, int, int]) []aggregate.AnyColumn {
		return []aggregate.AnyColumn{aggregate.PerUnit(q, "stay", stayOf, stayBounds).Sum()}
	}, func(v visit) float64 { return float64(v.stay) }},
	{"quantiles", dp.Pure{Epsilon: 1.5}, func(q *aggregate.Query[visit, int, int]) []aggregate.AnyColumn {
		return []aggregate.AnyColumn{aggregate.PerRow(q, "stay", stayOf, stayBounds).Quantile(0.5)}
	}, nil},
	{"groups that are selected", dp.Approx{Epsilon: 1.5, Delta: 0.01}, func(q *aggregate.Query[visit, int, int]) []aggregate.AnyColumn {
		q.Groups = nil
		return []aggregate.AnyColumn{q.Units()}
	}, func(visit) float64 { return 1 }},
	{"a series", dp.Approx{Epsilon: 1.5, Delta: 1e-4}, func(q *aggregate.Query[visit, int, int]) []aggregate.AnyColumn {
		return []aggregate.AnyColumn{q.Count()}
	}, nil}, // whose noisy numbers are in steps that a row is not one of
}

// runsOf returns a function that asks once, as a patient has opted out, and returns every noisy number, as
// after says.
func runsOf(t *testing.T, shape, who int, rows []visit, after func(ward int, numbers []float64)) func() dptest.Sample {
	t.Helper()
	s, q, r := optOutShapes[shape], optOutQuery(who), aggregate.Request{Key: "k", Purpose: "audit"}
	columns := s.ask(q)
	if s.name == "a series" {
		series := aggregate.Series[visit, int, int]{
			Query: q, Time: func(v visit) time.Time { return monday.AddDate(0, 0, v.stay%2) }, Zone: time.UTC, Step: aggregate.Day, First: monday, Periods: 2,
			Views: []aggregate.View{aggregate.EachPeriod(1)}, AtOnce: true,
		}
		plan, err := series.Plan(s.claim, columns...)
		if err != nil {
			t.Fatal(err)
		}
		return func() dptest.Sample {
			trend, err := aggregate.Advance(t.Context(), plan, reserving{newPurse()}, r, 2, aggregate.Slice(rows))
			if err != nil {
				t.Fatal(err)
			}
			numbers := trend.Noisy()
			if after != nil {
				after(0, numbers)
			}
			return dptest.Sample{Numbers: numbers}
		}
	}
	plan, err := q.Plan(s.claim, columns...)
	if err != nil {
		t.Fatal(err)
	}
	return func() dptest.Sample {
		release, err := plan.Run(t.Context(), newPurse(), r, aggregate.Slice(rows))
		if err != nil {
			t.Fatal(err)
		}
		var s dptest.Sample
		for ward, cell := range release.All() {
			numbers := cell.Noisy()
			if after != nil {
				after(ward, numbers)
			}
			s.Numbers, s.Tag = append(s.Numbers, numbers...), s.Tag+fmt.Sprint(ward, " ")
		}
		return s
	}
}

// reserving is a purse that series are paid from.
type reserving struct{ *purse }

func (r reserving) Reserve(context.Context, dp.Charge) (reserving, error) { return r, nil }

var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// Neighbours are two runs on the same rows, in one of which patient 0 has opted out, of questions of
// several shapes. None of 200 is refuted; with a filter that is moved to after counting, which takes the
// patient's visits out of the numbers that were added up, all are whose numbers can be changed so.
func TestAnOptOutIsHiddenAndAFilterAfterCountingIsNot(t *testing.T) {
	neighbours := len(optOutShapes)
	if *long {
		neighbours = 200
	}
	for n := range neighbours {
		shape := n % len(optOutShapes)
		s := optOutShapes[shape]
		trial := dptest.Trial{Claim: s.claim, Runs: 700, Alpha: 1e-9 / 200}
		if err := trial.Check(); err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(uint64(n), 3))
		var rows []visit
		for range 3 + r.IntN(12) {
			rows = append(rows, visit{r.IntN(4), r.IntN(2), r.IntN(10)})
		}
		for range 60 { // far more than the caps let in
			rows = append(rows, visit{0, 0, 1 + r.IntN(9)})
		}
		if s.name == "groups that are selected" {
			for who := range 30 { // so many that a ward may show, or not
				rows = append(rows, visit{100 + who, 0, 1})
			}
		}
		if result := trial.Run(runsOf(t, shape, -1, rows, nil), runsOf(t, shape, 0, rows, nil)); result.Refuted {
			t.Errorf("%s, neighbours %d: %v", s.name, n, result)
		}
		if s.moved == nil {
			continue
		}
		after := func(ward int, numbers []float64) {
			for _, v := range rows {
				if v.who == 0 && v.ward == ward {
					numbers[0] -= s.moved(v)
				}
			}
		}
		if !trial.Run(runsOf(t, shape, -1, rows, nil), runsOf(t, shape, -1, rows, after)).Refuted {
			t.Errorf("%s, neighbours %d: a filter after counting is not caught", s.name, n)
		}
	}
}

// A finder of groups asks for consent too.
func TestGroupsAreFoundAmongThoseWhoAreIn(t *testing.T) {
	var rows []visit
	for who := range 3000 {
		rows = append(rows, visit{who: who})
	}
	for mode, want := range map[aggregate.ConsentMode]int{aggregate.OptIn: 0, aggregate.OptOut: 1} {
		q := &aggregate.Query[visit, int, int]{
			Dataset: "visits", UnitName: "patient", MaxGroups: 1, MaxRowsPerGroup: 1,
			Unit: func(v visit) int { return v.who }, Group: func(v visit) int { return v.ward },
			Consent: &aggregate.Consent[int]{Mode: mode, Purpose: "audit", Source: out(0)},
		}
		plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-9})
		if err != nil {
			t.Fatal(err)
		}
		release, err := plan.Run(t.Context(), newPurse(), aggregate.Request{Key: "k", Purpose: "audit"}, aggregate.Slice(rows))
		if err != nil || release.Len() != want {
			t.Errorf("%v: %d groups, %v", mode, release.Len(), err)
		}
		if s := release.Receipt().States; s.Consent != mode.String() || strings.Contains(s.Consent, "(") {
			t.Errorf("the receipt says %+v", s)
		}
	}
}
