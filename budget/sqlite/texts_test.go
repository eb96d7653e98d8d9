package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	lib "modernc.org/sqlite/lib"

	"github.com/equipoise-dp/equipoise/budget"
)

// What a mark says of a ledger, by all that it can hold.
func TestAMarkSaysWhatItIsBeside(t *testing.T) {
	for _, test := range []struct {
		mark    reading
		changes int64
		want    string // or "" for nothing
	}{
		{reading{}, 0, ""},
		{reading{}, 7, ""},
		{reading{"A", 7}, 7, ""},
		{reading{"A", 7}, 8, ""},
		{reading{"A", 0}, 0, ""},
		{reading{"A", 8}, 7, "sqlite: l.db is an older copy or lost its end: it has 7 changes, l.db-mark says at least 8; put back the newest copy"},
		{reading{"B", 1}, 7, "sqlite: l.db-mark is the mark of another ledger, B; l.db is A"},
		{reading{"", 1}, 7, "sqlite: l.db-mark is the mark of another ledger, ; l.db is A"},
	} {
		err := test.mark.check("l.db", "A", test.changes)
		if test.want == "" && err != nil || test.want != "" && (err == nil || err.Error() != test.want) {
			t.Errorf("%+v beside %d changes: %v, want %q", test.mark, test.changes, err, test.want)
		}
	}
	whole := reading{"A", 12}.String()
	if whole != "equipoise ledger A has at least 0000000000000000012 changes (6e3412da)\n" {
		t.Errorf("a mark is %q", whole)
	}
	for text, unread := range map[string]bool{"": true, "\x00": true, "\x00\x00": true, " ": false, "\x00x": false, whole: false} {
		if unwritten([]byte(text)) != unread {
			t.Errorf("%q is written: %t", text, unread)
		}
	}
	if r, err := parseMark(whole); err != nil || r != (reading{"A", 12}) {
		t.Errorf("%q is read as %+v, %v", whole, r, err)
	}
	for _, text := range []string{"", "x", whole[:len(whole)-1], whole + "\n", strings.Replace(whole, "12", "13", 1), strings.Replace(whole, "A", "B", 1), strings.Replace(whole, "0000000000000000012", "12", 1)} {
		if r, err := parseMark(text); err == nil || r != (reading{}) || err.Error() != "the mark is damaged" {
			t.Errorf("%q is read as %+v, %v", text, r, err)
		}
	}
}

