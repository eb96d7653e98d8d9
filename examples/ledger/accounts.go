package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/equipoise-dp/equipoise/budget"
)

// A store of package budget is asked for an account by name and does not list
// them, so the names are read from its table, which is open beside it.

func sqliteNames(ctx context.Context, path string) (names []string, err error) {
	file := url.URL{Path: strings.ReplaceAll(path, `\`, "/")}
	db, err := sql.Open("sqlite", "file:"+file.EscapedPath()+"?mode=ro")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, "SELECT account FROM accounts ORDER BY account")
	if err != nil {
		return nil, fmt.Errorf("accounts of %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

func postgresNames(ctx context.Context, pool *pgxpool.Pool) ([]string, error) {
	rows, err := pool.Query(ctx, "SELECT account FROM equipoise.accounts ORDER BY account COLLATE \"C\"")
	if err != nil {
		return nil, fmt.Errorf("accounts: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// withStore opens the ledger for the time of do.
func (e *env) withStore(ctx context.Context, do func(*store) error) (err error) {
	s, err := open(ctx, e.ledger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return do(s)
}

// withAccount opens the account that -account names, or the only one there is.
func (e *env) withAccount(ctx context.Context, do func(*budget.Account) error) error {
	return e.withStore(ctx, func(s *store) error {
		names, err := e.accounts(ctx, s)
		if err != nil {
			return err
		}
		if len(names) > 1 {
			return usagef("-account is missing; the ledger has %s", quoted(names))
		}
		a, err := budget.Open(ctx, s, names[0])
		if err != nil {
			return err
		}
		return do(a)
	})
}

// accounts returns the name of -account, or else all there are, at least one.
func (e *env) accounts(ctx context.Context, s *store) ([]string, error) {
	if e.account != "" {
		return []string{e.account}, nil
	}
	names, err := s.names(ctx)
	if err == nil && len(names) == 0 {
		err = fmt.Errorf("the ledger has no account; %w", errMissing)
	}
	return names, err
}

func quoted(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, ", ")
}
