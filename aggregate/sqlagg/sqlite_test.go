package sqlagg_test

import (
	"database/sql"
	"flag"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/equipoise-dp/equipoise/aggregate/sqlagg"
	"github.com/equipoise-dp/equipoise/aggregate/sqlagg/sqlaggtest"
)

var long = flag.Bool("long", false, "try 1,000 random plans, and whether every mutant of the statement is noticed")

// plans is how many plans are tried.
func plans() int {
	if *long {
		return 1000
	}
	return 40
}

func sqlite(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "rows.db")+"?_pragma=synchronous(off)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestSQLite(t *testing.T) {
	sqlaggtest.Test(t, sqlaggtest.Database{DB: sqlite(t), Dialect: sqlagg.SQLite, Whole: "INTEGER", Double: "REAL", Text: "TEXT COLLATE NOCASE"}, plans())
}
