package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// version is that of the tables. Package budgettest and users read them only
// through a Store.
const version = 1

// schema makes the tables. Counts are kept beside the rows, so that rows that
// are lost are missed. Nothing is ever changed or deleted; the triggers are for
// people with a SQL prompt.
var schema = []string{
	`CREATE SCHEMA equipoise`,
	`CREATE TABLE equipoise.ledger (version integer NOT NULL)`,
	`CREATE TABLE equipoise.accounts (account text PRIMARY KEY, records bigint NOT NULL)`,
	`CREATE TABLE equipoise.records (account text, seq bigint CHECK (seq >= 0), data bytea NOT NULL, PRIMARY KEY (account, seq))`,
	`CREATE TABLE equipoise.releases (account text, seq bigint CHECK (seq >= 0), data bytea NOT NULL, PRIMARY KEY (account, seq))`,
	`CREATE FUNCTION equipoise.forever() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a ledger only grows'; END $$`,
	forever("ledger", "UPDATE OR DELETE OR TRUNCATE"),
	forever("accounts", "DELETE OR TRUNCATE"),
	forever("records", "UPDATE OR DELETE OR TRUNCATE"),
	forever("releases", "UPDATE OR DELETE OR TRUNCATE"),
	fmt.Sprintf(`INSERT INTO equipoise.ledger VALUES (%d)`, version),
}

func forever(table, verbs string) string {
	return fmt.Sprintf(`CREATE TRIGGER forever BEFORE %s ON equipoise.%s EXECUTE FUNCTION equipoise.forever()`, verbs, table)
}

// initialize makes the tables, all or none.
func initialize(ctx context.Context, pool *pgxpool.Pool) error {
	var there bool
	if err := pool.QueryRow(ctx, "SELECT to_regnamespace('equipoise') IS NOT NULL").Scan(&there); err != nil {
		return err
	}
	if there {
		return rule(nil, "schema equipoise exists in database %q; Open uses a ledger that is there", database(pool))
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		for _, q := range append([]string{"SET LOCAL synchronous_commit = on"}, schema...) {
			if _, err := tx.Exec(ctx, q); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkSchema returns an error unless the database has a ledger of this version.
func checkSchema(ctx context.Context, pool *pgxpool.Pool) error {
	names := []string{"ledger", "accounts", "records", "releases"}
	var missing []string
	err := pool.QueryRow(ctx,
		"SELECT coalesce(array_agg(n), '{}') FROM unnest($1::text[]) AS n WHERE to_regclass('equipoise.' || n) IS NULL", names).Scan(&missing)
	if err != nil {
		return err
	}
	if len(missing) == len(names) {
		return rule(nil, "no ledger in database %q; Create makes a new one, with nothing spent", database(pool))
	}
	if len(missing) > 0 {
		return rule(nil, "schema equipoise in database %q is not a ledger: it has no table %s", database(pool), strings.Join(missing, ", "))
	}
	rows, err := pool.Query(ctx, "SELECT version FROM equipoise.ledger")
	if err != nil {
		return err
	}
	versions, err := pgx.CollectRows(rows, pgx.RowTo[int])
	switch {
	case err != nil:
		return err
	case len(versions) != 1 || versions[0] < 1:
		return rule(nil, "schema equipoise in database %q is not a ledger: its versions are %d, must be [%d]", database(pool), versions, version)
	case versions[0] > version:
		return rule(nil, "the ledger in database %q was written by a newer version of this library: it is of version %d, this one knows %d; use the newer one",
			database(pool), versions[0], version)
	}
	return nil
}

// checkServer refuses a server that acknowledges what it may lose.
func checkServer(ctx context.Context, pool *pgxpool.Pool) error {
	for _, setting := range []string{"fsync", "full_page_writes"} {
		var value string
		if err := pool.QueryRow(ctx, "SELECT current_setting($1)", setting).Scan(&value); err != nil {
			return err
		}
		if value != "on" {
			return rule(nil, "the server has %s=%s, must be on; a crash could lose what was spent", setting, value)
		}
	}
	return nil
}

func database(pool *pgxpool.Pool) string { return pool.Config().ConnConfig.Database }
