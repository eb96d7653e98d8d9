package budget_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// A refusal is read back as it was written, and nothing is read that it does not
// say.
func TestRefusalsAreReadBack(t *testing.T) {
	for _, f := range []budget.Refusal{
		{Purpose: "p", Key: "k", Asked: dp.Pure{Epsilon: 0.1}, Scope: "account"},
		{Purpose: "p", Key: "k", Analyst: "ann", Asked: dp.Approx{Epsilon: 1, Delta: 1e-7}, Scope: `purpose "p"`, Left: dp.Approx{Epsilon: 0.5, Delta: 1e-9}, Binds: []string{"epsilon", "delta"}},
		{Purpose: "p", Key: "k", Asked: dp.Concentrated{Rho: 0.25}, Scope: "account", Frozen: true, Reason: "an incident"},
	} {
		text, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		var back budget.Refusal
		if err := json.Unmarshal(text, &back); err != nil || !cmp.Equal(back, f) {
			t.Errorf("%s is read back as %+v, %v", text, back, err)
		}
		more := strings.Replace(string(text), "{", `{"rows":7,`, 1)
		if json.Unmarshal([]byte(more), &back) == nil {
			t.Errorf("%s is read", more)
		}
	}
}

// full refuses every record but the first.
type full struct{ budget.Store }

func (f full) Append(ctx context.Context, account string, records ...budget.Record) error {
	if records[0].Seq > 0 {
		return errors.Join(errors.New("the disk is full"), budget.ErrNotAppended)
	}
	return f.Store.Append(ctx, account, records...)
}

// Whoever is refused is told so, whether or not the refusal can be kept.
func TestARefusalThatCannotBeKeptIsARefusal(t *testing.T) {
	a, err := budget.Create(t.Context(), full{budget.Memory()}, budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 0.5}, Refusals: 9})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Spend(t.Context(), charge("k", 7)); !errors.As(err, new(*budget.RefusedError)) {
		t.Errorf("Spend: %v, want a refusal", err)
	}
	if n := a.Counts().Refused; n != 1 {
		t.Errorf("%d refusals are counted, want 1", n)
	}
}

// A freeze refuses, and its reason is kept with each refusal.
func TestRefusalsWhileFrozenSayWhy(t *testing.T) {
	a, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 1}, Refusals: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Freeze(t.Context(), "an incident", "officer"); err != nil {
		t.Fatal(err)
	}
	a.Spend(t.Context(), charge("k", 1))
	var last budget.Entry
	for e, err := range a.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		last = e
	}
	if f := last.Refused; f == nil || !f.Frozen || f.Reason != "an incident" || f.Key != "k" {
		t.Errorf("the last entry is %+v, want the refusal", last)
	}
}
