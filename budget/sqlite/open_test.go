package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
)

func TestOpenNeverCreates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if _, err := sqlite.Open(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of nothing: %v, want fs.ErrNotExist", err)
	}
	if found, _ := filepath.Glob(path + "*"); len(found) != 0 {
		t.Errorf("Open of nothing made %q", found)
	}
}

func TestCreateNeverReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, err := sqlite.Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 0, 3)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Create(t.Context(), path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create over a ledger: %v, want fs.ErrExist", err)
	}
	if err := os.Remove(path); err != nil { // deleted by mistake: the mark is left
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of a deleted ledger: %v, want fs.ErrNotExist", err)
	}
	if _, err := sqlite.Create(t.Context(), path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create in place of a deleted ledger: %v, want fs.ErrExist", err)
	}
}

func TestCreateWithoutFolder(t *testing.T) {
	if _, err := sqlite.Create(t.Context(), filepath.Join(t.TempDir(), "no", "ledger.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Create in a folder that does not exist: %v, want fs.ErrNotExist", err)
	}
}

// What means something in a DSN or to SQLite means nothing here.
func TestPathsMeanWhatTheySay(t *testing.T) {
	for _, name := range []string{":memory:", "a?mode=memory", "a#b", "a%20b", "a b", "ä", "a&b=c", "file:x"} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			t.Chdir(folder)
			s, err := sqlite.Create(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			fill(t, s, 0, 1)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if s, err = sqlite.Open(t.Context(), filepath.Join(folder, name)); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("second Close: %v", err)
			}
		})
	}
}

func TestWhatIsNoLedgerIsNotOpened(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(t *testing.T, path string)
		want string
	}{
		{"empty file", func(t *testing.T, path string) { write(t, path, nil) }, "is not a ledger: it is empty"},
		{"text", func(t *testing.T, path string) { write(t, path, []byte(strings.Repeat("no ledger\n", 500))) }, "is not a ledger"},
		{"folder", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "is not a regular file"},
		{"another database", func(t *testing.T, path string) {
			exec(t, path, "CREATE TABLE t (x)")
		}, "application_id is 0x0"},
		{"newer version", func(t *testing.T, path string) {
			closed(t, path)
			exec(t, path, "PRAGMA user_version=99")
		}, "newer version"},
		{"no version", func(t *testing.T, path string) {
			closed(t, path)
			exec(t, path, "PRAGMA user_version=0")
		}, "user_version is 0, must be from 1 to 3"},
		{"no trigger", func(t *testing.T, path string) {
			closed(t, path)
			exec(t, path, "DROP TRIGGER no_delete_of_records")
		}, "schema"},
		{"more columns", func(t *testing.T, path string) {
			closed(t, path)
			exec(t, path, "ALTER TABLE records ADD COLUMN note TEXT")
		}, "schema"},
		{"last record deleted", func(t *testing.T, path string) {
			closed(t, path)
			exec(t, path, "DROP TRIGGER no_delete_of_records", "DELETE FROM records WHERE seq = 4", remakeTrigger)
		}, `records or releases of ["a"] are not complete`},
		{"middle record deleted", func(t *testing.T, path string) {
			closed(t, path)
			exec(t, path, "DROP TRIGGER no_delete_of_records", "DELETE FROM records WHERE seq = 2", remakeTrigger)
		}, `records or releases of ["a"] are not complete`},
		{"release changed", func(t *testing.T, path string) {
			closed(t, path)
			trigger := query(t, path, "SELECT sql FROM sqlite_schema WHERE name = 'no_update_of_releases'")
			exec(t, path, "DROP TRIGGER no_update_of_releases", "UPDATE releases SET data = CAST('another' AS BLOB)", trigger)
		}, `release 1 of "a" is not what was kept`},
		{"count lowered", func(t *testing.T, path string) {
			closed(t, path)
			exec(t, path, "DROP TRIGGER no_delete_of_records", "DELETE FROM records WHERE seq = 4", remakeTrigger)
			shrink(t, path, "accounts", "UPDATE accounts SET records = 4")
		}, "(the ledger)"},
		{"all counts lowered", func(t *testing.T, path string) {
			closed(t, path)
			exec(t, path, "DROP TRIGGER no_delete_of_records", "DELETE FROM records WHERE seq = 4", remakeTrigger)
			shrink(t, path, "accounts", "UPDATE accounts SET records = 4")
			shrink(t, path, "ledger", "UPDATE ledger SET changes = changes - 1")
		}, "older copy"},
		{"mark of another ledger", func(t *testing.T, path string) {
			closed(t, path)
			closed(t, path+"2")
			if err := os.Rename(path+"2-mark", path+"-mark"); err != nil {
				t.Fatal(err)
			}
		}, "mark of another ledger"},
		{"damaged mark", func(t *testing.T, path string) {
			closed(t, path)
			write(t, path+"-mark", []byte("equipoise"))
		}, "mark is damaged"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			test.make(t, path)
			_, err := sqlite.Open(t.Context(), path)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "sqlite: ") || !strings.Contains(err.Error(), path) {
				t.Errorf("Open: %v, want an error of sqlite with %q and the path", err, test.want)
			}
		})
	}
}

const remakeTrigger = `CREATE TRIGGER no_delete_of_records BEFORE DELETE ON records BEGIN SELECT RAISE(ABORT, 'a ledger only grows'); END`

// shrink does what a trigger forbids, and puts the trigger back.
func shrink(t *testing.T, path, table, update string) {
	t.Helper()
	trigger := query(t, path, "SELECT sql FROM sqlite_schema WHERE name = 'no_shrinking_of_"+table+"'")
	exec(t, path, "DROP TRIGGER no_shrinking_of_"+table, update, trigger)
}

