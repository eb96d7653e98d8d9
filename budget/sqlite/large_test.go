package sqlite_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/budgettest"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
)

// Of a large ledger Open looks at the ends, and finds one that is lost. What else is
// damaged is found by Check, and by whoever reads it: no edit of a record or a release
// gets past Verify.
func TestDamageInALargeLedgerIsFound(t *testing.T) {
	sqlite.LookAtEnds(t)
	for name, test := range map[string]struct {
		damage func(t *testing.T, path string)
		opens  bool
	}{
		"nothing": {func(*testing.T, string) {}, true},
		"last record deleted": {func(t *testing.T, path string) {
			exec(t, path, "DROP TRIGGER no_delete_of_records", "DELETE FROM records WHERE seq = 12", remakeTrigger)
		}, false},
		"count lowered": {func(t *testing.T, path string) {
			exec(t, path, "DROP TRIGGER no_delete_of_records", "DELETE FROM records WHERE seq = 12", remakeTrigger)
			shrink(t, path, "accounts", "UPDATE accounts SET records = 12")
		}, false},
		"all counts lowered": {func(t *testing.T, path string) {
			exec(t, path, "DROP TRIGGER no_delete_of_records", "DELETE FROM records WHERE seq = 12", remakeTrigger)
			shrink(t, path, "accounts", "UPDATE accounts SET records = 12")
			shrink(t, path, "ledger", "UPDATE ledger SET changes = changes - 1")
		}, false}, // by the mark
		"middle record deleted": {func(t *testing.T, path string) {
			exec(t, path, "DROP TRIGGER no_delete_of_records", "DELETE FROM records WHERE seq = 4", remakeTrigger)
		}, true},
		"release changed": {func(t *testing.T, path string) {
			trigger := query(t, path, "SELECT sql FROM sqlite_schema WHERE name = 'no_update_of_releases'")
			exec(t, path, "DROP TRIGGER no_update_of_releases", "UPDATE releases SET data = CAST('another' AS BLOB) WHERE seq = 4", trigger)
		}, true},
		"release deleted": {func(t *testing.T, path string) {
			trigger := query(t, path, "SELECT sql FROM sqlite_schema WHERE name = 'no_delete_of_releases'")
			exec(t, path, "DROP TRIGGER no_delete_of_releases", "DELETE FROM releases WHERE seq = 4", trigger)
		}, true},
	} {
		path := filepath.Join(t.TempDir(), "ledger.db")
		s, err := sqlite.Create(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		anchor := paidAndKept(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		test.damage(t, path)
		s, err = sqlite.Open(t.Context(), path)
		if (err == nil) != test.opens {
			t.Errorf("%s: Open: %v", name, err)
		}
		if err != nil {
			continue
		}
		whole := name == "nothing"
		if err := s.Check(t.Context()); (err == nil) != whole || err != nil && !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: Check: %v", name, err)
		}
		a, err := budget.Open(t.Context(), s, "visits", anchor)
		if err == nil {
			_, err = a.Verify(t.Context(), anchor)
		}
		if (err == nil) != whole {
			t.Errorf("%s: Verify: %v", name, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// BenchmarkOpen opens a file and its account; with -long it has a million charges.
func BenchmarkOpen(b *testing.B) {
	budgettest.BenchmarkOpen(b, times(20_000, 1_000_000), filepath.Join(b.TempDir(), "ledger.db"),
		func(ctx context.Context, path string) (budget.Store, error) { return sqlite.OpenOrCreate(ctx, path) })
}

// The documentation says up to which size every page is looked at.
func TestEveryPageIsLookedAtUpTo32MiB(t *testing.T) {
	if sqlite.Smallest != 32*1024*1024 {
		t.Errorf("every page is looked at up to %d bytes", sqlite.Smallest)
	}
}
