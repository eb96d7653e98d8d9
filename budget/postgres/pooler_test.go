package postgres_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
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

const noPooler = "NOT TESTED: there is no PgBouncer. Install it (apt-get install pgbouncer), which is all that is needed"

// A pooler that gives every transaction another connection of
// the server changes nothing, with the defaults of the driver and several pools.
func TestAPoolerChangesNothing(t *testing.T) {
	t.Parallel()
	behind := startPooler(t)
	open := func(t *testing.T) budget.Store {
		s, err := postgres.OpenOrCreate(t.Context(), behind(t, pgtest.NewDatabase(t, sharedDSN(t))))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	budgettest.TestAccount(t, open)
	dsn := pgtest.NewDatabase(t, sharedDSN(t))
	for i := range 4 {
		s, err := postgres.OpenOrCreate(t.Context(), behind(t, dsn))
		if err != nil {
			t.Fatalf("program %d: %v", i, err)
		}
		fill(t, s, uint64(i), 1)
		if n := len(records(t, s, "a")); n != i+1 {
			t.Errorf("program %d reads %d records, want %d", i, n, i+1)
		}
	}
}

// TestThePoolerLosesStatements: without what this package does, the driver's
// defaults fail behind the same pooler; otherwise the test above tests nothing.
func TestThePoolerLosesStatements(t *testing.T) {
	behind := startPooler(t)
	dsn := pgtest.NewDatabase(t, sharedDSN(t))
	var failed error
	for range 4 {
		pool := behind(t, dsn)
		var wg sync.WaitGroup
		var mu sync.Mutex
		for range 8 {
			wg.Go(func() {
				for i := range 20 {
					if _, err := pool.Exec(t.Context(), "SELECT $1::int", i); err != nil {
						mu.Lock()
						failed = err
						mu.Unlock()
					}
				}
			})
		}
		wg.Wait()
	}
	if failed == nil || !strings.Contains(failed.Error(), "prepared statement") {
		t.Logf("this PgBouncer keeps prepared statements, so the test above says less: %v", failed)
	}
}

func sharedDSN(t *testing.T) string {
	t.Helper()
	dsn, err := pgtest.Shared()
	pgtest.Needed(t, err)
	return dsn
}

// startPooler starts PgBouncer in transaction mode before the shared server. What it returns makes a
// pool of a database through it, with the defaults of the driver.
func startPooler(t *testing.T) func(t *testing.T, dsn string) *pgxpool.Pool {
	t.Helper()
	server, err := pgx.ParseConfig(sharedDSN(t))
	if err != nil {
		t.Fatal(err)
	}
	program, err := findPooler()
	if err != nil {
		if os.Getenv(pgtest.EnvRequire) != "" {
			t.Fatal(err)
		}
		t.Skip(noPooler)
	}
	folder, err := os.MkdirTemp("", "eqpb") // short: the path of a socket is
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := pgtest.Own(folder); err != nil {
		t.Fatal(err)
	}
	password := "" // which must not be there if it is empty
	if server.Password != "" {
		password = " password='" + server.Password + "'"
	}
	config := filepath.Join(folder, "pgbouncer.ini")
	if err := os.WriteFile(config, fmt.Appendf(nil, `[databases]
* = host=%s port=%d user=%s%s
[pgbouncer]
listen_port = 6432
listen_addr =
unix_socket_dir = %s
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
`, server.Host, server.Port, server.User, password, folder), 0o644); err != nil {
		t.Fatal(err)
	}
	launch(t, program, folder, config)
	return func(t *testing.T, dsn string) *pgxpool.Pool {
		of, err := pgx.ParseConfig(dsn)
		if err != nil {
			t.Fatal(err)
		}
		return newPool(t, fmt.Sprintf("host=%s port=6432 user=%s dbname=%s", folder, of.User, of.Database))
	}
}

// launch starts the pooler, waits until it says that it is there, and ends it
// with the test.
func launch(t *testing.T, program, folder, config string) {
	t.Helper()
	cmd := exec.Command(program, config)
	cmd.Dir = folder
	if err := pgtest.AsOwner(cmd); err != nil {
		t.Fatal(err)
	}
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
		<-ended
		cmd.Wait() //nolint:errcheck // it was killed
	})
	up := make(chan string, 1) // empty, or what it says in place of that
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(log)
		var said strings.Builder
		for lines.Scan() {
			said.WriteString(lines.Text() + "\n")
			if strings.Contains(lines.Text(), "process up") {
				up <- ""
				break
			}
		}
		io.Copy(io.Discard, log) //nolint:errcheck // until it ends
		select {
		case up <- "PgBouncer did not start:\n" + said.String():
		default:
		}
	}()
	if said := <-up; said != "" {
		t.Fatal(said)
	}
}

func findPooler() (string, error) {
	if path, err := exec.LookPath("pgbouncer"); err == nil {
		return path, nil
	}
	if _, err := os.Stat("/usr/sbin/pgbouncer"); err != nil {
		return "", errors.New("there is no PgBouncer")
	}
	return "/usr/sbin/pgbouncer", nil
}

// A standby shows, verifies and gives out what was kept. Spending
// there says where to go.
func TestAStandbyShowsAndDoesNotSpend(t *testing.T) {
	primary := private(t)
	first := newPool(t, primary.DSN)
	s, err := postgres.Create(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	a, err := budget.Create(t.Context(), s, budget.Terms{Dataset: "visits", Unit: "patient", Limit: visitsLoss})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Spend(t.Context(), visitsCharge("one")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Keep(t.Context(), visitsCharge("one"), []byte("the release")); err != nil {
		t.Fatal(err)
	}
	standby, err := primary.Standby()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(standby.Stop("immediate"), primary.Stop("immediate")); err != nil {
			t.Error(err)
		}
	}()
	second := newPool(t, standby.DSN)
	if s, err = postgres.OpenOrCreate(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	wantNothing(t, "Writable", s.Writable(t.Context()), "the server is read-only")
	if a, err = budget.Open(t.Context(), s, "visits"); err != nil {
		t.Fatal(err)
	}
	if r, err := a.Verify(t.Context()); err != nil || r.Charges != 1 {
		t.Errorf("Verify = %+v, %v, want one charge", r, err)
	}
	if p, err := a.Spend(t.Context(), visitsCharge("one")); err != nil || string(p.Kept) != "the release" {
		t.Errorf("Spend again = %q, %v, want the release", p.Kept, err)
	}
	_, err = a.Spend(t.Context(), visitsCharge("two"))
	wantNothing(t, "Spend", err, "to spend, connect to the primary")
	if errors.Is(err, budget.ErrUnknown) {
		t.Errorf("Spend on a standby: %v, which counts as spent", err)
	}
	if err := a.Freeze(t.Context(), "an incident", "officer"); !errors.Is(err, budget.ErrNotAppended) || errors.Is(err, budget.ErrUnknown) {
		t.Errorf("Freeze: %v, want budget.ErrNotAppended", err)
	}
	var recovering bool
	if err := second.QueryRow(context.Background(), "SELECT pg_is_in_recovery()").Scan(&recovering); err != nil || !recovering {
		t.Errorf("the standby is none: %v", err)
	}
}
