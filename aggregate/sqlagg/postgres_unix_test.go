//go:build unix

package sqlagg_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/equipoise-dp/equipoise/aggregate/sqlagg"
	"github.com/equipoise-dp/equipoise/aggregate/sqlagg/sqlaggtest"
)

// postgres returns a database of a server of its own, on a socket in a folder that goes with the test, or
// of the server that EQUIPOISE_POSTGRES names.
func postgres(t testing.TB) *sql.DB {
	t.Helper()
	dsn := os.Getenv("EQUIPOISE_POSTGRES")
	if dsn == "" {
		dsn = started(t)
	}
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// started starts a server.
func started(t testing.TB) (dsn string) {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(found) == 0 {
		if os.Getenv("EQUIPOISE_REQUIRE_POSTGRES") != "" {
			t.Fatal("there is no PostgreSQL")
		}
		t.Skip("NOT TESTED: there is no PostgreSQL. Install it (apt-get install postgresql), or set EQUIPOISE_POSTGRES to the DSN of a server")
	}
	slices.Sort(found)
	folder, err := os.MkdirTemp("", "eqsql") // short: the path of a socket is
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	as := owner(t, folder)
	data := filepath.Join(folder, "data")
	run := func(program string, args ...string) {
		cmd := exec.Command(filepath.Join(found[len(found)-1], program), args...)
		cmd.Dir, cmd.SysProcAttr = folder, as
		if err := cmd.Run(); err != nil { // without a pipe, which the server would inherit
			log, _ := os.ReadFile(filepath.Join(folder, "log"))
			t.Errorf("%s: %v\n%s", program, err, log)
		}
	}
	run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	run("pg_ctl", "start", "-w", "-s", "-D", data, "-l", filepath.Join(folder, "log"), "-o", fmt.Sprintf("-c listen_addresses= -c unix_socket_directories=%s -c fsync=off", folder))
	t.Cleanup(func() { run("pg_ctl", "stop", "-w", "-s", "-D", data, "-m", "immediate") })
	return fmt.Sprintf("host=%s user=postgres dbname=postgres", folder)
}

// owner gives a folder to a user that PostgreSQL runs as, for it does not run as root.
func owner(t testing.TB, folder string) *syscall.SysProcAttr {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, errU := strconv.Atoi(u.Uid)
	gid, errG := strconv.Atoi(u.Gid)
	if errU != nil || errG != nil || os.Chown(folder, uid, gid) != nil {
		t.Fatal("the folder of the server cannot be given to postgres")
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

func TestPostgreSQL(t *testing.T) {
	db := postgres(t)
	sqlaggtest.Test(t, sqlaggtest.Database{DB: db, Dialect: sqlagg.PostgreSQL, Whole: "bigint", Double: "double precision", Text: "text", Dollar: true}, plans())
	t.Run("Cancelled", func(t *testing.T) { cancelled(t, db) })
}

// A statement ends on the server when its context does.
func cancelled(t *testing.T, db *sql.DB) {
	ctx, cancel := context.WithCancel(t.Context())
	running := func() (n int) { // for a while: PostgreSQL ignores who wants to cancel what has not begun
		const text = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'WITH source%' AND state = 'active' AND clock_timestamp() > query_start + interval '1 second'"
		if err := db.QueryRow(text).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	done := make(chan error)
	go func() {
		_, err := sqlagg.Collect(ctx, endless(db), plain(t))
		done <- err
	}()
	for deadline := time.Now().Add(20 * time.Second); running() == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the statement does not run")
		}
	}
	cancel()
	if err := <-done; err != context.Canceled {
		t.Errorf("who gave up is told %v", err)
	}
	for deadline := time.Now().Add(20 * time.Second); running() != 0; {
		if time.Now().After(deadline) {
			t.Fatal("the server goes on after 20 s")
		}
	}
}
