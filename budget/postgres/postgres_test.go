package postgres_test

import (
	"context"
	"flag"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/budgettest"
	"github.com/equipoise-dp/equipoise/budget/postgres"
)

var kills = flag.Int("kills", 20, "how often a process that spends is killed")

func open(t *testing.T) budget.Store { return create(t) }

func TestStore(t *testing.T)   { budgettest.TestStore(t, open) }
func TestAccount(t *testing.T) { budgettest.TestAccount(t, open) }
func TestFaults(t *testing.T)  { budgettest.TestFaults(t, open) }

func TestDurable(t *testing.T) {
	budgettest.TestDurable(t, budgettest.Durable{
		Create: newLedger,
		Open: func(ctx context.Context, dsn string) (budget.Store, error) {
			pool, err := pgxpool.New(ctx, dsn)
			if err != nil {
				return nil, err
			}
			s, err := postgres.Open(ctx, pool)
			return &pooled{s, pool}, err
		},
		Kills: *kills,
	})
}

func BenchmarkDurable(b *testing.B) {
	budgettest.BenchmarkDurable(b, func(b *testing.B) budget.Store { return create(b) })
}

// newLedger makes a ledger in a new database and returns its DSN.
func newLedger(t *testing.T) string {
	t.Helper()
	dsn, err := shared()
	needed(t, err)
	dsn = newDatabase(t, dsn)
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
	dsn, err := shared()
	needed(t, err)
	pool := newPool(t, newDatabase(t, dsn))
	_, err = postgres.Open(t.Context(), pool)
	wantError(t, "Open of an empty database", err, "no ledger in database")
	var n int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM pg_namespace WHERE nspname = 'equipoise'").Scan(&n); err != nil || n != 0 {
		t.Errorf("Open made %d schemas: %v", n, err)
	}
}

func TestCreateNeverReplaces(t *testing.T) {
	dsn := newLedger(t)
	_, err := postgres.Create(t.Context(), newPool(t, dsn))
	wantError(t, "Create over a ledger", err, "schema equipoise exists")
}

// TestCreateRace: of many that create one ledger at once, one does.
func TestCreateRace(t *testing.T) {
	dsn, err := shared()
	needed(t, err)
	pool := newPool(t, newDatabase(t, dsn))
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

func TestOpenRefuses(t *testing.T) {
	for _, test := range []struct{ query, want string }{
		{"ALTER TABLE equipoise.ledger DISABLE TRIGGER ALL; UPDATE equipoise.ledger SET version = 2", "newer version"},
		{"ALTER TABLE equipoise.ledger DISABLE TRIGGER ALL; DELETE FROM equipoise.ledger", "is not a ledger"},
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
		})
	}
}

// TestOnlyGrows: the tables themselves refuse whoever has a SQL prompt.
func TestOnlyGrows(t *testing.T) {
	pool := newPool(t, newLedger(t))
	s, err := postgres.Open(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 0, 3)
	for _, q := range []string{
		"DELETE FROM equipoise.accounts", "DELETE FROM equipoise.records", "UPDATE equipoise.records SET data = ''",
		"TRUNCATE equipoise.records", "TRUNCATE equipoise.releases", "TRUNCATE equipoise.accounts", "UPDATE equipoise.ledger SET version = 1",
	} {
		if _, err := pool.Exec(t.Context(), q); err == nil || !strings.Contains(err.Error(), "a ledger only grows") {
			t.Errorf("%s: %v, want a refusal", q, err)
		}
	}
}

// TestLostRecords: what somebody deleted all the same is missed.
func TestLostRecords(t *testing.T) {
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

// TestRights: with the rights that the documentation names everything works and
// nothing can be undone.
func TestRights(t *testing.T) {
	dsn := newLedger(t)
	admin := newPool(t, dsn)
	role := "equipoise_service_" + strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return -1
	}, admin.Config().ConnConfig.Database)
	if _, err := admin.Exec(t.Context(), `
		CREATE ROLE `+role+` LOGIN PASSWORD 'test';
		GRANT USAGE ON SCHEMA equipoise TO `+role+`;
		GRANT SELECT ON ALL TABLES IN SCHEMA equipoise TO `+role+`;
		GRANT INSERT ON equipoise.accounts, equipoise.records, equipoise.releases TO `+role+`;
		GRANT UPDATE ON equipoise.accounts TO `+role); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(context.Background(), "DROP OWNED BY "+role+"; DROP ROLE "+role); err != nil {
			t.Error(err)
		}
	})
	config := admin.Config()
	config.ConnConfig.User, config.ConnConfig.Password = role, "test"
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	s, err := postgres.Open(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 0, 3)
	if err := s.Append(t.Context(), "a", budget.Record{Seq: 3, Release: []byte("release")}); err != nil {
		t.Error(err)
	}
	for _, q := range []string{
		"DELETE FROM equipoise.records", "UPDATE equipoise.records SET data = ''", "UPDATE equipoise.releases SET data = ''",
		"ALTER TABLE equipoise.records DISABLE TRIGGER ALL", "DROP SCHEMA equipoise CASCADE",
	} {
		if _, err := pool.Exec(t.Context(), q); err == nil {
			t.Errorf("%s: nil, want an error", q)
		}
	}
	if _, err := admin.Exec(t.Context(), "REVOKE INSERT ON equipoise.records FROM "+role); err != nil {
		t.Fatal(err)
	}
	wantError(t, "Append without the right", s.Append(t.Context(), "a", budget.Record{Seq: 4}), "grant the rights")
}

func fill(t *testing.T, s budget.Store, first, n uint64) {
	t.Helper()
	for seq := first; seq < first+n; seq++ {
		if err := s.Append(t.Context(), "a", budget.Record{Seq: seq, Data: []byte("data")}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAsynchronousDefault: where the server's default is to acknowledge before
// the disk has it, our transactions still wait.
func TestAsynchronousDefault(t *testing.T) {
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
	// The log must be on disk as far as it is written, right after; but what the
	// server itself writes now and then may not be.
	const rounds = 40
	durable := 0
	for seq := range uint64(rounds) {
		if seq%2 == 0 {
			fill(t, s, seq, 1)
		} else if err := s.Append(t.Context(), "a", budget.Record{Seq: seq, Release: []byte("release")}); err != nil {
			t.Fatal(err)
		}
		var ok bool
		if err := pool.QueryRow(t.Context(), "SELECT pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn()").Scan(&ok); err != nil {
			t.Fatal(err)
		}
		if ok {
			durable++
		}
	}
	if durable < rounds*9/10 {
		t.Errorf("%d of %d acknowledged writes were on the server's disk", durable, rounds)
	}
}
