package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// versions has what each version of the schema adds, in order. What was released
// is never edited; a change is a new version at the end.
var versions = [][]string{
	{ // 1. Counts are kept beside the rows, so that rows that are lost are missed.
		`CREATE TABLE equipoise.ledger (version integer NOT NULL)`,
		`CREATE TABLE equipoise.accounts (account text PRIMARY KEY, records bigint NOT NULL)`,
		`CREATE TABLE equipoise.records (account text, seq bigint CHECK (seq >= 0), data bytea NOT NULL, PRIMARY KEY (account, seq))`,
		`CREATE TABLE equipoise.releases (account text, seq bigint CHECK (seq >= 0), data bytea NOT NULL, PRIMARY KEY (account, seq))`,
		`CREATE FUNCTION equipoise.forever() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a ledger only grows'; END $$`,
		forever("ledger", "UPDATE OR DELETE OR TRUNCATE"),
		forever("accounts", "DELETE OR TRUNCATE"),
		forever("records", "UPDATE OR DELETE OR TRUNCATE"),
		forever("releases", "UPDATE OR DELETE OR TRUNCATE"),
	},
	{ // 2. A service may update accounts, and could lower what is counted there.
		`CREATE TRIGGER growing BEFORE UPDATE ON equipoise.accounts FOR EACH ROW
			WHEN (NEW.account IS DISTINCT FROM OLD.account OR NEW.records IS NULL OR NEW.records < OLD.records) EXECUTE FUNCTION equipoise.forever()`,
	},
	{ // 3. Each row says which version wrote it. Programs of the versions before do not, so one that still has
		// the ledger open writes nothing more. A later version asks for more in its turn.
		`ALTER TABLE equipoise.records ADD COLUMN version smallint`,
		`ALTER TABLE equipoise.releases ADD COLUMN version smallint`,
		`CREATE FUNCTION equipoise.older() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			RAISE EXCEPTION 'this program is older than the ledger, which a newer version of the library has opened; end it and use the newer one'; END $$`,
		notBefore("records", 3),
		notBefore("releases", 3),
	},
}

// Nothing is ever changed or deleted; the triggers are for people with a SQL
// prompt.
func forever(table, verbs string) string {
	return fmt.Sprintf(`CREATE TRIGGER forever BEFORE %s ON equipoise.%s EXECUTE FUNCTION equipoise.forever()`, verbs, table)
}

func notBefore(table string, version int) string {
	return fmt.Sprintf(`CREATE TRIGGER older BEFORE INSERT ON equipoise.%s FOR EACH ROW WHEN (NEW.version IS NULL OR NEW.version < %d) EXECUTE FUNCTION equipoise.older()`, table, version)
}

// newLedger returns what makes a ledger of the newest version.
func newLedger() []string {
	all := append([]string{`SET LOCAL synchronous_commit = on`, `CREATE SCHEMA equipoise`}, slices.Concat(versions...)...)
	return append(all, fmt.Sprintf(`INSERT INTO equipoise.ledger VALUES (%d)`, len(versions)))
}

// mayMigrate says whether the user owns the tables of a server that can be
// written.
func mayMigrate(ctx context.Context, pool *pgxpool.Pool) (may bool, err error) {
	err = queryRow(ctx, pool, `SELECT current_setting('transaction_read_only') = 'off' AND bool_and(pg_has_role(relowner, 'USAGE'))
		FROM pg_class WHERE relnamespace = to_regnamespace('equipoise') AND relkind = 'r'`).Scan(&may)
	return may, err
}

// migrate brings a ledger to the newest version, completely or not at all.
// Another process may be at it, or may have been.
func migrate(ctx context.Context, pool *pgxpool.Pool) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `LOCK TABLE equipoise.ledger IN ACCESS EXCLUSIVE MODE`); err != nil {
			return err
		}
		var version int
		if err := tx.QueryRow(ctx, `SELECT version FROM equipoise.ledger`, pgx.QueryExecModeExec).Scan(&version); err != nil || version >= len(versions) {
			return err
		}
		return run(ctx, tx, append(append([]string{`SET LOCAL synchronous_commit = on`}, slices.Concat(versions[version:]...)...),
			`ALTER TABLE equipoise.ledger DISABLE TRIGGER forever`,
			fmt.Sprintf(`UPDATE equipoise.ledger SET version = %d`, len(versions)),
			`ALTER TABLE equipoise.ledger ENABLE TRIGGER forever`))
	})
}

func run(ctx context.Context, tx pgx.Tx, statements []string) error {
	for _, q := range statements {
		if _, err := tx.Exec(ctx, q); err != nil { // without arguments it is not prepared
			return err
		}
	}
	return nil
}
