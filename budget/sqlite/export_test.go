package sqlite

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	driver "modernc.org/sqlite"
)

// Impatient makes ledgers that are opened from now on wait for d only.
func Impatient(t *testing.T, d time.Duration) {
	before := patience
	patience = d
	t.Cleanup(func() { patience = before })
}

// Limit lets the file of a ledger grow by so many pages, as a full disk would.
func Limit(t *testing.T, s *Store, more int) {
	t.Helper()
	var pages int
	if err := s.writer.QueryRowContext(context.Background(), "PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	var got int
	if err := s.writer.QueryRowContext(context.Background(), fmt.Sprintf("PRAGMA max_page_count=%d", pages+more)).Scan(&got); err != nil || got != pages+more {
		t.Fatal(got, err)
	}
}

// Versions is how many versions of the schema there are.
var Versions = len(versions)

// BreakMigration makes the last step of every migration fail, until undone.
func BreakMigration() (undo func()) {
	last := len(versions) - 1
	before := versions[last]
	versions[last] = append(slices.Clone(before), "INSERT INTO nowhere VALUES (1)")
	return func() { versions[last] = before }
}

// FailCommits makes every commit be rolled back by a hook, as SQLite does it.
func FailCommits(t *testing.T, s *Store) {
	t.Helper()
	conn, err := s.writer.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Raw(func(c any) error {
		c.(driver.HookRegisterer).RegisterCommitHook(func() int32 { return 1 })
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// Publish gives a draft its name.
var Publish = publish

// Commits says what an error of COMMIT means.
var (
	Commits    = committing
	RolledBack = rolledBack
)

// Raise says in the mark that the ledger has so many changes.
func Raise(t *testing.T, s *Store, changes int64) {
	t.Helper()
	if err := s.mark.raise(changes); err != nil {
		t.Fatal(err)
	}
}

// Sum is what stands beside a release.
func Sum(account string, seq uint64, data []byte) []byte { return sum(account, seq, data) }

// LookAtEnds makes Open look at the ends of every ledger only, as it does at large ones.
func LookAtEnds(t *testing.T) {
	before := smallest
	smallest = 0
	t.Cleanup(func() { smallest = before })
}

// CloseMark closes the mark under a store.
func CloseMark(s *Store) error { return s.mark.close() }

// Smallest is how large a ledger may be for Open to look at every page.
var Smallest = smallest
