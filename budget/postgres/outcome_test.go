package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/postgres"
	"github.com/equipoise-dp/equipoise/dp"
)

// sqlstates returns every code of the table of a server, by its severity there:
// E, W or S.
func sqlstates(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("testdata/sqlstates.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(b)) {
		code, kind, _ := strings.Cut(strings.TrimSpace(line), " ")
		all[code] = kind
	}
	if len(all) < 250 {
		t.Fatalf("there are %d codes", len(all))
	}
	return all
}

// TestEveryCodeIsDecided: the classes that no ERROR of a statement can be of, and
// those that leave it open, are unknown; all others are nothing; above ERROR all
// are unknown.
func TestEveryCodeIsDecided(t *testing.T) {
	open := []string{"00", "01", "02", "08", "XX"}
	again := []string{"40001", "40P01"}
	closed := []string{"08001", "08004"}
	for code := range sqlstates(t) {
		if _, ok := postgres.Classes[code[:2]]; !ok {
			t.Errorf("the class of %s is not decided", code)
		}
		want := "nothing"
		switch {
		case slices.Contains(again, code):
			want = "again"
		case code == "40003" || slices.Contains(open, code[:2]) && !slices.Contains(closed, code):
			want = "unknown"
		}
		if got := postgres.Judge(&pgconn.PgError{SeverityUnlocalized: "ERROR", Code: code}); got != want {
			t.Errorf("ERROR %s is %s, want %s", code, got, want)
		}
		for _, severity := range []string{"FATAL", "PANIC", "WARNING", ""} {
			if got := postgres.Judge(&pgconn.PgError{SeverityUnlocalized: severity, Severity: "ERROR", Code: code}); got != "unknown" {
				t.Errorf("%q %s is %s, want unknown", severity, code, got)
			}
		}
	}
	for _, err := range []error{
		io.ErrUnexpectedEOF, context.Canceled, context.DeadlineExceeded, errors.New("what is this"),
		&pgconn.PgError{SeverityUnlocalized: "ERROR", Code: "99000"}, &pgconn.PgError{SeverityUnlocalized: "ERROR"},
	} {
		if got := postgres.Judge(err); got != "unknown" {
			t.Errorf("%v is %s, want unknown", err, got)
		}
	}
}

// TestEveryCodeOfAServer lets the server raise each code that it can, in the
// statement and at its commit: what is called nothing is not there.
func TestEveryCodeOfAServer(t *testing.T) {
	pool := newPool(t, newLedger(t))
	s, err := postgres.Open(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 0, 1)
	run(t, pool, `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
		DECLARE code text; BEGIN
			SELECT c INTO code FROM failing;
			IF code IS NOT NULL THEN RAISE EXCEPTION 'raised' USING ERRCODE = code; END IF;
			RETURN NEW;
		END $$; CREATE TABLE failing (c text)`)
	for _, when := range []string{
		"CREATE TRIGGER fail BEFORE INSERT ON equipoise.records FOR EACH ROW EXECUTE FUNCTION fail()",
		"CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON equipoise.records DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()",
	} {
		run(t, pool, when)
		for code, kind := range sqlstates(t) {
			if kind != "E" || code == "23505" { // a unique violation is a conflict
				continue
			}
			run(t, pool, "DELETE FROM failing; INSERT INTO failing VALUES ('"+code+"')")
			err := s.Append(t.Context(), "a", budget.Record{Seq: 1, Data: []byte("x")})
			var e *pgconn.PgError
			if !errors.As(err, &e) || e.Code != code {
				t.Errorf("Append, which raises %s: %v", code, err)
			}
			want := postgres.Judge(&pgconn.PgError{SeverityUnlocalized: "ERROR", Code: code}) != "unknown"
			if got := errors.Is(err, budget.ErrNotAppended); got != want {
				t.Errorf("Append, which raises %s, says that nothing was appended: %v, want %v", code, got, want)
			}
			if n := len(records(t, s, "a")); n != 1 {
				t.Fatalf("there are %d records after %s was raised, want 1", n, code)
			}
		}
		run(t, pool, "DELETE FROM failing; DROP TRIGGER fail ON equipoise.records")
	}
	fill(t, s, 1, 1)
}

func run(t *testing.T, pool *pgxpool.Pool, statements string) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), statements); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}

