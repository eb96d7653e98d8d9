package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/equipoise-dp/equipoise/budget/postgres"
)

// How these tests find a server, and what they say if there is none.
const (
	envDSN     = "EQUIPOISE_POSTGRES"         // a superuser's DSN; nothing but new databases is touched
	envRequire = "EQUIPOISE_REQUIRE_POSTGRES" // no server is a failure

	howToRun = "NOT TESTED: there is no PostgreSQL. Install it (apt-get install postgresql), which is all that is needed, " +
		"or set " + envDSN + " to the DSN of a server on which databases may be created"
)

var atEnd []func() error // before the servers stop

func TestMain(m *testing.M) {
	code := m.Run()
	for _, do := range atEnd {
		if err := do(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	if err := stopAll(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// needed skips a test for want of a server, or fails it where one is required.
func needed(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, errNoServer) && os.Getenv(envRequire) == "":
		t.Skip(howToRun)
	default:
		t.Fatal(err)
	}
}

// shared is the server of all tests that do not stop it.
var shared = sync.OnceValues(func() (string, error) {
	if dsn := os.Getenv(envDSN); dsn != "" {
		return dsn, nil
	}
	s, err := startServer()
	if err != nil {
		return "", err
	}
	return s.dsn, nil
})

var databases atomic.Int64

// newDatabase returns the DSN of a new, empty database on a server.
func newDatabase(t testing.TB, dsn string) string {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	name := fmt.Sprintf("equipoise_%d_%d", os.Getpid(), databases.Add(1))
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close(ctx)
		if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return withDatabase(dsn, name)
}

func withDatabase(dsn, name string) string {
	if u, err := url.Parse(dsn); err == nil && strings.HasPrefix(u.Scheme, "postgres") {
		u.Path = "/" + name
		return u.String()
	}
	return dsn + " dbname=" + name // of a setting given twice, the last counts
}

func newPool(t testing.TB, dsn string) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 8
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// create returns a new ledger in a new database of the shared server.
func create(t testing.TB) *postgres.Store {
	t.Helper()
	dsn, err := shared()
	needed(t, err)
	s, err := postgres.Create(context.Background(), newPool(t, newDatabase(t, dsn)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A server is a private, throw-away one, on a socket in its own folder.
type server struct{ bin, folder, dsn string }

var errNoServer = errors.New("postgres: no initdb found in the usual places")

var running struct {
	sync.Mutex
	servers []*server
}

// startServer makes a new cluster and starts it, with settings if any.
func startServer(settings ...string) (*server, error) {
	bin, err := findPrograms()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "eqpg") // short: the path of a socket is
	if err != nil {
		return nil, err
	}
	s := &server{bin: bin, folder: folder}
	s.dsn = fmt.Sprintf("host=%s user=postgres dbname=postgres", folder)
	if err := own(folder); err != nil {
		return nil, err
	}
	if err := s.run("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--data-checksums", "--no-sync"); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return s, s.first(settings)
}

// standby starts a server that follows this one.
func (s *server) standby() (*server, error) {
	folder, err := os.MkdirTemp("", "eqpg")
	if err != nil {
		return nil, err
	}
	second := &server{bin: s.bin, folder: folder, dsn: fmt.Sprintf("host=%s user=postgres dbname=postgres", folder)}
	if err := own(folder); err != nil {
		return nil, err
	}
	if err := second.run("pg_basebackup", "-d", s.dsn, "-D", second.data(), "-c", "fast", "-R", "--no-sync"); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return second, second.first([]string{"primary_conninfo = '" + s.dsn + "'"})
}

// first writes the settings and starts the server.
func (s *server) first(settings []string) error {
	conf := strings.Join(append([]string{
		"listen_addresses = ''",
		fmt.Sprintf("unix_socket_directories = '%s'", s.folder),
		"max_connections = 200",
		"shared_buffers = 32MB",
	}, settings...), "\n")
	if err := os.WriteFile(filepath.Join(s.data(), "postgresql.auto.conf"), []byte(conf+"\n"), 0o644); err != nil {
		return err
	}
	running.Lock()
	running.servers = append(running.servers, s)
	running.Unlock()
	return s.start()
}

func (s *server) data() string { return filepath.Join(s.folder, "data") }

func (s *server) start() error {
	return s.run("pg_ctl", "start", "-w", "-s", "-D", s.data(), "-l", filepath.Join(s.folder, "log"))
}

// stop ends the server; mode "immediate" is a crash.
func (s *server) stop(mode string) error {
	return s.run("pg_ctl", "stop", "-w", "-s", "-D", s.data(), "-m", mode)
}

func (s *server) run(program string, args ...string) error {
	cmd := exec.Command(filepath.Join(s.bin, program), args...)
	cmd.Dir = s.folder
	if err := asOwner(cmd); err != nil {
		return err
	}
	log, err := os.CreateTemp("", "eqpg") // not a pipe: the server inherits it and outlives the program
	if err != nil {
		return err
	}
	defer os.Remove(log.Name())
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%s: %w\n%s", program, err, said)
	}
	return nil
}

func stopAll() (err error) {
	running.Lock()
	defer running.Unlock()
	for _, s := range running.servers {
		if _, e := os.Stat(filepath.Join(s.data(), "postmaster.pid")); e == nil {
			err = errors.Join(err, s.stop("immediate"))
		}
		err = errors.Join(err, os.RemoveAll(s.folder))
	}
	return err
}

// findPrograms returns the folder of initdb and pg_ctl, of the newest version.
func findPrograms() (string, error) {
	var folders []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		folders = append(folders, found...)
	}
	slices.Reverse(folders)
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			folders = append(folders, filepath.Dir(path))
		}
	}
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(folder, "initdb")); err != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(folder, "pg_ctl")); err == nil {
			return folder, nil
		}
	}
	return "", errNoServer
}
