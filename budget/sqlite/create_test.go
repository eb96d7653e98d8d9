package sqlite_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/equipoise-dp/equipoise/budget/sqlite"
)

const draft = "-new-ABCDEFGH23"

// TestEveryMomentOfCreation puts there what a process leaves that dies at each
// step, and starts again.
func TestEveryMomentOfCreation(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "ledger.db")
	s, err := sqlite.Create(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ledger := snapshot(t, whole)
	for _, test := range []struct {
		moment string
		left   files
		there  bool // the ledger
	}{
		{"the draft is empty", files{draft: nil}, false},
		{"the draft is being written", files{draft: ledger[""][:4096], draft + "-journal": []byte("half")}, false},
		{"the draft is being closed", files{draft: ledger[""], draft + "-wal": nil, draft + "-shm": make([]byte, 32768)}, false},
		{"the draft is complete", files{draft: ledger[""]}, false},
		{"the ledger is linked", files{"": ledger[""], draft: ledger[""]}, true},
		{"the draft is removed", files{"": ledger[""]}, true},
		{"the mark is empty", files{"": ledger[""], "-mark": nil}, true},
		{"the mark has its length only", files{"": ledger[""], "-mark": make([]byte, len(ledger["-mark"]))}, true},
		{"all is done", ledger, true},
		{"another one died as well", files{"": ledger[""], draft: nil, "-new-" + "ABCDEFGH77": nil}, true},
	} {
		t.Run(test.moment, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			if err := test.left.write(path); err != nil {
				t.Fatal(err)
			}
			if s, err := sqlite.Create(t.Context(), path); errors.Is(err, fs.ErrExist) != test.there {
				t.Errorf("Create: %v, and the ledger is there: %v", err, test.there)
			} else if err == nil {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
			s, err := sqlite.OpenOrCreate(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			fill(t, s, 0, 2)
			wantNoDrafts(t, path)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if mark := snapshot(t, path)["-mark"]; len(mark) != len(ledger["-mark"]) {
				t.Errorf("the mark is %q", mark)
			}
		})
	}
}

// TestPublishNeverReplaces a ledger that another process has made meanwhile.
func TestPublishNeverReplaces(t *testing.T) {
	folder := t.TempDir()
	from, to := filepath.Join(folder, "draft"), filepath.Join(folder, "ledger.db")
	write(t, from, []byte("late"))
	write(t, to, []byte("first"))
	if err := sqlite.Publish(from, to); !errors.Is(err, fs.ErrExist) {
		t.Errorf("publish over a ledger: %v, want fs.ErrExist", err)
	}
	if b, err := os.ReadFile(to); string(b) != "first" {
		t.Errorf("publish over a ledger left %q, %v", b, err)
	}
}

// TestOthersFilesStay: what is not a draft is not removed.
func TestOthersFilesStay(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "ledger.db")
	others := []string{"ledger.db-new-", "ledger.db-new-copy", "ledger.db-new-abcdefgh23", "ledger.db" + draft + ".txt", "other.db" + draft, "ledger.db2" + draft}
	for _, name := range others {
		write(t, filepath.Join(folder, name), nil)
	}
	closed(t, path)
	for _, name := range others {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			t.Error(err)
		}
	}
}

// TestOpenOrCreateAfterDeletion: what is beside a ledger tells that there was one.
func TestOpenOrCreateAfterDeletion(t *testing.T) {
	for _, ending := range []string{"-mark", "-wal", "-shm", "-journal"} {
		path := filepath.Join(t.TempDir(), "ledger.db")
		write(t, path+ending, []byte("x"))
		if _, err := sqlite.OpenOrCreate(t.Context(), path); !errors.Is(err, fs.ErrExist) {
			t.Errorf("OpenOrCreate with a file %s left: %v, want fs.ErrExist", ending, err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("OpenOrCreate with a file %s left made a ledger", ending)
		}
	}
}

// TestOpenOrCreateOpensWhatIsThere, and refuses what Open refuses.
func TestOpenOrCreateOpensWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	closed(t, path)
	s, err := sqlite.OpenOrCreate(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, s); n != 5 {
		t.Errorf("%d records, want 5", n)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	write(t, path, nil)
	if _, err := sqlite.OpenOrCreate(t.Context(), path); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenOrCreate of a file that was emptied: %v, want an error", err)
	}
}

func TestACancelledCreateLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sqlite.Create(ctx, filepath.Join(folder, "ledger.db")); !errors.Is(err, context.Canceled) {
		t.Errorf("Create, cancelled: %v", err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
		t.Errorf("Create, cancelled, left %v: %v", left, err)
	}
}
