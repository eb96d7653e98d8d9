// Package golden knows what is in the ledgers of earlier versions that are kept in
// testdata of the stores.
package golden

import (
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// Check tests that a ledger that an earlier version of a store wrote is read,
// verified and used. It has the two accounts that the program beside the golden
// files of package budget/sqlite makes: "visits" and "sales".
func Check(t *testing.T, s budget.Store) {
	t.Helper()
	a, err := budget.Open(t.Context(), s, "visits")
	if err != nil {
		t.Fatal(err)
	}
	if r, err := a.Verify(t.Context()); err != nil || r.Charges != 3 || r.NotRepeated != nil {
		t.Errorf("Verify = %+v, %v, want 3 charges, decided as then", r, err)
	}
	wantSpent(t, a, dp.Pure{Epsilon: 4}, dp.Pure{Epsilon: 0.75})
	for key, want := range map[string]string{"one": "the release of one", "two": "", "three": "the release of three"} {
		p, err := a.Spend(t.Context(), charge(key))
		if err != nil || string(p.Kept) != want || (p.Kept == nil) != (want == "") {
			t.Errorf("Spend under key %q has release %q, %v, want %q", key, p.Kept, err, want)
		}
	}
	if kept, err := a.Keep(t.Context(), charge("two"), []byte("late")); err != nil || string(kept) != "late" {
		t.Errorf("Keep = %q, %v, want what was to be kept", kept, err)
	}
	if _, err := a.Spend(t.Context(), charge("four")); err != nil {
		t.Errorf("Spend: %v", err)
	}
	wantSpent(t, a, dp.Pure{Epsilon: 4}, dp.Pure{Epsilon: 1})
	if _, err := a.Verify(t.Context()); err != nil {
		t.Errorf("Verify after all: %v", err)
	}
	if _, err := budget.Open(t.Context(), s, "sales"); err != nil {
		t.Error(err)
	}
}

func wantSpent(t *testing.T, a *budget.Account, limit, spent dp.Loss) {
	t.Helper()
	st, err := a.Status(t.Context())
	if err != nil || st.Frozen || st.Whole.Limit != limit || st.Whole.Spent != spent {
		t.Errorf("Status = %+v, %v, want %v spent of %v", st, err, spent, limit)
	}
}

func charge(key string) dp.Charge {
	loss := dp.Pure{Epsilon: 0.25}
	return dp.Charge{
		Dataset: "visits", Unit: "patient", Purpose: "test", Key: key, Loss: loss,
		Events: []dp.Event{{Mechanism: dp.Declared, For: "visits", Count: 1, Epsilon: exact.Decimal(loss.Epsilon)}},
	}
}
