package aggregate_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
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

// An optOutShape is a kind of question that is audited: what it asks for, under which loss, and what a filter
// that is moved to after counting does to it.
type optOutShape struct {
	name  string
	claim dp.Loss
	ask   func(q *aggregate.Query[visit, int, int]) []aggregate.AnyColumn
	crowd []visit // further rows
	stay  int     // of the patient's rows; 0 for any

	// Of numbers that are sums, it takes moved(v) for each of the patient's visits. Of a quantile, it
	// takes points out of the list that was collected: late returns rows that have the list which is left.
	moved func(v visit) float64
	late  func(rows []visit) []visit
}

var optOutShapes = []optOutShape{
	{"counts and sums of rows", dp.Pure{Epsilon: 1.5}, func(q *aggregate.Query[visit, int, int]) []aggregate.AnyColumn {
		// A weight of its own keeps the count out of a vector, so that a step of its noise is one row.
		return []aggregate.AnyColumn{aggregate.Weighted{AnyColumn: q.Count(), Weight: 1.01}, aggregate.PerRow(q, "stay", stayOf, stayBounds).Sum()}
	}, nil, 0, func(visit) float64 { return 1 }, nil},
	{"sums of units", dp.Pure{Epsilon: 1.5}, func(q *aggregate.Query[visit, int, int]) []aggregate.AnyColumn {
		return []aggregate.AnyColumn{aggregate.PerUnit(q, "stay", stayOf, stayBounds).Sum()}
	}, nil, 0, func(v visit) float64 { return float64(v.stay) }, nil},
	{"quantiles", dp.Pure{Epsilon: 1.5}, func(q *aggregate.Query[visit, int, int]) []aggregate.AnyColumn {
		return []aggregate.AnyColumn{aggregate.PerRow(q, "stay", stayOf, stayBounds).Quantile(0.5)}
	}, slices.Concat(others(30, 2), others(30, 8)), 8, nil, withoutEqualStays},
	{"groups that are selected", dp.Approx{Epsilon: 1.5, Delta: 0.01}, func(q *aggregate.Query[visit, int, int]) []aggregate.AnyColumn {
		q.Groups = nil
		return []aggregate.AnyColumn{q.Units()}
	}, others(30, 1), 0, func(visit) float64 { return 1 }, nil}, // so many others that a ward may show, or not
	{aSeries, dp.Approx{Epsilon: 1.5, Delta: 1e-4}, func(q *aggregate.Query[visit, int, int]) []aggregate.AnyColumn {
		return []aggregate.AnyColumn{q.Count()}
	}, nil, 0, func(visit) float64 { return 1 }, nil},
}

const aSeries = "a series"

// others are patients with one visit each, in the first ward.
func others(n, stay int) (rows []visit) {
	for i := range n {
		rows = append(rows, visit{1000*stay + i, 0, stay})
	}
	return rows
}

// withoutEqualStays takes the patient out, and for each of their visits one of somebody else that looks the same: a
// list of points does not say whose they are.
func withoutEqualStays(rows []visit) []visit {
	left := slices.DeleteFunc(slices.Clone(rows), func(v visit) bool { return v.who == 0 })
	for _, v := range rows {
		if i := slices.IndexFunc(left, func(o visit) bool { return o.ward == v.ward && o.stay == v.stay }); v.who == 0 && i >= 0 {
			left = slices.Delete(left, i, i+1)
		}
	}
	return left
}

// dayOf is the period of a visit in a series.
func dayOf(v visit) int { return v.stay % 2 }

// runsOf returns a function that asks once, as a patient has opted out, and returns every noisy number.
func runsOf(t *testing.T, shape, who int, rows []visit) func() dptest.Sample {
	t.Helper()
	if optOutShapes[shape].name == aSeries {
		advance, _ := seriesOf(t, shape, who, rows)
		return func() dptest.Sample { return dptest.Sample{Numbers: advance().Noisy()} }
	}
	return changed(t, shape, who, rows, func(int, []float64) {})
}

// changed is runsOf for a question that is no series, with numbers that are changed before they are shown.
func changed(t *testing.T, shape, who int, rows []visit, after func(ward int, numbers []float64)) func() dptest.Sample {
	t.Helper()
	q := optOutQuery(who)
	plan, err := q.Plan(optOutShapes[shape].claim, optOutShapes[shape].ask(q)...)
	if err != nil {
		t.Fatal(err)
	}
	return func() dptest.Sample {
		release, err := plan.Run(t.Context(), newPurse(), aggregate.Request{Key: "k", Purpose: "audit"}, aggregate.Slice(rows))
		if err != nil {
			t.Fatal(err)
		}
		var s dptest.Sample
		for ward, cell := range release.All() {
			numbers := cell.Noisy()
			after(ward, numbers)
			s.Numbers, s.Tag = append(s.Numbers, numbers...), s.Tag+fmt.Sprint(ward, " ")
		}
		return s
	}
}

