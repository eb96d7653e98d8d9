package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/budgettest"
	"github.com/equipoise-dp/equipoise/budget/postgres"
)

// Edits of a superuser, who disables the triggers and puts them back, and makes the
// counts fit: the chain is all that finds them.
func TestRandomEditsOfRowsAreFound(t *testing.T) {
	budgettest.TestEdits(t, budgettest.Edits{
		Open: func(t *testing.T) budget.Store {
			pool := newPool(t, newLedger(t))
			s, err := postgres.Open(t.Context(), pool)
			if err != nil {
				t.Fatal(err)
			}
			return &pooled{s, pool}
		},
		Rewrite: func(t *testing.T, s budget.Store, account string, records []budget.Record) {
			err := pgx.BeginFunc(t.Context(), s.(*pooled).pool, func(tx pgx.Tx) error { return rewrite(t, tx, account, records) })
			if err != nil {
				t.Fatal(err)
			}
		},
		Times: times(40, 1000),
	})
}

func rewrite(t *testing.T, tx pgx.Tx, account string, records []budget.Record) (err error) {
	exec := func(query string, args ...any) {
		if err == nil {
			_, err = tx.Exec(t.Context(), query, args...)
		}
	}
	tables := []string{"accounts", "records", "releases"}
	for _, table := range tables {
		exec("ALTER TABLE equipoise." + table + " DISABLE TRIGGER ALL")
		exec("DELETE FROM equipoise."+table+" WHERE account = $1", account)
	}
	exec("INSERT INTO equipoise.accounts VALUES ($1, $2)", account, len(records))
	for _, r := range records {
		exec("INSERT INTO equipoise.records VALUES ($1, $2, $3, 3)", account, int64(r.Seq), r.Data)
		if r.Release != nil {
			exec("INSERT INTO equipoise.releases VALUES ($1, $2, $3, 3)", account, int64(r.Seq), r.Release)
		}
	}
	for _, table := range tables {
		exec("ALTER TABLE equipoise." + table + " ENABLE TRIGGER ALL")
	}
	return err
}