// TestNothingWasAppended makes the server say so, in the ways that operators meet.
func TestNothingWasAppended(t *testing.T) {
	for _, test := range []struct {
		name, settings string
		before         string // in a transaction that stays open, or nothing
		want           string
	}{
		{"read-only", "default_transaction_read_only=on", "", "the server is read-only"},
		{"lock timeout", "lock_timeout=50", "UPDATE equipoise.accounts SET records = records", "not had within lock_timeout"},
		{"statement timeout", "statement_timeout=200", "UPDATE equipoise.accounts SET records = records", "statement_timeout"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dsn := newLedger(t)
			admin := newPool(t, dsn)
			good, err := postgres.Open(t.Context(), admin)
			if err != nil {
				t.Fatal(err)
			}
			fill(t, good, 0, 1)
			s, err := postgres.Open(t.Context(), newPool(t, with(dsn, test.settings)))
			if err != nil {
				t.Fatal(err)
			}
			if test.before != "" {
				tx, err := admin.Begin(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer tx.Rollback(context.Background()) //nolint:errcheck // it holds a lock, and no more
				if _, err := tx.Exec(t.Context(), test.before); err != nil {
					t.Fatal(err)
				}
			}
			wantNothing(t, "Append", s.Append(t.Context(), "a", budget.Record{Seq: 1, Data: []byte("x")}), test.want)
			if n := len(records(t, s, "a")); n != 1 {
				t.Errorf("there are %d records, want 1", n)
			}
		})
	}
}

// Without one nothing was sent.
func TestWithoutAConnectionNothingWasSent(t *testing.T) {
	dsn := newLedger(t)
	admin := newPool(t, dsn)
	config := admin.Config()
	role := "equipoise_full_" + strings.TrimPrefix(config.ConnConfig.Database, "equipoise_")
	run(t, admin, "CREATE ROLE "+role+" LOGIN PASSWORD 'test' CONNECTION LIMIT 1 SUPERUSER; ALTER ROLE "+role+" NOSUPERUSER; GRANT USAGE ON SCHEMA equipoise TO "+role+
		"; GRANT SELECT ON ALL TABLES IN SCHEMA equipoise TO "+role)
	t.Cleanup(func() {
		if _, err := admin.Exec(context.Background(), "DROP OWNED BY "+role+"; DROP ROLE "+role); err != nil {
			t.Error(err)
		}
	})
	config.ConnConfig.User, config.ConnConfig.Password = role, "test"
	limited, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer limited.Close()
	s, err := postgres.Open(t.Context(), limited)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := limited.Acquire(t.Context()) // the only one
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	wantNothing(t, "Append, too many connections", s.Append(t.Context(), "a", budget.Record{Data: []byte("x")}), "the server has no connection left")

	config = admin.Config()
	config.ConnConfig.DialFunc = func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("connection refused")
	}
	refusing, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer refusing.Close()
	wantNothing(t, "Append, connection refused", postgres.On(refusing).Append(t.Context(), "a", budget.Record{Data: []byte("x")}), "connection refused")

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	wantNothing(t, "Append, cancelled before", s.Append(cancelled, "a", budget.Record{Data: []byte("x")}), "context canceled")
}

// TestAServerThatIsNotReachedIsNoMissingLedger: whoever makes a ledger where there is
// none must not be told so by a socket that is not there. The cause is kept.
func TestAServerThatIsNotReachedIsNoMissingLedger(t *testing.T) {
	config, err := pgxpool.ParseConfig("host=127.0.0.1 dbname=ledger")
	if err != nil {
		t.Fatal(err)
	}
	for _, cause := range []error{fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, syscall.ENOENT, context.DeadlineExceeded} {
		config.ConnConfig.DialFunc = func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "unix", Err: cause}
		}
		pool, err := pgxpool.NewWithConfig(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		for name, open := range map[string]func(context.Context, *pgxpool.Pool) (*postgres.Store, error){
			"Open": postgres.Open, "Create": postgres.Create, "OpenOrCreate": postgres.OpenOrCreate,
		} {
			_, err := open(t.Context(), pool)
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
				t.Errorf("%s, %v: %v says whether there is a ledger", name, cause, err)
			}
			if hidden := cause == fs.ErrNotExist || cause == fs.ErrExist; !hidden && !errors.Is(err, cause) || !errors.As(err, new(*pgconn.ConnectError)) {
				t.Errorf("%s, %v: %v hides its cause", name, cause, err)
			}
		}
	}
}

