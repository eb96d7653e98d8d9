package sqlaggtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/aggregate/sqlagg"
	"github.com/equipoise-dp/equipoise/dp/dptest"
	"github.com/equipoise-dp/equipoise/internal/purse"
)

// Test tries everything, with so many random plans.
func Test(t *testing.T, d Database, plans int) {
	t.Run("Equal", func(t *testing.T) { report(t, Equal(t, d, plans)) })
	t.Run("Choices", func(t *testing.T) { report(t, Choices(t, d)) })
	t.Run("Errors", func(t *testing.T) { errorsSayNothing(t, d) })
	t.Run("Audit", func(t *testing.T) { audit(t, d) })
}

func report(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// Equal compares what the database collects with what Plan.Collect does of the same rows, for so
// many random plans, and returns the first difference.
func Equal(t *testing.T, d Database, plans int) error {
	dptest.NoNoise(t)
	pushed := 0
	for seed := range plans {
		one, err := random(t, d, uint64(seed))
		if err != nil {
			return fmt.Errorf("plan %d: %w", seed, err)
		}
		if one {
			pushed++
		}
	}
	if pushed*10 < plans*9 {
		return fmt.Errorf("of %d plans only %d were pushed down", plans, pushed)
	}
	return nil
}

// random compares one random plan on random rows, with units and groups of one column or of two, and groups that
// are given, selected or one.
func random(t *testing.T, d Database, seed uint64) (pushed bool, err error) {
	rng := rand.New(rand.NewPCG(15, seed))
	s := d.fill(t, "rows", lines(rng, steps[1:]))
	if rng.IntN(3) == 0 {
		s = sqlagg.Source{DB: s.DB, Dialect: d.Dialect, Query: "SELECT * FROM " + s.Table + " WHERE un IS NOT NULL"}
	}
	un, ut, gn, gt := sqlagg.Int("un"), sqlagg.Text("ut"), sqlagg.Int("gn"), sqlagg.Text("gt")
	dayOf := func(n func(sqlagg.Row) int64, name func(sqlagg.Row) string) func(sqlagg.Row) day {
		return func(r sqlagg.Row) day { return day{n(r), name(r)} }
	}
	switch rng.IntN(6) {
	case 0:
		return compare(t, rng, s, un, nil, []int64(nil))
	case 1:
		return compare(t, rng, s, ut, gt, []string{"Mo", "Di", "a:b", "never", "été"})
	case 2:
		return compare(t, rng, s, ut, gn, nil)
	case 3:
		return compare(t, rng, s, un, dayOf(gn, gt), []day{{3, "Mo"}, {0, "mo"}, {-5, ""}, {-1 << 63, "Di"}})
	case 4:
		return compare(t, rng, s, func(r sqlagg.Row) [2]int64 { return [2]int64{un(r), gn(r)} }, dayOf(gn, gt), nil)
	}
	return compare(t, rng, s, dayOf(un, ut), gt, nil)
}

// compare runs a random plan both ways, and reports whether it was pushed down.
func compare[Unit, Group comparable](t *testing.T, rng *rand.Rand, s sqlagg.Source, unit func(sqlagg.Row) Unit, group func(sqlagg.Row) Group, given []Group) (pushed bool, err error) {
	q := &aggregate.Query[sqlagg.Row, Unit, Group]{
		Dataset: "rows", UnitName: "person", Unit: unit, Group: group, MaxGroups: mostGroups, MaxRowsPerGroup: mostRows, Groups: given,
	}
	columns := asked(rng, q)
	plan, err := q.Plan(loss(rng, group != nil && given == nil), columns...)
	if err != nil {
		return true, nil // a step is too fine for the noise, and so on
	}
	explained, err := sqlagg.Explain(t.Context(), s, plan)
	if err != nil {
		return false, err
	}
	there, err := sqlagg.Run(t.Context(), s, plan, purse.Free{}, request)
	if err != nil {
		return false, fmt.Errorf("%w\n%v", err, explained)
	}
	here, err := plan.Run(t.Context(), purse.Free{}, request, sqlagg.Rows(t.Context(), s, plan))
	if err != nil {
		return false, err
	}
	got, errGot := json.Marshal([]any{there, noisy(there)})
	want, errWant := json.Marshal([]any{here, noisy(here)})
	if err := errors.Join(errGot, errWant); err != nil {
		return false, err
	}
	if string(got) != string(want) {
		return false, fmt.Errorf("%v is not what Collect makes:\n%s\n%s\n%s", columns, difference(string(got), string(want)), plan, explained)
	}
	return explained.Pushed, nil
}

// noisy returns what noise is added to, of which estimates are made: also what cancels there.
func noisy[Group comparable](r *aggregate.Release[Group]) (all [][]float64) {
	for _, cell := range r.All() {
		all = append(all, cell.Noisy())
	}
	return all
}

var request = aggregate.Request{Key: "k", Purpose: "test"}

// difference returns where two texts differ.
func difference(a, b string) string {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	cut := func(s string) string { return s[max(0, min(i, len(s))-120):min(len(s), i+120)] }
	return fmt.Sprintf("got  …%s…\nwant …%s…", cut(a), cut(b))
}

// errorsSayNothing tries what a driver would quote.
func errorsSayNothing(t *testing.T, d Database) {
	s := d.fill(t, "rows", []line{{un: int64(1), ut: "secret person", gt: "Mo", x: 1.0}})
	q := &aggregate.Query[sqlagg.Row, string, string]{
		Dataset: "rows", UnitName: "person", Unit: sqlagg.Text("ut"), Group: sqlagg.Text("gt"), MaxGroups: 1, MaxRowsPerGroup: 1, Groups: []string{"Mo"},
	}
	plan, err := q.Plan(loss(rand.New(rand.NewPCG(1, 1)), false), q.Count())
	if err != nil {
		t.Fatal(err)
	}
	s = sqlagg.Source{DB: s.DB, Dialect: s.Dialect, Query: "SELECT ut, gt, no_such_column_as_secret FROM " + s.Table}
	if _, err := sqlagg.Collect(t.Context(), s, plan); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a source that fails says %v", err)
	}
	for _, err := range sqlagg.Rows(t.Context(), s, plan) {
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("a source that fails says %v", err)
		}
	}
	asked := false
	_, err = plan.RunFrom(t.Context(), broke{}, request, func(context.Context, *aggregate.Plan[sqlagg.Row, string, string]) (*aggregate.Partial[string], error) {
		asked = true
		return nil, nil
	})
	if !errors.Is(err, errBroke) || asked {
		t.Errorf("who has nothing left is told %v; the rows were read: %v", err, asked)
	}
}
