package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	lib "modernc.org/sqlite/lib"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
)

// TestEveryResultCodeIsDecided: all primary codes have a line, and those that can
// come when the transaction is in the log already are not called nothing.
func TestEveryResultCodeIsDecided(t *testing.T) {
	for code := lib.SQLITE_ERROR; code <= lib.SQLITE_WARNING; code++ {
		if _, ok := sqlite.RolledBack[code]; !ok {
			t.Errorf("result code %d is not decided", code)
		}
	}
	before := []int{ // of the last frame, or with it incomplete
		lib.SQLITE_PERM, lib.SQLITE_ABORT, lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_READONLY, lib.SQLITE_FULL, lib.SQLITE_CONSTRAINT, lib.SQLITE_AUTH,
	}
	for code := range 256 {
		if got := sqlite.RolledBack[code]; got != slices.Contains(before, code) {
			t.Errorf("result code %d of COMMIT is called nothing: %v", code, got)
		}
	}
}

// What is no result code of SQLite, or came in its place.
func TestWhatIsNoResultCodeCountsAsUnknown(t *testing.T) {
	for _, test := range []struct {
		err     error
		nothing bool
	}{
		{sql.ErrTxDone, true}, // it was rolled back before
		{context.Canceled, false},
		{context.DeadlineExceeded, false},
		{errors.New("sqlite: what is this"), false},
	} {
		if err := sqlite.Commits(test.err); errors.Is(err, budget.ErrNotAppended) != test.nothing || !errors.Is(err, test.err) {
			t.Errorf("%v at COMMIT becomes %v", test.err, err)
		}
	}
}

// TestCommitRolledBack: a commit that SQLite turns into a rollback is nothing, and
// the next one is as if it had not been.
func TestCommitRolledBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	closed(t, path)
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	sqlite.FailCommits(t, s)
	if err := s.Append(t.Context(), "a", budget.Record{Seq: 5}); !errors.Is(err, budget.ErrNotAppended) {
		t.Errorf("Append, rolled back by a hook: %v, want budget.ErrNotAppended", err)
	}
	if n := count(t, s); n != 5 {
		t.Errorf("%d records, want 5", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = sqlite.Open(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fill(t, s, 5, 1)
}

// TestCancelledBeforeTheCommit: a caller who gives up while the lock is awaited
// is told that nothing was appended.
func TestCancelledBeforeTheCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	closed(t, path)
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	db := raw(t, path)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Append(ctx, "a", budget.Record{Seq: 5}) }()
	cancel()
	if err := <-done; !errors.Is(err, budget.ErrNotAppended) || !errors.Is(err, context.Canceled) {
		t.Errorf("Append, cancelled while it waits: %v, want budget.ErrNotAppended and context.Canceled", err)
	}
	if _, err := db.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	fill(t, s, 5, 1)
}

// TestMistakesBeforeTheCommit: whatever a statement says, nothing is there.
func TestMistakesBeforeTheCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	closed(t, path)
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, table := range []string{"accounts", "ledger"} { // counted at the start, and at the end
		exec(t, path, fmt.Sprintf("CREATE TRIGGER broken BEFORE UPDATE ON %s BEGIN SELECT RAISE(ABORT, 'broken'); END", table))
		err := s.Append(t.Context(), "a", budget.Record{Seq: 5})
		if !errors.Is(err, budget.ErrNotAppended) || !strings.Contains(err.Error(), "broken") {
			t.Errorf("Append with an error of table %s: %v, want budget.ErrNotAppended", table, err)
		}
		exec(t, path, "DROP TRIGGER broken")
	}
	fill(t, s, 5, 1)
}
