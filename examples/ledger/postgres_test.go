package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"
)

// The same commands on a database: of the server that EQUIPOISE_POSTGRES names
// as a postgres:// DSN, or of a throw-away one.
func TestCommandsWorkOnADatabase(t *testing.T) {
	dsn := os.Getenv("EQUIPOISE_POSTGRES")
	if !isDSN(dsn) {
		dsn = startServer(t)
	}
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("equipoise_ledger_%d", os.Getpid())
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := conn.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
		if err := errors.Join(err, conn.Close(ctx)); err != nil {
			t.Error(err)
		}
	})
	own := regexp.MustCompile(`^(postgres(?:ql)?://[^/]*/)[^?]*`).ReplaceAllString(dsn, "${1}"+name)
	testscript.Run(t, testscript.Params{Dir: "testdata/postgres", RequireExplicitExec: true, Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits}, Setup: func(e *testscript.Env) error {
		e.Setenv(envLedger, own)
		return nil
	}})
}

// startServer starts a server on a socket in a folder of its own, and returns
// its DSN.
func startServer(t *testing.T) string {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(found) == 0 {
		if os.Getenv("EQUIPOISE_REQUIRE_POSTGRES") != "" {
			t.Fatal("there is no PostgreSQL")
		}
		t.Skip("NOT TESTED: there is no PostgreSQL. Install it (apt-get install postgresql), or set EQUIPOISE_POSTGRES to the postgres:// DSN of a server on which databases may be created")
	}
	bin := found[len(found)-1]
	folder, err := os.MkdirTemp("", "eqpg") // short: the path of a socket is
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	data := filepath.Join(folder, "data")
	asOwner(t, folder, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
	asOwner(t, folder, filepath.Join(bin, "pg_ctl"), "start", "-w", "-s", "-D", data, "-l", filepath.Join(folder, "log"),
		"-o", "-c listen_addresses='' -c unix_socket_directories="+folder)
	t.Cleanup(func() {
		asOwner(t, folder, filepath.Join(bin, "pg_ctl"), "stop", "-w", "-s", "-D", data, "-m", "immediate")
	})
	return "postgres:///postgres?user=postgres&host=" + folder
}

// asOwner runs a program of the server, which refuses to be root.
func asOwner(t *testing.T, folder string, args ...string) {
	if os.Getuid() == 0 {
		if out, err := exec.Command("chown", "postgres", folder).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		args = append([]string{"runuser", "-u", "postgres", "--"}, args...)
	}
	said, err := os.Create(filepath.Join(folder, "said")) // not a pipe: the server inherits it
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, said, said
	if err := errors.Join(cmd.Run(), said.Close()); err != nil {
		text, _ := os.ReadFile(said.Name())
		t.Fatalf("%v: %v\n%s", args, err, text)
	}
}