// The file itself refuses whoever has a SQL prompt.
func TestALedgerOnlyGrows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	closed(t, path)
	db := raw(t, path)
	for _, q := range []string{
		"DELETE FROM ledger", "DELETE FROM accounts", "DELETE FROM records", "DELETE FROM releases",
		"UPDATE records SET data = x'00'", "UPDATE releases SET data = x'00'",
		"INSERT OR REPLACE INTO records VALUES ('a', 1, x'00')", "INSERT OR REPLACE INTO releases VALUES ('a', 1, x'00', x'00')",
		"UPDATE accounts SET records = records - 1", "UPDATE accounts SET releases = 0", "UPDATE accounts SET account = 'b'",
		"UPDATE ledger SET changes = changes - 1", "UPDATE ledger SET id = 'other'",
	} {
		if _, err := db.Exec(q); err == nil || !strings.Contains(err.Error(), "a ledger only grows") && !strings.Contains(err.Error(), "older than the ledger") {
			t.Errorf("%s: %v, want a refusal", q, err)
		}
	}
}

// Who cannot get at the ledger is told so after a bounded wait.
func TestALockedLedgerIsGivenUpAfterAWhile(t *testing.T) {
	sqlite.Impatient(t, 20*time.Millisecond)
	path := filepath.Join(t.TempDir(), "ledger.db")
	closed(t, path)
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()

	db := raw(t, path)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("UPDATE accounts SET records = records"); err != nil {
		t.Fatal(err)
	}
	err = s.Append(t.Context(), "a", budget.Record{Seq: 5})
	if !errors.Is(err, budget.ErrNotAppended) || !strings.Contains(err.Error(), "locked by another program") {
		t.Errorf("Append while another program writes: %v, want an error that says so", err)
	}
	if err := s.Writable(t.Context()); !errors.Is(err, budget.ErrNotAppended) || !strings.Contains(err.Error(), "locked by another program") {
		t.Errorf("Writable while another program writes: %v, want an error that says so", err)
	}
	if n := count(t, s); n != 5 { // reading needs no lock
		t.Errorf("%d records, want 5", n)
	}
	again, err := sqlite.Open(t.Context(), path) // nor does opening, nor looking at all
	if err != nil {
		t.Fatalf("Open while another program writes: %v", err)
	}
	if err := errors.Join(again.Check(t.Context()), again.Close()); err != nil {
		t.Errorf("Check while another program writes: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	fill(t, s, 5, 1)
}

func TestALockedLedgerIsNotOpenedAndSaysSo(t *testing.T) {
	sqlite.Impatient(t, 20*time.Millisecond)
	path := filepath.Join(t.TempDir(), "ledger.db")
	closed(t, path)
	db := raw(t, path)
	for _, q := range []string{"PRAGMA locking_mode=EXCLUSIVE", "UPDATE accounts SET records = records"} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := sqlite.Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "locked by another program") {
		t.Errorf("Open of a locked ledger: %v, want an error that says so", err)
	}
}

// A write for which there is no room changes nothing, is an error
// that says so, and the ledger goes on when there is room.
func TestAFullDiskChangesNothing(t *testing.T) {
	s := create(t)
	fill(t, s, 0, 5)
	sqlite.Limit(t, s, 3)
	big := make([]byte, 3000)
	var err error
	n := 5
	for ; err == nil && n < 100; n++ {
		err = s.Append(t.Context(), "a", budget.Record{Seq: uint64(n), Data: big}, budget.Record{Seq: uint64(n) + 1, Data: big})
		n++
	}
	if err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Fatalf("Append to a full disk: %v, want an error that says so", err)
	}
	acknowledged := n - 2
	if got := count(t, s); got != acknowledged {
		t.Errorf("%d records after a refused write, want %d", got, acknowledged)
	}
	large := budget.Record{Seq: uint64(acknowledged), Data: []byte("x"), Release: make([]byte, 100_000)}
	if err := s.Append(t.Context(), "a", large); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("Append of a release to a full disk: %v, want an error that says so", err)
	}
	if kept, err := s.Kept(t.Context(), "a", uint64(acknowledged)); kept != nil || err != nil {
		t.Errorf("Kept after a refused write = %d bytes, %v, want nil", len(kept), err)
	}
	sqlite.Limit(t, s, 1000)
	fill(t, s, acknowledged, 5)
}

// closed makes a ledger of five records and one release, and closes it.
func closed(t *testing.T, path string) {
	t.Helper()
	s, err := sqlite.Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 0, 1)
	if err := s.Append(t.Context(), "a", budget.Record{Seq: 1, Data: []byte("record 1"), Release: []byte("release")}); err != nil {
		t.Fatal(err)
	}
	fill(t, s, 2, 3)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// fill appends n records to account a, one at a time.
func fill(t *testing.T, s budget.Store, first, n int) {
	t.Helper()
	for i := range n {
		seq := uint64(first + i)
		if err := s.Append(t.Context(), "a", budget.Record{Seq: seq, Data: fmt.Appendf(nil, "record %d", seq)}); err != nil {
			t.Fatal(err)
		}
	}
}

func count(t *testing.T, s budget.Store) (n int) {
	t.Helper()
	for _, err := range s.Read(t.Context(), "a", 0) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// raw opens a file as somebody with a SQL prompt would.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func exec(t *testing.T, path string, queries ...string) {
	t.Helper()
	db := raw(t, path)
	for _, q := range queries {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
