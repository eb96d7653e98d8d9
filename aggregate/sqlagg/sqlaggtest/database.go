package sqlaggtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate/sqlagg"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/purse"
)

// A Database is what is tried. Tables with names that begin with equipoise_ are made in it.
type Database struct {
	DB      *sql.DB
	Dialect *sqlagg.Dialect

	Whole, Double, Text string // types of columns: of 64 bits, a double, and text of any length

	Dollar bool // parameters are $1 and so on, and not question marks

	// Change changes what is asked of the database, for tests that want to know whether this one
	// finds a mistake. It may be nil.
	Change func(statement string) string
}

// changed is a database that is asked something else.
type changed struct{ Database }

// QueryContext implements sqlagg.DB.
func (c changed) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if c.Change != nil {
		text = c.Change(text)
	}
	return c.DB.QueryContext(ctx, text, args...)
}

// A line is a row of the table; nil is NULL.
type line struct {
	un, ut, gn, gt, x, y, n, m any
}

// columns are those of the table, in the order of a line's fields.
var columns = []string{"un", "ut", "gn", "gt", "x", "y", "n", "m"}

func (l line) args() []any { return []any{l.un, l.ut, l.gn, l.gt, l.x, l.y, l.n, l.m} }

// fill makes a table of rows and returns it as a source. Names of columns need quoting.
func (d Database) fill(t testing.TB, name string, lines []line) sqlagg.Source {
	t.Helper()
	types := []string{d.Whole, d.Text, d.Whole, d.Text, d.Double, d.Double, d.Whole, d.Whole}
	var of []string
	for i, c := range columns {
		of = append(of, c+" "+types[i])
	}
	name = "equipoise_" + name
	d.exec(t, "DROP TABLE IF EXISTS "+name)
	d.exec(t, "CREATE TABLE "+name+" ("+strings.Join(of, ", ")+")")
	for len(lines) > 0 {
		n := min(len(lines), 100)
		d.insert(t, name, lines[:n])
		lines = lines[n:]
	}
	return sqlagg.Source{DB: changed{d}, Dialect: d.Dialect, Table: name}
}

func (d Database) insert(t testing.TB, name string, lines []line) {
	t.Helper()
	var rows []string
	var args []any
	for _, l := range lines {
		var marks []string
		for _, a := range l.args() {
			args = append(args, a)
			if d.Dollar {
				marks = append(marks, fmt.Sprintf("$%d", len(args)))
			} else {
				marks = append(marks, "?")
			}
		}
		rows = append(rows, "("+strings.Join(marks, ", ")+")")
	}
	d.exec(t, "INSERT INTO "+name+" VALUES "+strings.Join(rows, ", "), args...)
}

func (d Database) exec(t testing.TB, text string, args ...any) {
	t.Helper()
	if _, err := d.DB.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatalf("%s: %v", text[:min(len(text), 200)], err)
	}
}

// broke is a budget that affords nothing.
type broke struct{ purse.Free }

var errBroke = errors.New("nothing is left")

func (broke) Afford(context.Context, dp.Charge) error { return errBroke }
