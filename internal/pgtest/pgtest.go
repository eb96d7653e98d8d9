// Package pgtest has a PostgreSQL for tests: the server that EQUIPOISE_POSTGRES names, of which
// nothing but new databases is touched, or a throw-away one of the programs that are installed.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

// How tests find a server, and what they say if there is none.
const (
	EnvDSN     = "EQUIPOISE_POSTGRES"         // a superuser's DSN; nothing but new databases is touched
	EnvRequire = "EQUIPOISE_REQUIRE_POSTGRES" // no server is a failure

	HowToRun = "NOT TESTED: there is no PostgreSQL. Install it (apt-get install postgresql), which is all that is needed, " +
		"or set " + EnvDSN + " to the DSN of a server on which databases may be created"
)

// Needed skips a test for want of a server, or fails it where one is required.
func Needed(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, ErrNone) && os.Getenv(EnvRequire) == "":
		t.Skip(HowToRun)
	default:
		t.Fatal(err)
	}
}

// Shared is the server of all tests that do not stop it.
var Shared = sync.OnceValues(func() (string, error) {
	if dsn := os.Getenv(EnvDSN); dsn != "" {
		return dsn, nil
	}
	s, err := New()
	if err != nil {
		return "", err
	}
	return s.DSN, nil
})

var databases atomic.Int64

// NewDatabase returns the DSN of a new, empty database on a server.
func NewDatabase(t testing.TB, dsn string) string {
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
	return WithDatabase(dsn, name)
}

// WithDatabase returns the DSN of another database of a server.
func WithDatabase(dsn, name string) string {
	if u, err := url.Parse(dsn); err == nil && strings.HasPrefix(u.Scheme, "postgres") {
		u.Path = "/" + name
		return u.String()
	}
	return dsn + " dbname=" + name // of a setting given twice, the last counts
}

// Database returns the DSN of a new database, as a postgres:// URL of which nothing is left when the test
// ends: nor of its server, if it is a throw-away one.
func Database(t testing.TB) string {
	t.Helper()
	dsn := os.Getenv(EnvDSN)
	if u, err := url.Parse(dsn); err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		s, err := New()
		Needed(t, err)
		t.Cleanup(func() {
			if err := s.end(); err != nil {
				t.Error(err)
			}
		})
		dsn = s.DSN
	}
	return NewDatabase(t, dsn)
}
