package budgettest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// testRefusals: refusals are kept if the terms say so, up to as many as they say
// between two payments; they cost nothing, and are there when the account is
// opened again.
func testRefusals(t *testing.T, s budget.Store) {
	keeps := terms(2)
	keeps.Refusals = 2
	a, err := budget.Create(t.Context(), s, keeps)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(a *budget.Account, key string) {
		t.Helper()
		c := charge(key)
		c.Analyst, c.Loss = "ann", dp.Pure{Epsilon: 3}
		c.Events[0].Epsilon.SetInt64(3)
		if _, err := a.Spend(t.Context(), c); !refused(err) {
			t.Errorf("Spend of 3 out of 2: %v, want a refusal", err)
		}
		if err := a.Afford(t.Context(), c); !refused(err) {
			t.Errorf("Afford of 3 out of 2: %v, want a refusal", err)
		}
	}
	ask(a, "first")
	ask(a, "second") // for which there is no room
	if _, err := a.Spend(t.Context(), charge("paid")); err != nil {
		t.Fatal(err)
	}
	ask(a, "third") // the payment made room
	ask(reopen(t, s), "fourth")
	want := []string{"first", "first", "third", "third"}
	if got := keptRefusals(t, s); !cmp.Equal(got, want) {
		t.Errorf("refusals of %v are kept, want %v", got, want)
	}
	wantSpent(t, s, 2, 1)
	if _, err := reopen(t, s).Verify(context.Background()); err != nil {
		t.Errorf("Verify: %v", err)
	}
}

// keptRefusals returns the keys of the refusals that an account keeps, each of
// which says everything that was asked.
func keptRefusals(t *testing.T, s budget.Store) (keys []string) {
	t.Helper()
	for e, err := range reopen(t, s).Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != budget.KindRefuse {
			continue
		}
		f := *e.Refused
		if f.Purpose != "test" || f.Analyst != "ann" || f.Scope != "account" || f.Asked != (dp.Pure{Epsilon: 3}) || fmt.Sprint(f.Binds) != "[epsilon]" {
			t.Errorf("entry %d keeps %+v", e.Seq, f)
		}
		if left := map[string]dp.Loss{"first": dp.Pure{Epsilon: 2}, "third": dp.Pure{Epsilon: 1}}[f.Key]; f.Left != left {
			t.Errorf("entry %d keeps that %v was left, want %v", e.Seq, f.Left, left)
		}
		if !e.At.Equal(e.At.Truncate(time.Hour)) { // rows may have been read before
			t.Errorf("entry %d is dated %v, must be a whole hour", e.Seq, e.At)
		}
		keys = append(keys, f.Key)
	}
	return keys
}
