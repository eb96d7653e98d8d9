package aggregate_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

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

// optOutPlan counts visits and adds up stays; nobody is the unit -1.
func optOutPlan(t *testing.T, who int) *aggregate.Plan[visit, int, int] {
	t.Helper()
	q := &aggregate.Query[visit, int, int]{
		Dataset: "visits", UnitName: "patient", MaxGroups: 1, MaxRowsPerGroup: 2, Groups: []int{0, 1},
		Unit: func(v visit) int { return v.who }, Group: func(v visit) int { return v.ward },
		Consent: &aggregate.Consent[int]{Mode: aggregate.OptOut, Purpose: "audit", Source: out(who)},
	}
	stay := aggregate.PerRow(q, "stay", func(v visit) int64 { return int64(v.stay) }, aggregate.Bounds[int64]{Lower: 0, Upper: 8})
	// A weight of its own keeps the count out of a vector, so that a step of its noise is one row.
	plan, err := q.Plan(dp.Pure{Epsilon: 1.5}, aggregate.Weighted{AnyColumn: q.Count(), Weight: 1.01}, stay.Sum())
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// runsOf returns a function that runs a plan once and returns every noisy number, as
// after says.
func runsOf(t *testing.T, plan *aggregate.Plan[visit, int, int], rows []visit, after func(ward int, numbers []float64)) func() dptest.Sample {
	return func() dptest.Sample {
		release, err := plan.Run(t.Context(), newPurse(), aggregate.Request{Key: "k", Purpose: "audit"}, aggregate.Slice(rows))
		if err != nil {
			t.Fatal(err)
		}
		var s dptest.Sample
		for ward, cell := range release.All() {
			numbers := cell.Noisy()
			if after != nil {
				after(ward, numbers)
			}
			s.Numbers = append(s.Numbers, numbers...)
		}
		return s
	}
}

// Neighbours are two runs on the same rows, in one of which patient 0 has opted out. None
// of 200 is refuted; with a filter that is moved to after counting, which takes the
// patient's visits out of the numbers that were added up, some are.
func TestAnOptOutIsHiddenAndAFilterAfterCountingIsNot(t *testing.T) {
	neighbours, caught := 2, 0
	if *long {
		neighbours = 200
	}
	trial := dptest.Trial{Claim: dp.Pure{Epsilon: 1.5}, Runs: 700, Alpha: 1e-9 / 200}
	if err := trial.Check(); err != nil {
		t.Fatal(err)
	}
	in, optedOut := optOutPlan(t, -1), optOutPlan(t, 0)
	for n := range neighbours {
		r := rand.New(rand.NewPCG(uint64(n), 3))
		var rows []visit
		for range 3 + r.IntN(12) {
			rows = append(rows, visit{r.IntN(4), r.IntN(2), r.IntN(10)})
		}
		for range 60 { // far more than the caps let in
			rows = append(rows, visit{0, r.IntN(2), r.IntN(10)})
		}
		if result := trial.Run(runsOf(t, in, rows, nil), runsOf(t, optedOut, rows, nil)); result.Refuted {
			t.Errorf("neighbours %d: %v", n, result)
		}
		moved := func(ward int, numbers []float64) {
			for _, v := range rows {
				if v.who == 0 && v.ward == ward {
					numbers[0]--
				}
			}
		}
		if trial.Run(runsOf(t, in, rows, nil), runsOf(t, in, rows, moved)).Refuted {
			caught++
		}
	}
	if caught < neighbours {
		t.Errorf("a filter after counting was caught on %d of %d neighbours", caught, neighbours)
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
