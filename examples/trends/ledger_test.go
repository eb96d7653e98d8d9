package main

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/equipoise-dp/equipoise/budget/sqlite"
)

// Runs that create one ledger at the same time end up with one ledger, and leave
// nothing else behind.
func TestLedgersAreCreatedOnce(t *testing.T) {
	folder := t.TempDir()
	o := &options{Ledger: filepath.Join(folder, "l.db"), Dataset: "d", UnitName: "customer", Limit: 3, LimitDelta: 1e-6, Epsilon: 1, Delta: 1e-6}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			l, err := o.createLedger(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			if err := l.close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if n := f.Name(); n != "l.db" && n != "l.db-mark" && n != "l.db-wal" && n != "l.db-shm" {
			t.Errorf("%s is left behind", n)
		}
	}
}

// A run that died after it made the ledger, and before the account in it, is no
// obstacle for the next one.
func TestALedgerWithoutAccountIsNone(t *testing.T) {
	o := &options{Ledger: filepath.Join(t.TempDir(), "l.db"), Dataset: "d", UnitName: "customer", Limit: 3, LimitDelta: 1e-6, Epsilon: 1, Delta: 1e-6}
	s, err := sqlite.Create(t.Context(), o.Ledger)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err := o.openLedger(t.Context()); l != nil || err != nil {
		t.Errorf("openLedger = %v, %v, want nothing", l, err)
	}
	l, err := o.createLedger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.close(); err != nil {
		t.Error(err)
	}
	if l, err = o.openLedger(t.Context()); l == nil || err != nil {
		t.Fatalf("openLedger = %v, %v, want the ledger", l, err)
	}
	if err := l.close(); err != nil {
		t.Error(err)
	}
}
