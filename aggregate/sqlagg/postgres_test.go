package sqlagg_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/equipoise-dp/equipoise/aggregate/sqlagg"
	"github.com/equipoise-dp/equipoise/aggregate/sqlagg/sqlaggtest"
	"github.com/equipoise-dp/equipoise/internal/pgtest"
)

func postgres(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestPostgreSQL(t *testing.T) {
	db := postgres(t)
	sqlaggtest.Test(t, sqlaggtest.Database{DB: db, Dialect: sqlagg.PostgreSQL, Whole: "bigint", Double: "double precision", Text: "text", Dollar: true}, plans())
	t.Run("Cancelled", func(t *testing.T) { cancelled(t, db) })
}

// A statement ends on the server when its context does.
func cancelled(t *testing.T, db *sql.DB) {
	ctx, cancel := context.WithCancel(t.Context())
	running := func() (n int) { // for a while: PostgreSQL ignores who wants to cancel what has not begun
		const text = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'WITH source%' AND state = 'active' AND clock_timestamp() > query_start + interval '1 second'"
		if err := db.QueryRow(text).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	done := make(chan error)
	go func() {
		_, err := sqlagg.Collect(ctx, endless(db), plain(t))
		done <- err
	}()
	for deadline := time.Now().Add(20 * time.Second); running() == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the statement does not run")
		}
	}
	cancel()
	if err := <-done; err != context.Canceled {
		t.Errorf("who gave up is told %v", err)
	}
	for deadline := time.Now().Add(20 * time.Second); running() != 0; {
		if time.Now().After(deadline) {
			t.Fatal("the server goes on after 20 s")
		}
	}
}