// seriesOf returns a function that releases a series of two days, and one that reads how many rows the first ward had on each
// day, less some. What is read is told by eights: noise is in steps that a row is not one of, and a number between two
// of them would be seen whatever the noise.
func seriesOf(t *testing.T, shape, who int, rows []visit) (advance func() *aggregate.Trend[int], read func(less [2]float64) dptest.Sample) {
	t.Helper()
	q := optOutQuery(who)
	series := aggregate.Series[visit, int, int]{
		Query: q, Time: func(v visit) time.Time { return monday.AddDate(0, 0, dayOf(v)) }, Zone: time.UTC, Step: aggregate.Day, First: monday, Periods: 2,
		Views: []aggregate.View{aggregate.EachPeriod(1)}, AtOnce: true,
	}
	count := q.Count()
	plan, err := series.Plan(optOutShapes[shape].claim, count)
	if err != nil {
		t.Fatal(err)
	}
	advance = func() *aggregate.Trend[int] {
		trend, err := aggregate.Advance(t.Context(), plan, reserving{newPurse()}, aggregate.Request{Key: "k", Purpose: "audit"}, 2, aggregate.Slice(rows))
		if err != nil {
			t.Fatal(err)
		}
		return trend
	}
	return advance, func(less [2]float64) (s dptest.Sample) {
		trend := advance()
		for day := range less {
			cell, err := trend.Over(aggregate.Stretch[int]{Groups: []int{0}, From: day, To: day + 1})
			if err != nil {
				t.Fatal(err)
			}
			s.Numbers = append(s.Numbers, math.Floor((count.Of(cell).Raw().Value-less[day])/8))
		}
		return s
	}
}

// mutant returns runs with everybody in, and runs of a filter that was moved to after counting.
func mutant(t *testing.T, shape int, rows []visit) (in, late func() dptest.Sample) {
	t.Helper()
	s := optOutShapes[shape]
	if s.late != nil {
		return runsOf(t, shape, -1, rows), runsOf(t, shape, -1, s.late(rows))
	}
	if s.name == aSeries {
		_, read := seriesOf(t, shape, -1, rows)
		var less [2]float64
		for _, v := range rows {
			if v.who == 0 && v.ward == 0 {
				less[dayOf(v)] += s.moved(v)
			}
		}
		return func() dptest.Sample { return read([2]float64{}) }, func() dptest.Sample { return read(less) }
	}
	return runsOf(t, shape, -1, rows), changed(t, shape, -1, rows, func(ward int, numbers []float64) {
		for _, v := range rows {
			if v.who == 0 && v.ward == ward {
				numbers[0] -= s.moved(v)
			}
		}
	})
}

// reserving is a purse that series are paid from.
type reserving struct{ *purse }

func (r reserving) Reserve(context.Context, dp.Charge) (reserving, error) { return r, nil }

var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// Neighbours are two runs on the same rows, in one of which patient 0 has opted out, of questions of
// several shapes. None of 200 is refuted; with a filter that is moved to after counting, which takes all of the
// patient's visits out of what was counted, and the caps had let in two, all are.
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
		rows := slices.Clone(s.crowd)
		for range 3 + r.IntN(12) {
			rows = append(rows, visit{r.IntN(4), r.IntN(2), r.IntN(10)})
		}
		for range 60 { // far more than the caps let in
			rows = append(rows, visit{0, 0, cmp.Or(s.stay, 1+r.IntN(9))})
		}
		if result := trial.Run(runsOf(t, shape, -1, rows), runsOf(t, shape, 0, rows)); result.Refuted {
			t.Errorf("%s, neighbours %d: %v", s.name, n, result)
		}
		if in, late := mutant(t, shape, rows); !trial.Run(in, late).Refuted {
			t.Errorf("%s, neighbours %d: a filter after counting is not caught", s.name, n)
		}
	}
}

// What catches that filter in a series is how much it takes, and not that what it takes is no step of the noise: the
// two rows that the caps let in can be taken.
func TestWhatTheCapsLetIntoASeriesCanBeTaken(t *testing.T) {
	shape := slices.IndexFunc(optOutShapes, func(s optOutShape) bool { return s.name == aSeries })
	_, read := seriesOf(t, shape, -1, []visit{{1, 0, 1}, {2, 0, 2}})
	trial := dptest.Trial{Claim: optOutShapes[shape].claim, Runs: 700, Alpha: 1e-9}
	take := func(rows float64) func() dptest.Sample {
		return func() dptest.Sample { return read([2]float64{rows, 0}) }
	}
	if result := trial.Run(take(0), take(2)); result.Refuted {
		t.Error(result)
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
