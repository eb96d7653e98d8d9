package postgres

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// initialize makes the tables, all or none. Of callers that race one does.
func initialize(ctx context.Context, pool *pgxpool.Pool) error {
	var schema, ledger bool
	err := queryRow(ctx, pool, "SELECT to_regnamespace('equipoise') IS NOT NULL, to_regclass('equipoise.ledger') IS NOT NULL").Scan(&schema, &ledger)
	switch {
	case err != nil:
		return err
	case schema && !ledger:
		return rule(fs.ErrExist, "schema equipoise exists in database %q and has no ledger; drop it, or choose another database", database(pool))
	case schema:
		return exists(pool)
	}
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return run(ctx, tx, newLedger()) })
	if e := (*pgconn.PgError)(nil); errors.As(err, &e) && (e.Code == "42P06" || e.Code == "23505") { // duplicate_schema, unique_violation
		return exists(pool)
	}
	return err
}

func exists(pool *pgxpool.Pool) error {
	return rule(fs.ErrExist, "schema equipoise exists in database %q; Open uses a ledger that is there", database(pool))
}

// checkSchema returns the version of the ledger, or an error unless the database
// has one that this package knows.
func checkSchema(ctx context.Context, pool *pgxpool.Pool) (version int, err error) {
	names := []string{"ledger", "accounts", "records", "releases"}
	var missing []string
	err = queryRow(ctx, pool,
		"SELECT coalesce(array_agg(n), '{}') FROM unnest($1::text[]) AS n WHERE to_regclass('equipoise.' || n) IS NULL", names).Scan(&missing)
	if err != nil {
		return 0, err
	}
	if len(missing) == len(names) {
		return 0, rule(fs.ErrNotExist, "no ledger in database %q; Create makes a new one, with nothing spent", database(pool))
	}
	if len(missing) > 0 {
		return 0, rule(nil, "schema equipoise in database %q is not a ledger: it has no table %s", database(pool), strings.Join(missing, ", "))
	}
	rows, err := query(ctx, pool, "SELECT version FROM equipoise.ledger")
	if err != nil {
		return 0, err
	}
	have, err := pgx.CollectRows(rows, pgx.RowTo[int])
	switch {
	case err != nil:
		return 0, err
	case len(have) != 1 || have[0] < 1:
		return 0, rule(nil, "schema equipoise in database %q is not a ledger: its versions are %d, must be one from 1 to %d", database(pool), have, len(versions))
	case have[0] > len(versions):
		return 0, rule(nil, "the ledger in database %q was written by a newer version of this library: it is of version %d, this one knows %d; use the newer one",
			database(pool), have[0], len(versions))
	}
	return have[0], nil
}

// checkServer refuses a server that acknowledges what it may lose.
func checkServer(ctx context.Context, pool *pgxpool.Pool) error {
	for _, setting := range []string{"fsync", "full_page_writes"} {
		var value string
		if err := queryRow(ctx, pool, "SELECT current_setting($1)", setting).Scan(&value); err != nil {
			return err
		}
		if value != "on" {
			return rule(nil, "the server has %s=%s, must be on; a crash could lose what was spent", setting, value)
		}
	}
	return nil
}

func database(pool *pgxpool.Pool) string { return pool.Config().ConnConfig.Database }
