package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/budget/internal/golden"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
)

// goldenFile copies the ledger of an earlier version, which testdata/README.md says
// how it was made, and returns where the copy is.
func goldenFile(t *testing.T, version int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := readGolden(t, version).write(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func readGolden(t *testing.T, version int) files {
	t.Helper()
	f := files{}
	for _, ending := range []string{"", "-mark"} {
		b, err := os.ReadFile(filepath.Join("testdata", fmt.Sprintf("v%d.db%s", version, ending)))
		if err != nil {
			t.Fatal(err)
		}
		f[ending] = b
	}
	return f
}

// TestEveryVersionIsBroughtUpToDate: a ledger of each earlier version is read,
// verified, used, and has then the schema of a new one.
func TestEveryVersionIsBroughtUpToDate(t *testing.T) {
	newest := filepath.Join(t.TempDir(), "new.db")
	closed(t, newest)
	want := query(t, newest, "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY sql)")
	for version := 1; version < sqlite.Versions; version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			path := goldenFile(t, version)
			if got := query(t, path, "PRAGMA user_version"); got != fmt.Sprint(version) {
				t.Fatalf("the golden file is of version %s, must be %d", got, version)
			}
			s, err := sqlite.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			golden.Check(t, s)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if got := query(t, path, "PRAGMA user_version"); got != fmt.Sprint(sqlite.Versions) {
				t.Errorf("user_version is %s after Open, want %d", got, sqlite.Versions)
			}
			if got := query(t, path, "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY sql)"); got != want {
				t.Errorf("the schema is not that of a new ledger:\n%s", got)
			}
			if s, err = sqlite.Open(t.Context(), path); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestMigrationIsWholeOrNothing: one that fails half-way leaves the ledger as it
// was, to be used again.
func TestMigrationIsWholeOrNothing(t *testing.T) {
	path := goldenFile(t, 1)
	undo := sqlite.BreakMigration()
	_, err := sqlite.Open(t.Context(), path)
	undo()
	if err == nil || !strings.Contains(err.Error(), "no such table: nowhere") {
		t.Fatalf("Open with a migration that fails: %v", err)
	}
	if got := query(t, path, "SELECT user_version || ' ' || (SELECT count(*) FROM sqlite_schema) FROM pragma_user_version"); got != "1 10" {
		t.Errorf("version and objects are %s after a migration that failed, want 1 10", got)
	}
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, s)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Programs that open an old ledger at the same time all can.
func TestManyMayOpenAnOldLedgerAtOnce(t *testing.T) {
	path := goldenFile(t, 1)
	errs := make(chan error)
	const racers = 6
	for range racers {
		go func() {
			s, err := sqlite.Open(t.Context(), path)
			if err == nil {
				err = s.Close()
			}
			errs <- err
		}()
	}
	for range racers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// TestOldLedgersAreChecked: one that was changed is refused and stays as it is.
func TestOldLedgersAreChecked(t *testing.T) {
	path := goldenFile(t, 1)
	exec(t, path, "DROP TRIGGER no_delete_of_records", "DELETE FROM records WHERE account = 'visits' AND seq = 6", remakeTrigger)
	if _, err := sqlite.Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "not complete") {
		t.Errorf("Open of an old ledger that lacks a record: %v", err)
	}
	if got := query(t, path, "PRAGMA user_version"); got != "1" {
		t.Errorf("a damaged ledger was brought to version %s", got)
	}
}

func query(t *testing.T, path, q string) (answer string) {
	t.Helper()
	db := raw(t, path)
	if err := db.QueryRow(q).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return answer
}
