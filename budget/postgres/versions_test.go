package postgres_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/equipoise-dp/equipoise/budget/internal/golden"
	"github.com/equipoise-dp/equipoise/budget/postgres"
)

// goldenPool returns a pool of a database with the ledger of an earlier version:
// ../sqlite/testdata/README.md says how it was made.
func goldenPool(t *testing.T, version int) *pgxpool.Pool {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("testdata/v%d.sql", version))
	if err != nil {
		t.Fatal(err)
	}
	dsn, err := shared()
	needed(t, err)
	pool := newPool(t, newDatabase(t, dsn))
	run(t, pool, string(b))
	return pool
}

// objects returns all that a schema has, in words of the server.
func objects(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	rows, err := pool.Query(t.Context(), `
		SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable FROM information_schema.columns WHERE table_schema = 'equipoise'
		UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'equipoise'::regnamespace
		UNION ALL SELECT tgenabled::text || ' ' || pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = 'equipoise'::regnamespace
		UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'equipoise'::regnamespace
		UNION ALL SELECT 'version ' || version FROM equipoise.ledger
		ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(all) < 10 {
		t.Fatalf("%q, %v", all, err)
	}
	return all
}

// TestEveryVersionIsBroughtUpToDate: a ledger of each earlier version is read,
// verified, used, and has then the tables of a new one.
func TestEveryVersionIsBroughtUpToDate(t *testing.T) {
	want := objects(t, newPool(t, newLedger(t)))
	for version := 1; version < postgres.Versions; version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			pool := goldenPool(t, version)
			errs := make(chan error)
			const racers = 4
			for range racers {
				go func() {
					_, err := postgres.Open(t.Context(), pool)
					errs <- err
				}()
			}
			for range racers {
				if err := <-errs; err != nil {
					t.Error(err)
				}
			}
			if diff := cmp.Diff(want, objects(t, pool)); diff != "" {
				t.Errorf("the tables are not those of a new ledger:\n%s", diff)
			}
			s, err := postgres.Open(t.Context(), pool)
			if err != nil {
				t.Fatal(err)
			}
			golden.Check(t, s)
		})
	}
}

// TestEveryVersionIsUsedAsItIs by a user who does not own it.
func TestEveryVersionIsUsedAsItIs(t *testing.T) {
	for version := 1; version < postgres.Versions; version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			pool := goldenPool(t, version)
			before := objects(t, pool)
			s, err := postgres.Open(t.Context(), service(t, pool))
			if err != nil {
				t.Fatal(err)
			}
			golden.Check(t, s)
			if diff := cmp.Diff(before, objects(t, pool)); diff != "" {
				t.Errorf("Open changed the tables:\n%s", diff)
			}
		})
	}
}

// TestMigrationIsWholeOrNothing: one that fails half-way leaves the ledger as it
// was, to be used again.
func TestMigrationIsWholeOrNothing(t *testing.T) {
	pool := goldenPool(t, 1)
	before := objects(t, pool)
	undo := postgres.BreakMigration()
	_, err := postgres.Open(t.Context(), pool)
	undo()
	if err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Fatalf("Open with a migration that fails: %v", err)
	}
	if diff := cmp.Diff(before, objects(t, pool)); diff != "" {
		t.Errorf("a migration that failed changed the tables:\n%s", diff)
	}
	s, err := postgres.Open(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, s)
}
