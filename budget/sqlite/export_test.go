package sqlite

import (
	"context"
	"fmt"
	"testing"
	"time"
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
