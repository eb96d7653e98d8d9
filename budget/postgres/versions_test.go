package postgres_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/internal/golden"
	"github.com/equipoise-dp/equipoise/budget/postgres"
	"github.com/equipoise-dp/equipoise/internal/pgtest"
)

// goldenPool returns a pool of a database with the ledger of an earlier version:
// ../sqlite/testdata/README.md says how it was made.
func goldenPool(t *testing.T, version int) *pgxpool.Pool {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("testdata/v%d.sql", version))
	if err != nil {
		t.Fatal(err)
	}
	dsn, err := pgtest.Shared()
	pgtest.Needed(t, err)
	pool := newPool(t, pgtest.NewDatabase(t, dsn))
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

// TestEveryVersionIsReadAsItIs by a user who does not own it, and written once its owner has
// opened it: until then an earlier program may keep what this one does not see.
func TestEveryVersionIsReadAsItIs(t *testing.T) {
	for version := 1; version < postgres.Versions; version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			pool := goldenPool(t, version)
			before := objects(t, pool)
			s, err := postgres.Open(t.Context(), service(t, pool))
			if err != nil {
				t.Fatal(err)
			}
			a, err := budget.Open(t.Context(), s, "visits")
			if err != nil {
				t.Fatal(err)
			}
			if p, err := a.Payment(t.Context(), "one"); err != nil || string(p.Kept) != "the release of one" {
				t.Errorf("Payment: %q, %v", p.Kept, err)
			}
			wantNothing(t, "Append before the owner", s.Append(t.Context(), "a", budget.Record{Seq: 0}), "have the owner of its tables open it")
			if diff := cmp.Diff(before, objects(t, pool)); diff != "" {
				t.Errorf("Open changed the tables:\n%s", diff)
			}
			if _, err := postgres.Open(t.Context(), pool); err != nil {
				t.Fatal(err)
			}
			golden.Check(t, s)
		})
	}
}

// What programs of earlier versions send to a ledger that they have open, as they
// sent it: appending record 1 of account "a", and keeping a release beside record 0.
const (
	wasDurable    = `set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true) IS NOT NULL`
	wasCountFirst = `WITH counted AS (INSERT INTO equipoise.accounts (account, records) SELECT $1, cardinality($3::bytea[]) WHERE $2::bigint = 0 AND ` + wasDurable + ` ON CONFLICT DO NOTHING RETURNING account)`
	wasCountNext  = `WITH counted AS (UPDATE equipoise.accounts SET records = records + cardinality($3::bytea[]) WHERE account = $1 AND records = $2::bigint AND ` + wasDurable + ` RETURNING account)`
	wasKept       = `, kept AS (INSERT INTO equipoise.releases (account, seq, data) SELECT account, seq, data FROM counted, unnest($4::bigint[], $5::bytea[]) AS r (seq, data))`
	wasAdd        = ` INSERT INTO equipoise.records (account, seq, data) SELECT account, $2 + i - 1, data FROM counted, unnest($3::bytea[]) WITH ORDINALITY AS u (data, i)`
	wasKeep       = `INSERT INTO equipoise.releases (account, seq, data) SELECT $1, $2::bigint, $3::bytea WHERE ` + wasDurable + ` ON CONFLICT DO NOTHING`
)

type sent struct {
	name, query string
	args        []any
}

var one = [][]byte{{1}}

var earlier = map[int][]sent{
	1: {
		{"Append", wasCountNext + wasAdd, []any{"a", int64(1), one}},
		{"Append of an account", wasCountFirst + wasAdd, []any{"b", int64(0), one}},
		{"Keep", wasKeep, []any{"a", int64(0), one[0]}},
	},
	2: {
		{"Append", wasCountNext + wasKept + wasAdd, []any{"a", int64(1), one, []int64{}, [][]byte{}}},
		{"Append with a release", wasCountNext + wasKept + wasAdd, []any{"a", int64(1), one, []int64{1}, one}},
		{"Append of an account", wasCountFirst + wasKept + wasAdd, []any{"b", int64(0), one, []int64{}, [][]byte{}}},
	},
}

// A program of an earlier version that has the ledger open when this one opens it
// writes nothing more, and is told why: what it would keep is in no record, so one
// payment could have two answers. This one goes on.
func TestAnEarlierProgramThatHasTheLedgerOpenIsFencedOff(t *testing.T) {
	for version, programs := range earlier {
		pool := goldenPool(t, version)
		run(t, pool, "INSERT INTO equipoise.accounts VALUES ('a', 1); INSERT INTO equipoise.records VALUES ('a', 0, '')")
		for _, p := range programs {
			if err := undone(t, pool, p); err != nil {
				t.Fatalf("version %d, %s, before: %v; the test tests nothing", version, p.name, err)
			}
		}
		s, err := postgres.Open(t.Context(), pool)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range programs {
			if err := undone(t, pool, p); err == nil || !strings.Contains(err.Error(), "this program is older than the ledger") {
				t.Errorf("version %d, %s: %v, want an error that says why", version, p.name, err)
			}
		}
		golden.Check(t, s)
		if err := s.Append(t.Context(), "a", budget.Record{Seq: 1, Data: []byte("x"), Release: []byte("y")}); err != nil {
			t.Errorf("version %d: Append of this version: %v", version, err)
		}
	}
}

// undone sends a statement, which must change one row, and undoes it.
func undone(t *testing.T, pool *pgxpool.Pool, s sent) error {
	t.Helper()
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context()) //nolint:errcheck // of what failed
	tag, err := tx.Exec(t.Context(), s.query, s.args...)
	if err == nil && tag.RowsAffected() != 1 {
		t.Errorf("%s changed %d rows, want 1", s.name, tag.RowsAffected())
	}
	return err
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
