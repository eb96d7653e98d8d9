package aggregate_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// goldenLedger is one that an earlier version wrote; its README says how.
const goldenLedger = "../budget/testdata/d90b317"

type goldenOrder struct {
	customer int
	day      string
	amount   float64
	items    int
}

func openGolden(t *testing.T, account string) *budget.Account {
	t.Helper()
	f, err := os.Open(filepath.Join(goldenLedger, account+".export"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	a, err := budget.Import(t.Context(), budget.Memory(), f)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// goldenQuery asks what generate/main.go beside the ledger asks.
type goldenQuery struct {
	*aggregate.Query[goldenOrder, int, string]
	amount *aggregate.Value[float64]
	items  *aggregate.Value[int]
}

func newGoldenQuery() goldenQuery {
	q := &aggregate.Query[goldenOrder, int, string]{
		Dataset: "orders", UnitName: "customer", Unit: func(o goldenOrder) int { return o.customer },
		Group: func(o goldenOrder) string { return o.day }, GroupName: "day", MaxGroups: 3, MaxRowsPerGroup: 2,
		Groups: []string{"mon", "tue", "wed"},
	}
	return goldenQuery{q,
		aggregate.PerUnit(q, "amount", func(o goldenOrder) float64 { return o.amount }, aggregate.Bounds[float64]{Lower: 0, Upper: 60, Step: 0.25}),
		aggregate.PerRow(q, "items", func(o goldenOrder) int { return o.items }, aggregate.Bounds[int]{Lower: 0, Upper: 10}),
	}
}

func (q goldenQuery) ask(t *testing.T, loss dp.Loss, columns ...aggregate.AnyColumn) *aggregate.Plan[goldenOrder, int, string] {
	t.Helper()
	p, err := q.Plan(loss, columns...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var goldenRequest = aggregate.Request{Purpose: "report", Analyst: "ann"}

func goldenPlans(t *testing.T) map[string]*aggregate.Plan[goldenOrder, int, string] {
	q := newGoldenQuery()
	found := goldenQuery{Query: &aggregate.Query[goldenOrder, int, string]{
		Dataset: "orders", UnitName: "customer", Unit: q.Unit, Group: q.Group, MaxGroups: 3, MaxRowsPerGroup: 2,
	}}
	return map[string]*aggregate.Plan[goldenOrder, int, string]{
		"counts":   q.ask(t, dp.Pure{Epsilon: 0.5}, q.Count(), q.Units()),
		"means":    q.ask(t, dp.Approx{Epsilon: 1, Delta: 1e-6}, q.amount.Mean(), q.amount.Sum(), q.items.Quantile(0.5), q.items.StdDev()),
		"weighted": q.ask(t, dp.Approx{Epsilon: 0.5, Delta: 1e-7}, aggregate.Weighted{AnyColumn: q.Count(), Weight: 3}, q.amount.Sum()),
		"selected": found.ask(t, dp.Approx{Epsilon: 1, Delta: 1e-6}, found.Units()),
	}
}

// shownRelease is the part of a release's JSON that never changes.
type shownRelease struct {
	Receipt aggregate.Receipt
	Groups  []struct {
		Key       string
		Estimates map[string]struct{ Value *float64 } // nil if it is unknown, which the commit did not say
	}
}

func shownBefore(t *testing.T, key string) (r shownRelease) {
	t.Helper()
	var all []struct{ Releases map[string]json.RawMessage }
	text, err := os.ReadFile(filepath.Join(goldenLedger, "facts.json"))
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err == nil {
		err = json.Unmarshal(all[0].Releases[key], &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A key that an earlier version paid for gives the numbers that it showed, and no
// row is read.
func TestReleasesOfEarlierVersionsReadAsTheyDid(t *testing.T) {
	a := openGolden(t, "orders")
	for key, p := range goldenPlans(t) {
		want := shownBefore(t, key)
		r := goldenRequest
		r.Key = key
		release, err := p.Run(t.Context(), a, r, nil)
		if err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		text, err := json.Marshal(release)
		var got shownRelease
		if err == nil {
			err = json.Unmarshal(text, &got)
		}
		near := cmp.Comparer(func(a, b *float64) bool {
			return a == nil || b == nil || *a == *b || math.Abs(*a-*b) < 1e-9*math.Abs(*a)
		})
		if diff := cmp.Diff(want, got, near); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", key, err, diff)
		}
	}
	if _, err := a.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// Another question under a key of an earlier version is an error, and not its
// release.
func TestAnotherQuestionUnderAKeyOfAnEarlierVersion(t *testing.T) {
	q := newGoldenQuery()
	other := newGoldenQuery()
	other.Groups = []string{"mon", "tue", "thu"}
	wider := newGoldenQuery()
	wider.MaxRowsPerGroup = 3
	byDay := newGoldenQuery()
	byDay.GroupName = "weekday"
	half := dp.Pure{Epsilon: 0.5}
	for name, p := range map[string]*aggregate.Plan[goldenOrder, int, string]{
		"loss":    q.ask(t, dp.Pure{Epsilon: 0.25}, q.Count(), q.Units()),
		"columns": q.ask(t, half, q.Count()),
		"order":   q.ask(t, half, q.Units(), q.Count()),
		"keys":    other.ask(t, half, other.Count(), other.Units()),
		"cap":     wider.ask(t, half, wider.Count(), wider.Units()),
		"groups":  byDay.ask(t, half, byDay.Count(), byDay.Units()),
	} {
		r := goldenRequest
		r.Key = "counts"
		if release, err := p.Run(t.Context(), openGolden(t, "orders"), r, nil); err == nil || release != nil {
			t.Errorf("another %s: %v", name, release)
		}
	}
	for name, r := range map[string]aggregate.Request{
		"purpose": {Key: "counts", Purpose: "research", Analyst: "ann"}, "analyst": {Key: "counts", Purpose: "report", Analyst: "bob"},
		"period": {Key: "counts", Purpose: "report", Analyst: "ann", Periods: []string{"2026"}},
	} {
		_, err := goldenPlans(t)["counts"].Run(t.Context(), openGolden(t, "orders"), r, nil)
		if !errors.Is(err, budget.ErrKeyReused) {
			t.Errorf("another %s: %v", name, err)
		}
	}
}
