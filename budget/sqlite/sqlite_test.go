package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/budgettest"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
)

// times is how often something random is done.
func times(ordinary, thorough int) int {
	if *long {
		return thorough
	}
	return ordinary
}

func open(t *testing.T) budget.Store { return create(t) }

func TestStore(t *testing.T)   { budgettest.TestStore(t, open) }
func TestAccount(t *testing.T) { budgettest.TestAccount(t, open) }
func TestFaults(t *testing.T)  { budgettest.TestFaults(t, open) }

func TestDurable(t *testing.T) {
	budgettest.TestDurable(t, budgettest.Durable{
		Create: func(t *testing.T) string {
			path := filepath.Join(t.TempDir(), "ledger.db")
			s, err := sqlite.Create(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return path
		},
		Open: func(ctx context.Context, path string) (budget.Store, error) {
			return sqlite.Open(ctx, path)
		},
		Kills: times(20, 200),
	})
}

func TestCreation(t *testing.T) {
	budgettest.TestCreation(t, budgettest.Creation{
		Place:        func(t *testing.T) string { return filepath.Join(t.TempDir(), "ledger.db") },
		Create:       func(ctx context.Context, path string) (budget.Store, error) { return sqlite.Create(ctx, path) },
		OpenOrCreate: func(ctx context.Context, path string) (budget.Store, error) { return sqlite.OpenOrCreate(ctx, path) },
		Check:        wantNoDrafts,
		Kills:        times(50, 1000),
	})
}

// wantNoDrafts: where a ledger is open there are its own files and no others.
func wantNoDrafts(t *testing.T, path string) {
	t.Helper()
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	base := filepath.Base(path)
	for _, f := range files {
		if !slices.Contains([]string{base, base + "-mark", base + "-wal", base + "-shm"}, f.Name()) {
			t.Errorf("%s is left of creating %s", f.Name(), base)
		}
	}
}

func BenchmarkDurable(b *testing.B) {
	budgettest.BenchmarkDurable(b, func(b *testing.B) budget.Store { return create(b) })
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
