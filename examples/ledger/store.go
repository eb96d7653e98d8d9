package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/postgres"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
)

// A store is an open ledger of any kind.
type store struct {
	budget.Store
	names func(context.Context) ([]string, error) // of its accounts, sorted
	close func() error
}

// errMissing is wrapped by errors that say that there is no ledger. None is
// created but by init.
var errMissing = errors.New("init makes a new one, with nothing spent")

// missing says whether err is that a ledger or an account is not there.
func missing(err error) bool {
	return errors.Is(err, errMissing) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, budget.ErrNotFound)
}

func isDSN(s string) bool {
	return strings.HasPrefix(s, "postgres://") || strings.HasPrefix(s, "postgresql://")
}

// open opens a ledger that is there.
func open(ctx context.Context, ledger string) (*store, error) {
	if isDSN(ledger) {
		return openPostgres(ctx, ledger, false)
	}
	if _, err := os.Stat(ledger); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no ledger at %s; %w", ledger, errMissing)
	}
	s, err := sqlite.Open(ctx, ledger)
	if err != nil {
		return nil, damage(err)
	}
	return fromSQLite(s, ledger), nil
}

// openOrCreate is for init alone.
func openOrCreate(ctx context.Context, ledger string) (*store, error) {
	if isDSN(ledger) {
		return openPostgres(ctx, ledger, true)
	}
	if _, err := os.Stat(ledger); !errors.Is(err, fs.ErrNotExist) {
		return open(ctx, ledger)
	}
	s, err := sqlite.Create(ctx, ledger)
	if err != nil {
		return nil, err
	}
	return fromSQLite(s, ledger), nil
}

func fromSQLite(s *sqlite.Store, path string) *store {
	names := func(ctx context.Context) ([]string, error) { return sqliteNames(ctx, path) }
	return &store{s, names, s.Close}
}

func openPostgres(ctx context.Context, dsn string, create bool) (*store, error) {
	pool, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return nil, usagef("-ledger: %w", err)
	}
	s, err := inDatabase(ctx, pool, create)
	if err != nil {
		pool.Close()
		return nil, err
	}
	names := func(ctx context.Context) ([]string, error) { return postgresNames(ctx, pool) }
	return &store{s, names, func() error { pool.Close(); return nil }}, nil
}

func inDatabase(ctx context.Context, pool *pgxpool.Pool, create bool) (*postgres.Store, error) {
	var there bool
	if err := pool.QueryRow(ctx, "SELECT to_regnamespace('equipoise') IS NOT NULL").Scan(&there); err != nil {
		return nil, err
	}
	switch {
	case there:
		s, err := postgres.Open(ctx, pool)
		return s, damage(err)
	case create:
		return postgres.Create(ctx, pool)
	}
	return nil, fmt.Errorf("there is no ledger in the database; %w", errMissing)
}
