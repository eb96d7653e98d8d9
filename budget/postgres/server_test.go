package postgres_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/equipoise-dp/equipoise/budget/postgres"
	"github.com/equipoise-dp/equipoise/internal/pgtest"
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
	if err := pgtest.StopAll(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
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
	dsn, err := pgtest.Shared()
	pgtest.Needed(t, err)
	s, err := postgres.Create(context.Background(), newPool(t, pgtest.NewDatabase(t, dsn)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
