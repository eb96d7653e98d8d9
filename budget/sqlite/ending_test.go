package sqlite_test

import (
	"context"
	"errors"
	"iter"
	"path/filepath"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/internal/ending"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
)

// Whoever gives up, at whatever step, gets an error or the whole answer, and leaves a
// ledger that is sound.
func TestWhoeverGivesUpGetsAnErrorOrAllOfIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	closed(t, path)
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	all := func(records iter.Seq2[budget.Record, error]) (any, error) {
		n := 0
		for r, err := range records {
			if err != nil {
				return nil, err
			}
			n += 1 + len(r.Data) + len(r.Release)
		}
		return n, nil
	}
	opened := func(s *sqlite.Store, err error) (any, error) {
		if err != nil {
			return nil, err
		}
		return len(records(t, s)), s.Close()
	}
	for name, do := range map[string]func(context.Context) (any, error){
		"Read":     func(ctx context.Context) (any, error) { return all(s.Read(ctx, "a", 0)) },
		"Releases": func(ctx context.Context) (any, error) { return all(s.Releases(ctx, "a")) },
		"Kept":     func(ctx context.Context) (any, error) { b, err := s.Kept(ctx, "a", 1); return string(b), err },
		"Accounts": func(ctx context.Context) (any, error) { return s.Accounts(ctx) },
		"Check":    func(ctx context.Context) (any, error) { return nil, s.Check(ctx) },
		"Writable": func(ctx context.Context) (any, error) { return nil, s.Writable(ctx) },
		"Open":     func(ctx context.Context) (any, error) { return opened(sqlite.Open(ctx, path)) },
		"Open of an earlier version": func(ctx context.Context) (any, error) {
			return opened(sqlite.Open(ctx, goldenFile(t, 1)))
		},
		"Create": func(ctx context.Context) (any, error) {
			return opened(sqlite.Create(ctx, filepath.Join(t.TempDir(), "new.db")))
		},
	} {
		if ending.EachStep(t, name, times(40, 1000), do) == 0 {
			t.Errorf("%s never ends; the test tests nothing", name)
		}
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func records(t *testing.T, s budget.Store) (all []budget.Record) {
	t.Helper()
	for _, account := range []string{"a", "visits"} {
		for r, err := range s.Read(t.Context(), account, 0) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, r)
		}
	}
	return all
}

// Records that somebody deletes between two pages are missed.
func TestRecordsThatVanishWhileTheyAreReadAreMissed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, err := sqlite.Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fill(t, s, 0, 10)
	n := 0
	for r, e := range s.Read(t.Context(), "a", 0) {
		if e != nil {
			err = e
			break
		}
		if n++; r.Seq == 0 {
			db := raw(t, path)
			dropTriggers(t, db)
			do(t, db, "DELETE FROM records WHERE seq > 6")
			err = errors.Join(err, db.Close())
		}
	}
	if err == nil || n != 4 || err.Error() != "sqlite: "+path+` is damaged: record 7 of account "a" is missing; put back a copy that is not older than the last release` {
		t.Errorf("%d records, and %v, want 4 and that one is missing", n, err)
	}
}