// The file of a mark: made where there is none, raised, and an error where it cannot be
// read or written.
func TestTheFileOfAMark(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	if r, err := readMark(path); err != nil || r != (reading{}) {
		t.Errorf("no mark is read as %+v, %v", r, err)
	}
	m, err := openMark(path, "A", 3)
	if err != nil {
		t.Fatal(err)
	}
	wants := func(changes int64) {
		t.Helper()
		if r, err := readMark(path); err != nil || r != (reading{"A", changes}) {
			t.Errorf("the mark is %+v, %v, want %d changes", r, err, changes)
		}
	}
	wants(3)
	for _, step := range [][2]int64{{4, 4}, {4, 4}, {2, 4}, {9, 9}} {
		if err := m.raise(step[0]); err != nil {
			t.Error(err)
		}
		wants(step[1])
	}
	if err := m.close(); err != nil {
		t.Error(err)
	}
	if err := m.raise(9); err != nil {
		t.Errorf("a mark that is high enough is not written: %v", err)
	}
	for range 2 { // what was not written is tried again
		if err := m.raise(10); !errors.Is(err, os.ErrClosed) || !strings.HasPrefix(err.Error(), "sqlite: ") {
			t.Errorf("a mark whose file is closed: %v", err)
		}
	}
	for _, zeros := range []string{"", strings.Repeat("\x00", len(reading{"A", 5}.String()))} {
		if err := os.WriteFile(path+markEnding, []byte(zeros), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := readMark(path); err != nil || r != (reading{}) {
			t.Errorf("a mark that nobody has written to is read as %+v, %v", r, err)
		}
		m, err := openMark(path, "A", 5)
		if err != nil {
			t.Fatal(err)
		}
		wants(5)
		if err := m.close(); err != nil {
			t.Error(err)
		}
	}
	if err := os.WriteFile(path+markEnding, []byte("equipoise"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := "sqlite: " + path + "-mark: the mark is damaged; if the ledger beside it is known to be complete, delete this file"
	if r, err := readMark(path); err == nil || err.Error() != want || r != (reading{}) {
		t.Errorf("a damaged mark is read as %+v, %v, want %s", r, err, want)
	}
	nowhere := filepath.Join(t.TempDir(), "no", "l.db")
	if _, err := openMark(nowhere, "A", 1); !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "sqlite: ") {
		t.Errorf("a mark in no folder: %v", err)
	}
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "l.db-mark"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := readMark(filepath.Join(folder, "l.db")); err == nil || !strings.HasPrefix(err.Error(), "sqlite: ") {
		t.Errorf("a folder for a mark: %v", err)
	}
}

// Every error of SQLite that has a remedy says which file it is about and what to do.
func TestErrorsOfSQLiteSayWhatToDo(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "l.db")
	db := func(name string, how access) *sql.DB {
		db, err := connect(name, 1, how)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	do := func(db *sql.DB, queries ...string) (err error) {
		for _, q := range queries {
			if _, err = db.ExecContext(t.Context(), q); err != nil {
				break
			}
		}
		return err
	}
	text := filepath.Join(folder, "text")
	before := patience
	patience = 10 * time.Millisecond
	defer func() { patience = before }()
	for name, content := range map[string]string{path: "", text: strings.Repeat("no ledger\n", 500)} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first, second := db(path, readWrite), db(path, readWrite)
	if err := do(first, "CREATE TABLE t (x)", "BEGIN IMMEDIATE", "INSERT INTO t VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	busy := do(second, "INSERT INTO t VALUES (2)")
	if err := do(first, "COMMIT"); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		err  error
		code int
		want string
	}{
		{busy, lib.SQLITE_BUSY, "sqlite: P was locked by another program for 10ms; end what holds it and try again: E"},
		{do(first, "PRAGMA max_page_count=3", "INSERT INTO t VALUES (randomblob(90000))"), lib.SQLITE_FULL, "sqlite: no space left for P; make room and try again: E"},
		{do(db(text, readWrite), "SELECT * FROM t"), lib.SQLITE_NOTADB, "sqlite: P is not a ledger, or its first page is damaged: E"},
		{do(db(path, readOnly), "INSERT INTO t VALUES (3)"), lib.SQLITE_READONLY, "sqlite: P cannot be written by this user; to spend, give the right to write the file, the files beside it and their folder: E"},
		{do(db(path+"-none", readWrite), "SELECT 1"), lib.SQLITE_CANTOPEN, "sqlite: P or a file beside it cannot be opened by this user; give the right to read the file and to list its folder: E"},
		{do(first, "SELECT * FROM nowhere"), lib.SQLITE_ERROR, "sqlite: P: E"},
	} {
		code, ok := primary(test.err)
		if !ok || code != test.code {
			t.Errorf("%v has code %d, want %d", test.err, code, test.code)
			continue
		}
		got := explain("P", test.err)
		if want := strings.Replace(test.want, "E", test.err.Error(), 1); got.Error() != want || !errors.Is(got, test.err) {
			t.Errorf("code %d: %v, want %s", code, got, want)
		}
	}
	other := errors.New("no error of SQLite")
	if explain("P", other) != other || explain("P", nil) != nil {
		t.Error("another error is explained")
	}
	if err := damaged("P", other); err.Error() != "sqlite: P is damaged: no error of SQLite; put back a copy that is not older than the last release" || !errors.Is(err, other) {
		t.Error(err)
	}
	if err := damaged("P", "it burnt"); err.Error() != "sqlite: P is damaged: it burnt; put back a copy that is not older than the last release" {
		t.Error(err)
	}
	if err := nothing(other); !errors.Is(err, other) || !errors.Is(err, budget.ErrNotAppended) || nothing(nil) != nil {
		t.Error(err)
	}
	if conflict := fmt.Errorf("x: %w", budget.ErrConflict); nothing(conflict) != conflict {
		t.Error("a conflict is called nothing")
	}
}

func TestNumbersFollowEachOtherToTheLast(t *testing.T) {
	for _, test := range []struct {
		seqs []uint64
		want string
	}{
		{[]uint64{0}, ""},
		{[]uint64{5, 6, 7}, ""},
		{[]uint64{math.MaxInt64 - 1, math.MaxInt64}, ""},
		{[]uint64{5, 7}, "sqlite: record number is 7 after 1 records from 5: budget: record number is not the next one"},
		{[]uint64{5, 5}, "sqlite: record number is 5 after 1 records from 5: budget: record number is not the next one"},
		{[]uint64{math.MaxInt64, math.MaxInt64 + 1}, "sqlite: record number is 9223372036854775808 after 1 records from 9223372036854775807: budget: record number is not the next one"},
		{[]uint64{math.MaxUint64}, "sqlite: record number is 18446744073709551615 after 0 records from 18446744073709551615: budget: record number is not the next one"},
	} {
		var records []budget.Record
		for _, seq := range test.seqs {
			records = append(records, budget.Record{Seq: seq})
		}
		err := consecutive(records)
		if test.want == "" && err != nil || test.want != "" && (err == nil || err.Error() != test.want || !errors.Is(err, budget.ErrConflict)) {
			t.Errorf("%d: %v, want %q", test.seqs, err, test.want)
		}
	}
}

// The texts of a ledger whose schema, counts or rows are not those of one.
func TestTheTextsOfDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	s, err := Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for seq := range uint64(6) {
		if err := s.Append(t.Context(), "a", budget.Record{Seq: seq, Data: []byte("x"), Release: []byte("y")}); err != nil {
			t.Fatal(err)
		}
	}
	err = s.Append(t.Context(), "a", budget.Record{Seq: 9})
	if want := `sqlite: record 9 of account "a", which has 6: budget: record number is not the next one`; err == nil || err.Error() != want {
		t.Errorf("Append: %v, want %s", err, want)
	}
	exec := func(queries ...string) {
		for _, q := range queries {
			if _, err := s.writer.ExecContext(t.Context(), q); err != nil {
				t.Fatalf("%s: %v", q, err)
			}
		}
	}
	read := func(from uint64) (err error) {
		for _, e := range s.Read(t.Context(), "a", from) {
			err = e
		}
		return err
	}
	says := func(what string, err error, want string) {
		t.Helper()
		if want = "sqlite: " + path + " is damaged: " + want + "; put back a copy that is not older than the last release"; err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", what, err, want)
		}
	}
	exec("DROP TRIGGER no_delete_of_records", "DROP TRIGGER no_update_of_releases")
	says("a trigger less", s.reopen(t), "its schema is not that of a ledger of version 3")
	exec("DELETE FROM records WHERE seq = 5")
	says("the last record less", read(0), `account "a" has 5 records, must have 6`)
	exec("INSERT INTO records SELECT account, 6, data FROM records WHERE seq = 0")
	says("a number less", read(0), `account "a" has 7 records, must have 6`)
	exec("UPDATE accounts SET records = 7")
	says("a number less", read(0), "record 5 of account \"a\" is missing")
	for range 20 { // more often than there are connections to read with
		says("a number less, from there", read(5), "record 5 of account \"a\" is missing")
	}
	if err := read(6); err != nil {
		t.Errorf("after what is missing: %v", err)
	}
	exec("UPDATE releases SET data = CAST('z' AS BLOB) WHERE seq = 2")
	_, err = s.Kept(t.Context(), "a", 2)
	says("another release", err, `release 2 of "a" is not what was kept`)
	for _, seq := range []uint64{7, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64} {
		if kept, err := s.Kept(t.Context(), "a", seq); kept != nil || err != nil {
			t.Errorf("Kept of number %d: %q, %v", seq, kept, err)
		}
	}
	_, _, err = checkContent(t.Context(), s.reader, path, true)
	says("all of it", err, `the records or releases of ["(the ledger)" "a"] are not complete`)
	exec("INSERT INTO ledger VALUES ('B', 0)")
	_, _, err = checkContent(t.Context(), s.reader, path, true)
	says("two ledgers", err, "it has 2 identities, must have 1")
	for _, q := range []string{"PRAGMA user_version=0", "PRAGMA user_version=9", "PRAGMA application_id=7"} {
		exec(q)
		if err := s.reopen(t); err == nil || !strings.Contains(err.Error(), map[string]string{
			"PRAGMA user_version=0":   "its user_version is 0, must be from 1 to 3",
			"PRAGMA user_version=9":   "its user_version is 9, this one knows 3; use the newer one",
			"PRAGMA application_id=7": "its application_id is 0x7, must be 0x45716470",
		}[q]) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", q, err)
		}
	}
}

// reopen opens the ledger once more.
func (s *Store) reopen(t *testing.T) error {
	again, err := Open(t.Context(), s.path)
	if err == nil {
		again.Close()
	}
	return err
}
