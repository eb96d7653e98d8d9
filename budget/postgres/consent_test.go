package postgres_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // database/sql's "pgx"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/aggregate/consent"
	"github.com/equipoise-dp/equipoise/internal/pgtest"
)

// These tests of aggregate/consent are here since the server is: a table of choices stands
// where the ledger does.

// choices returns a table in a new database, with a column of units of a type.
func choices(t *testing.T, kind string, rows ...[3]string) consent.Table[int] {
	t.Helper()
	server, err := pgtest.Shared()
	pgtest.Needed(t, err)
	db, err := sql.Open("pgx", pgtest.NewDatabase(t, server))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := db.Exec("CREATE SCHEMA privacy; CREATE TABLE privacy.consent (customer " + kind + ", purpose TEXT, choice TEXT)"); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if _, err := db.Exec("INSERT INTO privacy.consent VALUES ($1, $2, $3)", r[0], r[1], r[2]); err != nil {
			t.Fatal(err)
		}
	}
	return consent.Table[int]{
		DB: db, Name: "privacy.consent", Dollar: true, Unit: "customer", Purpose: "purpose", Choice: "choice", Text: strconv.Itoa,
	}
}

func TestChoicesAreReadFromPostgreSQL(t *testing.T) {
	t.Parallel()
	said := [][3]string{
		{"1", "ads", "yes"}, {"2", "ads", "no"}, {"3", consent.Every, "no"}, {"4", consent.Every, "no"}, {"4", "ads", "yes"},
		{"5", "ads", "yes"}, {"5", "ads", "no"}, {"7", "research", "no"},
	}
	want := []aggregate.Choice{aggregate.Yes, aggregate.No, aggregate.No, aggregate.Yes, aggregate.No, aggregate.Silent, aggregate.Silent}
	for _, kind := range []string{"TEXT", "VARCHAR(20)", "INTEGER", "BIGINT", "NUMERIC"} {
		var units []int
		for u := range 1234 { // more than one statement asks about
			units = append(units, u)
		}
		got, err := choices(t, kind, said...).Choices(t.Context(), "ads", units)
		if err != nil || len(got) != len(units) || !slices.Equal(got[1:8], want) {
			t.Errorf("%s: %d choices, %v", kind, len(got), err)
		}
	}
}

// What the database takes for equal and is not is an error, and never silence.
func TestANoInAnotherFormIsNotSilenceOnPostgreSQL(t *testing.T) {
	t.Parallel()
	no := [3]string{"7", "ads", "no"}
	for name, c := range map[string]struct {
		kind string
		row  [3]string
		text func(int) string
	}{
		"zeros before a number": {"INTEGER", no, func(u int) string { return fmt.Sprintf("%03d", u) }},
		"blanks at the end":     {"CHAR(10)", no, strconv.Itoa},
		"capitals of a UUID": {"UUID", [3]string{"00000000-0000-0000-0000-00000000abcd", "ads", "no"}, func(int) string {
			return strings.ToUpper("00000000-0000-0000-0000-00000000abcd")
		}},
	} {
		table := choices(t, c.kind, c.row)
		table.Text = c.text
		if got, err := table.Choices(t.Context(), "ads", []int{7}); err == nil {
			t.Errorf("%s: a no is taken for choice %v", name, got)
		}
	}
}

// A choice that is none, and a table that is not there, are errors that end a run.
func TestWhatPostgreSQLDoesNotSayIsAnError(t *testing.T) {
	t.Parallel()
	none, null := choices(t, "TEXT", [3]string{"7", "ads", "perhaps"}), choices(t, "TEXT")
	if _, err := null.DB.Exec("INSERT INTO privacy.consent VALUES ('7', 'ads', NULL)"); err != nil {
		t.Fatal(err)
	}
	gone, marks := choices(t, "TEXT"), choices(t, "TEXT")
	gone.Name = "privacy.nothing"
	marks.Dollar = false
	for name, table := range map[string]consent.Table[int]{"no choice": none, "null": null, "no table": gone, "marks of another database": marks} {
		if got, err := table.Choices(t.Context(), "ads", []int{7}); err == nil || got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}
