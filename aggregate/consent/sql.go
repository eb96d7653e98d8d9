package consent

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/equipoise-dp/equipoise/aggregate"
)

// A Table is a source in a database: a table with a column for the unit, one for the
// purpose, which can be [Every], and one for the choice, which is yes or no. Of two choices
// about one purpose, no goes before yes. Only the rows of the units that are asked about are
// read; an index over unit and purpose makes that fast.
//
// Units are compared as the column compares them, and are asked for with accents together and apart too. A row that is found
// in another form than was asked for is an error, since a no there would be lost; one that the
// database does not find, such as in other case where its collation tells case apart, is silence: Text must write units as
// the column does.
type Table[Unit comparable] struct {
	DB     *sql.DB
	Name   string // of the table, such as "consent" or "privacy.consent"
	Dollar bool   // parameters are $1, $2, … as in PostgreSQL, and not ?

	// Unit, Purpose and Choice are the names of the columns.
	Unit, Purpose, Choice string

	// Text is how the column writes a unit.
	Text func(Unit) string
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$`)

func (t Table[Unit]) check() error {
	var errs []error
	if t.DB == nil {
		errs = append(errs, errors.New("consent: Table.DB is nil"))
	}
	if t.Text == nil {
		errs = append(errs, errors.New("consent: Table.Text is nil; it must say how the column writes a unit"))
	}
	for _, f := range []struct{ field, name string }{{"Name", t.Name}, {"Unit", t.Unit}, {"Purpose", t.Purpose}, {"Choice", t.Choice}} {
		if !identifier.MatchString(f.name) {
			errs = append(errs, fmt.Errorf("consent: Table.%s is %q, must be a name of letters, digits and underscores", f.field, f.name))
		}
	}
	return errors.Join(errs...)
}

// unitsAtOnce is how many units one statement asks about: databases bound how many
// parameters a statement may have.
const unitsAtOnce = 500

// Choices implements [aggregate.ConsentSource].
func (t Table[Unit]) Choices(ctx context.Context, purpose string, units []Unit) ([]aggregate.Choice, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	s := said{}
	for some := range slices.Chunk(units, unitsAtOnce) {
		if err := t.ask(ctx, s, purpose, some); err != nil {
			return nil, fmt.Errorf("consent: table %s: %w", t.Name, err)
		}
	}
	return answers(s, t.Text, purpose, units), nil
}

func (t Table[Unit]) ask(ctx context.Context, s said, purpose string, units []Unit) (err error) {
	args := []any{purpose, Every}
	asked := make(map[string]bool, len(units))
	for _, u := range units {
		text := t.Text(u)
		asked[text] = true
		for _, form := range forms(text) {
			args = append(args, form)
		}
	}
	rows, err := t.DB.QueryContext(ctx, t.statement(len(args)-2), args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var unit, about, choice string
		if err := rows.Scan(&unit, &about, &choice); err != nil {
			return err
		}
		if !asked[unit] || about != purpose && about != Every {
			return errOtherForm
		}
		if err := s.add(unit, about, choice); err != nil {
			return err
		}
	}
	return rows.Err()
}

// A database can take texts for equal that are not: without regard to case, to blanks at
// the end, or to zeros before a number. A no in another form would be lost.
var errOtherForm = errors.New("a row that was found has its unit or purpose in another form than was asked for, such as in other case, with blanks at the end, with accents apart, or as 7 for 007; let Table.Text write units as the column does, and purposes likewise")

func (t Table[Unit]) statement(units int) string {
	marks := make([]string, 2+units)
	for i := range marks {
		if marks[i] = "?"; t.Dollar {
			marks[i] = fmt.Sprintf("$%d", i+1)
		}
	}
	return fmt.Sprintf("SELECT %s, %s, %s FROM %s WHERE %s IN (%s) AND %s IN (%s)",
		t.Unit, t.Purpose, t.Choice, t.Name, t.Purpose, strings.Join(marks[:2], ", "), t.Unit, strings.Join(marks[2:], ", "))
}