// TestShutdownIsUnknown: a server that ends the connection does not say what
// became of the statement.
func TestShutdownIsUnknown(t *testing.T) {
	dsn := newLedger(t)
	admin := newPool(t, dsn)
	s, err := postgres.Open(t.Context(), newPool(t, with(dsn, "application_name=victim")))
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 0, 1)
	tx, err := admin.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background()) //nolint:errcheck // it holds a lock, and no more
	if _, err := tx.Exec(t.Context(), "UPDATE equipoise.accounts SET records = records"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- s.Append(t.Context(), "a", budget.Record{Seq: 1, Data: []byte("x")}) }()
	for ended := false; !ended; {
		err := admin.QueryRow(t.Context(), `SELECT coalesce(bool_or(pg_terminate_backend(pid)), false) FROM pg_stat_activity
			WHERE application_name = 'victim' AND wait_event_type = 'Lock'`).Scan(&ended)
		if err != nil {
			t.Fatal(err)
		}
	}
	var e *pgconn.PgError
	if err := <-done; !errors.As(err, &e) || e.Code != "57P01" || errors.Is(err, budget.ErrNotAppended) {
		t.Errorf("Append, when the server ended the connection: %v, want 57P01 and not budget.ErrNotAppended", err)
	}
}

// TestSerializationFailuresAreTriedAgain: under the strictest default of a server
// writers of several accounts get on, and nobody is told of tampering.
func TestSerializationFailuresAreTriedAgain(t *testing.T) {
	for _, level := range []string{"serializable", "repeatable read"} {
		t.Run(level, func(t *testing.T) {
			dsn := with(newLedger(t), "default_transaction_isolation='"+strings.ReplaceAll(level, " ", `\ `)+"'")
			s, err := postgres.Open(t.Context(), newPool(t, dsn))
			if err != nil {
				t.Fatal(err)
			}
			const writers, each = 6, 15
			errs := make(chan error)
			for i := range writers {
				go func() { errs <- appendAll(t.Context(), s, fmt.Sprint(i%2), each) }()
			}
			for range writers {
				if err := <-errs; err != nil {
					t.Error(err)
				}
			}
			for _, account := range []string{"0", "1"} {
				if n := len(records(t, s, account)); n != writers/2*each {
					t.Errorf("account %s has %d records, want %d", account, n, writers/2*each)
				}
			}
		})
	}
}

// appendAll appends n records, each after those of others.
func appendAll(ctx context.Context, s budget.Store, account string, n int) error {
	for next := uint64(0); n > 0; {
		err := s.Append(ctx, account, budget.Record{Seq: next, Data: []byte("x")})
		switch {
		case err == nil:
			n--
			next++
		case errors.Is(err, budget.ErrConflict):
			for r, err := range s.Read(ctx, account, next) {
				if err != nil {
					return err
				}
				next = r.Seq + 1
			}
		default:
			return err
		}
	}
	return nil
}

func wantNothing(t *testing.T, what string, err error, text string) {
	t.Helper()
	if !errors.Is(err, budget.ErrNotAppended) || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: %v, want budget.ErrNotAppended and %q", what, err, text)
	}
}

// with adds settings of the session to a DSN.
func with(dsn, settings string) string {
	name, value, _ := strings.Cut(settings, "=")
	if strings.Contains(dsn, "://") {
		config, err := pgx.ParseConfig(dsn)
		if err != nil {
			return dsn
		}
		dsn = fmt.Sprintf("host=%s port=%d user=%s password='%s' dbname=%s", config.Host, config.Port, config.User, config.Password, config.Database)
	}
	return dsn + " " + name + "=" + value
}

var visitsLoss = dp.Pure{Epsilon: 1}

func visitsCharge(key string) dp.Charge {
	return dp.Charge{
		Dataset: "visits", Unit: "patient", Purpose: "test", Key: key, Loss: dp.Pure{Epsilon: 0.25},
		Events: []dp.Event{{Mechanism: dp.Declared, Count: 1, Epsilon: big.NewRat(1, 4)}},
	}
}
