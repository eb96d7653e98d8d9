package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/budgettest"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
)

func TestStore(t *testing.T) {
	budgettest.TestStore(t, func(t *testing.T) budget.Store { return create(t) })
}

// create returns a new ledger, which is closed when the test ends.
func create(t testing.TB) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Create(context.Background(), filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
