package aggregate_test

import (
	"math"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// member is one row of a unit that is in one group.
type member struct{ unit, group int }

// shownOf releases so many groups of a size, and counts those that are shown and
// those whose interval at 90 % is wrong.
func shownOf(t *testing.T, maxGroups, size, groups int) (shown, wrong int, family string) {
	t.Helper()
	q := &aggregate.Query[member, int, int]{
		Dataset: "orders", UnitName: "customer", GroupName: "group", MaxGroups: maxGroups, MaxRowsPerGroup: 1,
		Unit: func(m member) int { return m.unit }, Group: func(m member) int { return m.group },
	}
	units := q.Units()
	loss := dp.Approx{Epsilon: 1, Delta: 1e-6}
	plan, err := q.Plan(loss, units)
	if err != nil {
		t.Fatal(err)
	}
	var rows []member
	for i := range size * groups {
		rows = append(rows, member{i, i / size})
	}
	release, err := plan.Run(t.Context(), accountOf(t, loss, budget.Default), aggregate.Request{Key: "k", Purpose: "p"}, aggregate.Slice(rows))
	if err != nil {
		t.Fatal(err)
	}
	for _, cell := range release.All() {
		shown++
		if lo, hi := units.Of(cell).Interval(0.9); int64(size) < int64(lo) || int64(size) > int64(hi) {
			wrong++
		}
	}
	return shown, wrong, string(release.Receipt().Measures[0].Mechanism)
}

// Of groups that are too small for the threshold, those are shown whose noise was
// large. A tenth of their intervals may be wrong. By Bernstein's inequality the chance
// of more than the limit is at most e^-21 < 1e-9 a check.
func TestIntervalsOfUnitsHoldAmongTheGroupsThatAreShown(t *testing.T) {
	families := make(map[string]bool)
	for _, c := range []struct{ maxGroups, size, groups int }{
		{1, 11, 6000}, {1, 14, 2000}, {1, 30, 300}, {40, 100, 4000}, {40, 120, 1500}, {40, 200, 300},
	} {
		shown, wrong, family := shownOf(t, c.maxGroups, c.size, c.groups)
		families[family] = true
		t.Logf("%s, MaxGroups %d, groups of %d: %d of %d shown, %d wrong", family, c.maxGroups, c.size, shown, c.groups, wrong)
		if n := float64(shown); float64(wrong) > 0.1*n+7+math.Sqrt(7*7+2*21*0.09*n) {
			t.Errorf("%s, MaxGroups %d, groups of %d: %d of %d intervals at 90 %% are wrong", family, c.maxGroups, c.size, wrong, shown)
		}
	}
	if len(families) != 2 {
		t.Errorf("families of noise are %v, want both", families)
	}
}
