package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/postgres"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
)

// A store is an open ledger of any kind.
type store struct {
	stored
	close func() error
}

// stored is what both kinds have.
type stored interface {
	budget.Store
	Writable(context.Context) error // nil, or why nothing can be spent
}

// errMissing is wrapped by errors that say that there is no ledger. None is
// created but by init and import.
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
	s, err := opened(ctx, ledger, sqlite.Open, postgres.Open)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no ledger %s; %w", place(ledger), errMissing)
	}
	return s, damage(err)
}

// openOrCreate is for init and import.
func openOrCreate(ctx context.Context, ledger string) (*store, error) {
	return opened(ctx, ledger, sqlite.OpenOrCreate, postgres.OpenOrCreate)
}

// place says where a ledger is, and not with which password.
func place(ledger string) string {
	if isDSN(ledger) {
		return "in the database"
	}
	return "at " + ledger
}

func opened(
	ctx context.Context, ledger string,
	file func(context.Context, string) (*sqlite.Store, error),
	tables func(context.Context, *pgxpool.Pool) (*postgres.Store, error),
) (*store, error) {
	if !isDSN(ledger) {
		s, err := file(ctx, ledger)
		if err != nil {
			return nil, err
		}
		return &store{s, s.Close}, nil
	}
	pool, err := pgxpool.New(ctx, ledger)
	if err != nil {
		return nil, usagef("--ledger: %w", err)
	}
	s, err := tables(ctx, pool)
	if err != nil {
		pool.Close()
		return nil, err
	}
	return &store{s, func() error { pool.Close(); return nil }}, nil
}
