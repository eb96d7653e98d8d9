package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/budget/sqlite"
)

// TestMarkHoldsItsChecksum: a mark of which any byte is another one is refused,
// also where it still reads like a mark.
func TestMarkHoldsItsChecksum(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	closed(t, path)
	whole := snapshot(t, path)["-mark"]
	for at := range whole {
		changed := slices.Clone(whole)
		changed[at] ^= 1
		write(t, path+"-mark", changed)
		if s, err := sqlite.Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "mark is damaged") {
			t.Errorf("Open with byte %d of the mark changed, %q: %v, want an error that says so", at, changed, err)
			if err == nil {
				s.Close()
			}
		}
	}
	write(t, path+"-mark", whole)
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestMarkIsNotLowered by a change that was slower to say that it is durable.
func TestMarkIsNotLowered(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	closed(t, path)
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var marks []string
	for _, changes := range []int64{20, 30, 25, 30, 29} {
		sqlite.Raise(t, s, changes)
		marks = append(marks, string(snapshot(t, path)["-mark"]))
	}
	if marks[0] == marks[1] || marks[2] != marks[1] || marks[3] != marks[1] || marks[4] != marks[1] {
		t.Errorf("after 20, 30, 25, 30 and 29 changes the marks are %q", marks)
	}
}

// TestChangedReleaseIsFound when it is read, also if it was changed while the
// ledger is open.
func TestChangedReleaseIsFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	closed(t, path)
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	exec(t, path, "DROP TRIGGER no_update_of_releases", "UPDATE releases SET data = CAST('another' AS BLOB)")
	if kept, err := s.Kept(t.Context(), "a", 1); err == nil || !strings.Contains(err.Error(), "is not what was kept") {
		t.Errorf("Kept = %q, %v, want an error that says so", kept, err)
	}
	for r, err := range s.Releases(t.Context(), "a") {
		if err == nil || !strings.Contains(err.Error(), "is not what was kept") {
			t.Errorf("Releases yields %q, %v, want an error that says so", r.Release, err)
		}
	}
}

// A file that could not be closed is said, once.
func TestWhatCannotBeClosedIsSaid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, err := sqlite.Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlite.CloseMark(s); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Close: %v, want that the mark is closed", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close again: %v", err)
	}
}
