package postgres_test

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/internal/ending"
	"github.com/equipoise-dp/equipoise/budget/postgres"
	"github.com/equipoise-dp/equipoise/internal/pgtest"
)

// Whoever gives up, at whatever step, gets an error or the whole answer.
func TestWhoeverGivesUpGetsAnErrorOrAllOfIt(t *testing.T) {
	pool := newPool(t, newLedger(t))
	s, err := postgres.Open(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 0, 5)
	if err := s.Append(t.Context(), "a", budget.Record{Seq: 5, Data: []byte("data"), Release: []byte("release")}); err != nil {
		t.Fatal(err)
	}
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
	for name, do := range map[string]func(context.Context) (any, error){
		"Read":     func(ctx context.Context) (any, error) { return all(s.Read(ctx, "a", 0)) },
		"Releases": func(ctx context.Context) (any, error) { return all(s.Releases(ctx, "a")) },
		"Kept":     func(ctx context.Context) (any, error) { b, err := s.Kept(ctx, "a", 5); return string(b), err },
		"Accounts": func(ctx context.Context) (any, error) { return s.Accounts(ctx) },
		"Writable": func(ctx context.Context) (any, error) { return nil, s.Writable(ctx) },
		"Open":     func(ctx context.Context) (any, error) { s, err := postgres.Open(ctx, pool); return s != nil, err },
		"Create of what is there": func(ctx context.Context) (any, error) {
			_, err := postgres.Create(ctx, pool)
			if errors.Is(err, fs.ErrExist) {
				return "there", nil
			}
			return nil, err
		},
	} {
		if ending.EachStep(t, name, times(12, 200), do) == 0 {
			t.Errorf("%s never ends; the test tests nothing", name)
		}
	}
}

// A schema of that name in which there is no ledger is somebody else's.
func TestASchemaWithoutALedgerIsNotTouched(t *testing.T) {
	dsn, err := pgtest.Shared()
	pgtest.Needed(t, err)
	pool := newPool(t, pgtest.NewDatabase(t, dsn))
	run(t, pool, "CREATE SCHEMA equipoise; CREATE TABLE equipoise.others (x int)")
	for name, make := range map[string]func() error{
		"Create":       func() error { _, err := postgres.Create(t.Context(), pool); return err },
		"OpenOrCreate": func() error { _, err := postgres.OpenOrCreate(t.Context(), pool); return err },
	} {
		err := make()
		wantError(t, name, err, "and has no ledger; drop it, or choose another database")
		if !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v, want fs.ErrExist", name, err)
		}
	}
	var n int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM pg_class WHERE relnamespace = 'equipoise'::regnamespace").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d tables are there, %v, want 1", n, err)
	}
}
