package postgres_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/budgettest"
	"github.com/equipoise-dp/equipoise/budget/postgres"
	"github.com/equipoise-dp/equipoise/internal/pgtest"
)

var long = flag.Bool("long", false, "kill processes and edit ledgers a thousand times, not a few")

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
		Create: newLedger,
		Open:   func(ctx context.Context, dsn string) (budget.Store, error) { return connected(ctx, dsn, postgres.Open) },
		Kills:  times(20, 200),
	})
}

func TestCreation(t *testing.T) {
	budgettest.TestCreation(t, budgettest.Creation{
		Place: emptyDatabase,
		Create: func(ctx context.Context, dsn string) (budget.Store, error) {
			return connected(ctx, dsn, postgres.Create)
		},
		OpenOrCreate: func(ctx context.Context, dsn string) (budget.Store, error) {
			return connected(ctx, dsn, postgres.OpenOrCreate)
		},
		Kills: times(50, 1000),
	})
}

// emptyDatabase returns the DSN of one database, in which nothing is left and
// nobody is at work.
func emptyDatabase(t *testing.T) string {
	t.Helper()
	dsn, err := oneDatabase()
	pgtest.Needed(t, err)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for others := 1; others > 0; { // a server completes what a dead process asked for
		err := conn.QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`).Scan(&others)
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.Exec(t.Context(), "DROP SCHEMA IF EXISTS equipoise CASCADE"); err != nil {
		t.Fatal(err)
	}
	return dsn
}

var oneDatabase = sync.OnceValues(func() (string, error) {
	dsn, err := pgtest.Shared()
	if err != nil {
		return "", err
	}
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	name := fmt.Sprintf("equipoise_%d_one", os.Getpid())
	atEnd = append(atEnd, func() error {
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
		return errors.Join(err, conn.Close(ctx))
	})
	_, err = conn.Exec(ctx, "CREATE DATABASE "+name)
	return pgtest.WithDatabase(dsn, name), err
})

// connected opens a store with a pool of its own.
func connected(ctx context.Context, dsn string, open func(context.Context, *pgxpool.Pool) (*postgres.Store, error)) (budget.Store, error) {
	pool, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, pool)
	if err != nil {
		pool.Close()
		return nil, err
	}
	return &pooled{s, pool}, nil
}

func BenchmarkDurable(b *testing.B) {
	budgettest.BenchmarkDurable(b, func(b *testing.B) budget.Store { return create(b) })
}

// BenchmarkOpen opens a store and its account; with -long it has a million charges.
func BenchmarkOpen(b *testing.B) {
	dsn, err := pgtest.Shared()
	pgtest.Needed(b, err)
	budgettest.BenchmarkOpen(b, times(20_000, 1_000_000), pgtest.NewDatabase(b, dsn),
		func(ctx context.Context, dsn string) (budget.Store, error) {
			return connected(ctx, dsn, postgres.OpenOrCreate)
		})
}

// newLedger makes a ledger in a new database and returns its DSN.
func newLedger(t *testing.T) string {
	t.Helper()
	dsn, err := pgtest.Shared()
	pgtest.Needed(t, err)
	dsn = pgtest.NewDatabase(t, dsn)
	if _, err := postgres.Create(t.Context(), newPool(t, dsn)); err != nil {
		t.Fatal(err)
	}
	return dsn
}

// pooled is a store with a pool of its own.
type pooled struct {
	*postgres.Store
	pool *pgxpool.Pool
}

func (p *pooled) Close() error {
	p.pool.Close()
	return nil
}

func wantError(t *testing.T, what string, err error, text string) {
	t.Helper()
	if err == nil || !strings.HasPrefix(err.Error(), "postgres: ") || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: %v, want an error of postgres with %q", what, err, text)
	}
}

func TestOpenNeverCreates(t *testing.T) {
	dsn, err := pgtest.Shared()
	pgtest.Needed(t, err)
	pool := newPool(t, pgtest.NewDatabase(t, dsn))
	_, err = postgres.Open(t.Context(), pool)
	wantError(t, "Open of an empty database", err, "no ledger in database")
	var n int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM pg_namespace WHERE nspname = 'equipoise'").Scan(&n); err != nil || n != 0 {
		t.Errorf("Open made %d schemas: %v", n, err)
	}
}

func TestCreateNeverReplaces(t *testing.T) {
	dsn := newLedger(t)
	pool := newPool(t, dsn)
	_, err := postgres.Create(t.Context(), pool)
	wantError(t, "Create over a ledger", err, fmt.Sprintf("schema equipoise exists in database %q; Open uses", pool.Config().ConnConfig.Database))
	if !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create over a ledger: %v, want fs.ErrExist", err)
	}
}

// Of many that create one ledger at once, one does.
func TestOfManyThatCreateOneDoes(t *testing.T) {
	dsn, err := pgtest.Shared()
	pgtest.Needed(t, err)
	pool := newPool(t, pgtest.NewDatabase(t, dsn))
	made := make(chan error)
	for range 4 {
		go func() {
			_, err := postgres.Create(t.Context(), pool)
			made <- err
		}()
	}
	won := 0
	for range 4 {
		if err := <-made; err == nil {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d of 4 racing callers of Create succeeded, want 1", won)
	}
	if _, err := postgres.Open(t.Context(), pool); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNoLedgerIsNotOpened(t *testing.T) {
	for _, test := range []struct{ query, want string }{
		{"ALTER TABLE equipoise.ledger DISABLE TRIGGER ALL; UPDATE equipoise.ledger SET version = 99", "it is of version 99, this one knows 3; use the newer one"},
		{"ALTER TABLE equipoise.ledger DISABLE TRIGGER ALL; DELETE FROM equipoise.ledger", "is not a ledger: its versions are [], must be one from 1 to 3"},
		{"DROP TABLE equipoise.releases", "no table releases"},
		{"DROP SCHEMA equipoise CASCADE", "no ledger in database"},
	} {
		t.Run(test.want, func(t *testing.T) {
			pool := newPool(t, newLedger(t))
			if _, err := pool.Exec(t.Context(), test.query); err != nil {
				t.Fatal(err)
			}
			_, err := postgres.Open(t.Context(), pool)
			wantError(t, "Open", err, test.want)
			wantError(t, "Open", err, fmt.Sprintf("database %q", pool.Config().ConnConfig.Database))
		})
	}
}

// The tables themselves refuse whoever has a SQL prompt.
func TestALedgerOnlyGrows(t *testing.T) {
	pool := newPool(t, newLedger(t))
	s, err := postgres.Open(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 0, 3)
	for _, q := range []string{
		"DELETE FROM equipoise.accounts", "DELETE FROM equipoise.records", "UPDATE equipoise.records SET data = ''",
		"TRUNCATE equipoise.records", "TRUNCATE equipoise.releases", "TRUNCATE equipoise.accounts", "UPDATE equipoise.ledger SET version = 1",
		"UPDATE equipoise.accounts SET records = records - 1", "UPDATE equipoise.accounts SET account = 'b'",
	} {
		if _, err := pool.Exec(t.Context(), q); err == nil || !strings.Contains(err.Error(), "a ledger only grows") {
			t.Errorf("%s: %v, want a refusal", q, err)
		}
	}
}

// What somebody deleted all the same is missed.
func TestDeletedRecordsAreMissed(t *testing.T) {
	for _, where := range []string{"seq = 4", "seq = 2", "seq = 0", "true"} {
		t.Run(where, func(t *testing.T) {
			pool := newPool(t, newLedger(t))
			s, err := postgres.Open(t.Context(), pool)
			if err != nil {
				t.Fatal(err)
			}
			fill(t, s, 0, 5)
			if _, err := pool.Exec(t.Context(), "ALTER TABLE equipoise.records DISABLE TRIGGER ALL; DELETE FROM equipoise.records WHERE "+where); err != nil {
				t.Fatal(err)
			}
			err = nil
			for _, e := range s.Read(t.Context(), "a", 0) {
				err = e
			}
			wantError(t, "Read", err, "damaged")
		})
	}
}

// TestRecordThatWasNotCounted: what somebody added is in the way, and is found.
func TestRecordThatWasNotCounted(t *testing.T) {
	pool := newPool(t, newLedger(t))
	s, err := postgres.Open(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 0, 2)
	run(t, pool, "INSERT INTO equipoise.records VALUES ('a', 2, 'forged', 3)")
	if err := s.Append(t.Context(), "a", budget.Record{Seq: 2, Data: []byte("x")}); !errors.Is(err, budget.ErrConflict) {
		t.Errorf("Append where a record is that was not counted: %v, want budget.ErrConflict", err)
	}
	for _, e := range s.Read(t.Context(), "a", 0) {
		err = e
	}
	wantError(t, "Read", err, "damaged")
}

// With the rights that the documentation names everything works and
// nothing can be undone.
func TestTheDocumentedRightsAreEnoughAndUndoNothing(t *testing.T) {
	admin := newPool(t, newLedger(t))
	pool := service(t, admin)
	role := pool.Config().ConnConfig.User
	s, err := postgres.Open(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Writable(t.Context()); err != nil {
		t.Error(err)
	}
	fill(t, s, 0, 3)
	if err := s.Append(t.Context(), "a", budget.Record{Seq: 3, Release: []byte("release")}); err != nil {
		t.Error(err)
	}
	for _, q := range []string{
		"DELETE FROM equipoise.records", "UPDATE equipoise.accounts SET records = 1", "UPDATE equipoise.records SET data = ''", "UPDATE equipoise.releases SET data = ''",
		"ALTER TABLE equipoise.records DISABLE TRIGGER ALL", "DROP SCHEMA equipoise CASCADE",
	} {
		if _, err := pool.Exec(t.Context(), q); err == nil {
			t.Errorf("%s: nil, want an error", q)
		}
	}
	if _, err := admin.Exec(t.Context(), "REVOKE INSERT ON equipoise.records FROM "+role); err != nil {
		t.Fatal(err)
	}
	wantNothing(t, "Append without the right", s.Append(t.Context(), "a", budget.Record{Seq: 4}), "grant the rights")
	wantNothing(t, "Writable without the right", s.Writable(t.Context()), "grant the rights")
}

// service returns a pool of a user who has the rights that the documentation
// names.
func service(t *testing.T, admin *pgxpool.Pool) *pgxpool.Pool {
	t.Helper()
	config := admin.Config()
	role := "equipoise_service_" + strings.TrimPrefix(config.ConnConfig.Database, "equipoise_")
	run(t, admin, `
		CREATE ROLE `+role+` LOGIN PASSWORD 'test';
		GRANT USAGE ON SCHEMA equipoise TO `+role+`;
		GRANT SELECT ON ALL TABLES IN SCHEMA equipoise TO `+role+`;
		GRANT INSERT ON equipoise.accounts, equipoise.records, equipoise.releases TO `+role+`;
		GRANT UPDATE ON equipoise.accounts TO `+role)
	t.Cleanup(func() {
		if _, err := admin.Exec(context.Background(), "DROP OWNED BY "+role+"; DROP ROLE "+role); err != nil {
			t.Error(err)
		}
	})
	config.ConnConfig.User, config.ConnConfig.Password = role, "test"
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func fill(t *testing.T, s budget.Store, first, n uint64) {
	t.Helper()
	for seq := first; seq < first+n; seq++ {
		if err := s.Append(t.Context(), "a", budget.Record{Seq: seq, Data: []byte("data")}); err != nil {
			t.Fatal(err)
		}
	}
}

// Where the server's default is to acknowledge before
// the disk has it, our transactions still wait.
func TestCommitsWaitForTheDiskWhateverTheDefault(t *testing.T) {
	pool := newPool(t, newLedger(t))
	name := pool.Config().ConnConfig.Database
	if _, err := pool.Exec(t.Context(), "ALTER DATABASE "+name+" SET synchronous_commit = off"); err != nil {
		t.Fatal(err)
	}
	pool.Reset()
	s, err := postgres.Open(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	var setting string
	if err := pool.QueryRow(t.Context(), "SHOW synchronous_commit").Scan(&setting); err != nil || setting != "off" {
		t.Fatalf("synchronous_commit is %s, %v; the test tests nothing", setting, err)
	}
	// A write adds to the log, so that where its commit has waited, more of the log is
	// on disk than there was of it before. Others on the server only add to that.
	for seq := range uint64(40) {
		var before string
		if err := pool.QueryRow(t.Context(), "SELECT pg_current_wal_insert_lsn()::text").Scan(&before); err != nil {
			t.Fatal(err)
		}
		if seq%2 == 0 {
			fill(t, s, seq, 1)
		} else if err := s.Append(t.Context(), "a", budget.Record{Seq: seq, Release: []byte("release")}); err != nil {
			t.Fatal(err)
		}
		var ok bool
		if err := pool.QueryRow(t.Context(), "SELECT pg_current_wal_flush_lsn() > $1::text::pg_lsn", before).Scan(&ok); err != nil {
			t.Fatal(err)
		}
		if !ok {
			t.Errorf("write %d was acknowledged and is not on the server's disk", seq)
		}
	}
}
