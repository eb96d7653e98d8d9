package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// What a ledger file says of itself, and never changes.
const applicationID = 0x45716470 // "Eqdp", in the header of the file

// versions has what each version of the schema adds, in order: the text of every
// object, as sqlite_schema has it. What was released is never edited; a change is
// a new version at the end.
var versions = [][]string{
	{ // 1. Counts are kept beside the rows, on other pages, so that rows that are lost with a page are missed.
		`CREATE TABLE ledger (id TEXT NOT NULL, changes INTEGER NOT NULL) STRICT`,
		`CREATE TABLE accounts (account TEXT NOT NULL PRIMARY KEY, records INTEGER NOT NULL, releases INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
		`CREATE TABLE records (account TEXT NOT NULL, seq INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (account, seq)) STRICT, WITHOUT ROWID`,
		`CREATE TABLE releases (account TEXT NOT NULL, seq INTEGER NOT NULL, data BLOB NOT NULL, sum BLOB NOT NULL, PRIMARY KEY (account, seq)) STRICT, WITHOUT ROWID`,
		forever("ledger", "DELETE"),
		forever("accounts", "DELETE"),
		forever("records", "DELETE"),
		forever("records", "UPDATE"),
		forever("releases", "DELETE"),
		forever("releases", "UPDATE"),
	},
	{ // 2. REPLACE deletes without its trigger, and counts could be lowered.
		once("records"),
		once("releases"),
		growing("ledger", "NEW.id <> OLD.id OR NEW.changes < OLD.changes"),
		growing("accounts", "NEW.account <> OLD.account OR NEW.records < OLD.records OR NEW.releases < OLD.releases"),
	},
	{ // 3. Releases are written first, then their records, then the counts. Programs of the versions before
		// count first and may keep a release later, so one that still has the ledger open writes nothing more.
		inOrder("records", "EXISTS (SELECT 1 FROM accounts WHERE account = NEW.account AND records > NEW.seq)"),
		inOrder("releases", "EXISTS (SELECT 1 FROM records WHERE account = NEW.account AND seq = NEW.seq)"),
	},
}

// Nothing is ever changed or deleted; the triggers are for people with a SQL
// prompt.

const refusal = `BEGIN SELECT RAISE(ABORT, 'a ledger only grows'); END`

func forever(table, verb string) string {
	return fmt.Sprintf(`CREATE TRIGGER no_%s_of_%s BEFORE %s ON %s %s`, strings.ToLower(verb), table, verb, table, refusal)
}

func once(table string) string {
	return fmt.Sprintf(`CREATE TRIGGER no_replacement_in_%s BEFORE INSERT ON %s WHEN EXISTS (SELECT 1 FROM %s WHERE account = NEW.account AND seq = NEW.seq) %s`,
		table, table, table, refusal)
}

func growing(table, shrinks string) string {
	return fmt.Sprintf(`CREATE TRIGGER no_shrinking_of_%s BEFORE UPDATE ON %s WHEN %s %s`, table, table, shrinks, refusal)
}

func inOrder(table, late string) string {
	return fmt.Sprintf(`CREATE TRIGGER order_of_%s BEFORE INSERT ON %s WHEN %s BEGIN SELECT RAISE(ABORT, '%s'); END`, table, table, late, older)
}

const older = `this program is older than the ledger, which a newer version of the library has opened; end it and use the newer one`

// schema returns every object of a version.
func schema(version int) []string { return slices.Concat(versions[:version]...) }

// newLedger returns what makes a ledger of the newest version. The application_id
// comes last.
func newLedger() []string {
	return append(schema(len(versions)), userVersion(len(versions)), fmt.Sprintf("PRAGMA application_id=%d", applicationID))
}

func userVersion(v int) string { return fmt.Sprintf("PRAGMA user_version=%d", v) }

// migrate brings a sound ledger to the newest version, completely or not at all.
// Another process may be at it, or may have been.
func migrate(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil) // takes the lock of the writer
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil || version >= len(versions) {
		return err
	}
	for _, q := range append(slices.Concat(versions[version:]...), userVersion(len(versions))) {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return tx.Commit()
}
