package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/internal/golden"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
)

// What programs of earlier versions send to a ledger that they have open, as they
// sent it: appending record 1 of account "a", and keeping a release beside record 0.
var earlier = map[int]map[string][]string{
	1: {
		"Append": {
			"UPDATE accounts SET records = records + 1 WHERE account = 'a' AND records = 1",
			"INSERT INTO records (account, seq, data) VALUES ('a', 1, x'01')",
			"UPDATE ledger SET changes = changes + 1 RETURNING changes",
		},
		"Append of many": {
			"UPDATE accounts SET records = records + 16 WHERE account = 'a' AND records = 1",
			"INSERT INTO records (account, seq, data) VALUES ('a', 1, x'01')" + sixteen(),
			"UPDATE ledger SET changes = changes + 16 RETURNING changes",
		},
		"Append of an account": {
			"INSERT INTO accounts (account, records, releases) VALUES ('b', 1, 0) ON CONFLICT DO NOTHING",
			"INSERT INTO records (account, seq, data) VALUES ('b', 0, x'01')",
			"UPDATE ledger SET changes = changes + 1 RETURNING changes",
		},
		"Keep": {
			"INSERT INTO releases (account, seq, data, sum) VALUES ('a', 0, x'01', x'02') ON CONFLICT DO NOTHING",
			"INSERT INTO accounts (account, records, releases) VALUES ('a', 0, 1) ON CONFLICT DO UPDATE SET releases = releases + 1",
			"UPDATE ledger SET changes = changes + 1 RETURNING changes",
		},
	},
	2: {
		"Append with a release": {
			"UPDATE accounts SET records = records + 1 WHERE account = 'a' AND records = 1",
			"INSERT INTO records (account, seq, data) VALUES ('a', 1, x'01')",
			"INSERT INTO releases (account, seq, data, sum) VALUES ('a', 1, x'01', x'02')",
			"UPDATE accounts SET releases = releases + 1 WHERE account = 'a'",
			"UPDATE ledger SET changes = changes + 2 RETURNING changes",
		},
		"Append of an account": {
			"INSERT INTO accounts (account, records, releases) VALUES ('b', 1, 0) ON CONFLICT DO NOTHING",
			"INSERT INTO records (account, seq, data) VALUES ('b', 0, x'01')",
			"UPDATE ledger SET changes = changes + 1 RETURNING changes",
		},
	},
}

func sixteen() (more string) {
	for i := range 15 {
		more += fmt.Sprintf(", ('a', %d, x'01')", 2+i)
	}
	return more
}

// A program of an earlier version that has the ledger open when this one opens it
// writes nothing more, and is told why: what it would keep is in no record, so one
// payment could have two answers. This one goes on.
func TestAnEarlierProgramThatHasTheLedgerOpenIsFencedOff(t *testing.T) {
	for version, programs := range earlier {
		path := goldenFile(t, version)
		db := raw(t, path)
		exec(t, path, "INSERT INTO accounts VALUES ('a', 1, 0)", "INSERT INTO records VALUES ('a', 0, x'00')", "UPDATE ledger SET changes = changes + 1")
		for name, statements := range programs {
			if err := rolledBack(t, db, statements); err != nil {
				t.Fatalf("version %d, %s, before: %v; the test tests nothing", version, name, err)
			}
		}
		s, err := sqlite.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		for name, statements := range programs {
			if err := rolledBack(t, db, statements); err == nil || !strings.Contains(err.Error(), "this program is older than the ledger") {
				t.Errorf("version %d, %s: %v, want an error that says why", version, name, err)
			}
		}
		golden.Check(t, s)
		if err := s.Append(t.Context(), "a", budget.Record{Seq: 1, Data: []byte("x"), Release: []byte("y")}); err != nil {
			t.Errorf("version %d: Append of this version: %v", version, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// rolledBack runs statements in one transaction, as a program does, on a connection
// that it has had before, and undoes them.
func rolledBack(t *testing.T, db *sql.DB, statements []string) error {
	t.Helper()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // of what failed
	for _, q := range statements {
		if _, err := tx.Exec(q); err != nil {
			return err
		}
	}
	return nil
}

// This version is fenced off in its turn: it looks at the version of the ledger
// whenever it writes.
func TestANewerVersionFencesThisOneOff(t *testing.T) {
	path := goldenFile(t, 2)
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	exec(t, path, fmt.Sprintf("PRAGMA user_version=%d", sqlite.Versions+1))
	err = s.Append(t.Context(), "a", budget.Record{Seq: 0})
	if !errors.Is(err, budget.ErrNotAppended) || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("Append: %v, want an error that says so and that nothing was appended", err)
	}
	if err := s.Writable(t.Context()); !errors.Is(err, budget.ErrNotAppended) || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("Writable: %v, want an error that says so", err)
	}
}
