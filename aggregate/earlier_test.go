package aggregate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

type wardVisit struct{ patient, ward int }

func visitsByWard(t *testing.T) (*aggregate.Plan[wardVisit, int, string], aggregate.Column[int64]) {
	t.Helper()
	q := &aggregate.Query[wardVisit, int, string]{
		Dataset: "visits", UnitName: "patient",
		Unit: func(v wardVisit) int { return v.patient }, Group: func(v wardVisit) string { return fmt.Sprint("ward ", v.ward) },
		MaxGroups: 8, MaxRowsPerGroup: 1,
	}
	p, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Units())
	if err != nil {
		t.Fatal(err)
	}
	return p, q.Units()
}

// The file is a charge and a release of commit d90b317, whose plan of this question
// had Laplace noise. Today's has Gaussian noise, and another charge.
func TestAReleaseThatWasPaidForWithTheEarlierNoiseIsStillGiven(t *testing.T) {
	text, err := os.ReadFile("testdata/laplace_before_threshold.json")
	if err != nil {
		t.Fatal(err)
	}
	var old struct {
		Charge  dp.Charge       `json:"charge"`
		Release json.RawMessage `json:"release"`
	}
	if err := json.Unmarshal(text, &old); err != nil {
		t.Fatal(err)
	}
	account, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "visits", Unit: "patient", Limit: old.Charge.Loss})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := account.Spend(t.Context(), old.Charge); err != nil {
		t.Fatal(err)
	}
	plan, units := visitsByWard(t)
	r := aggregate.Request{Key: old.Charge.Key, Purpose: old.Charge.Purpose}
	var three iter.Seq2[wardVisit, error] = func(yield func(wardVisit, error) bool) {
		for i := range 900 {
			if !yield(wardVisit{i, i % 3}, nil) {
				return
			}
		}
	}

	// Paid, and lost before it was kept: drawn with the noise that was paid for.
	if release, err := plan.Run(t.Context(), account, r, three); err != nil || release.Len() != 3 || release.Receipt().Noise != "discrete laplace" {
		t.Fatalf("a release that was paid for is %v, %v", release, err)
	}

	account, err = budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "visits", Unit: "patient", Limit: old.Charge.Loss})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := account.Spend(t.Context(), old.Charge); err != nil {
		t.Fatal(err)
	}
	if _, err := account.Keep(t.Context(), old.Charge, old.Release); err != nil {
		t.Fatal(err)
	}
	before := account.Counts()
	release, err := plan.Run(t.Context(), account, r, func(func(wardVisit, error) bool) { t.Error("rows were read again") })
	if err != nil {
		t.Fatal(err)
	}
	before.Repeated++
	if got := account.Counts(); got != before {
		t.Errorf("a release that is given once more is counted as %+v, want %+v", got, before)
	}
	cell, ok := release.Cell("ward 0")
	if got := units.Of(cell).Value; !ok || got != 290 {
		t.Errorf("ward 0 has %d units, was 290", got)
	}
	if status, err := account.Status(t.Context()); status.Whole.Left != nil || err != nil {
		t.Errorf("%v is left (%v): the answer was paid for again, or not at all", status.Whole.Left, err)
	}
	r.Key = "another"
	if _, err := plan.Run(t.Context(), account, r, three); !errors.As(err, new(*budget.RefusedError)) {
		t.Errorf("a new request is answered with %v, must be refused", err)
	}
}

// down is a store that cannot be read any more.
type down struct {
	budget.Store
	failing bool
}

func (d *down) Read(ctx context.Context, account string, from uint64) iter.Seq2[budget.Record, error] {
	if d.failing {
		return func(yield func(budget.Record, error) bool) { yield(budget.Record{}, errors.New("no connection")) }
	}
	return d.Store.Read(ctx, account, from)
}

// A budget that fails is asked once, also by a plan that looks for an earlier release.
func TestARequestThatFailsIsCountedOnce(t *testing.T) {
	store := &down{Store: budget.Memory()}
	account, err := budget.Create(t.Context(), store, budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Approx{Epsilon: 1, Delta: 1e-6}})
	if err != nil {
		t.Fatal(err)
	}
	plan, _ := visitsByWard(t)
	store.failing = true
	_, err = plan.Run(t.Context(), account, aggregate.Request{Key: "k", Purpose: "test"}, func(func(wardVisit, error) bool) { t.Error("rows were read") })
	if got := account.Counts(); err == nil || got != (budget.Counts{Failed: 1}) {
		t.Errorf("a store that fails: %v, counted as %+v, want one that failed", err, got)
	}
}
