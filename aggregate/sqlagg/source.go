package sqlagg

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/equipoise-dp/equipoise/internal/unsaid"
)

// A Source is what a plan reads in a database: a table or what a SELECT returns.
type Source struct {
	// DB is a *sql.DB, *sql.Conn or *sql.Tx of any driver for the database. The right to SELECT
	// is all that is needed; nothing is created.
	DB DB

	// Dialect is that of the database, such as [PostgreSQL].
	Dialect *Dialect

	// Table is the name of a table or view, with the schema before a dot if it needs one. It is quoted.
	Table string

	// Query is a SELECT, in place of Table, with parameters as the database writes them. It is part of the
	// statement as it stands, so it is for the program to write, and never for a user.
	Query string

	// Args are the parameters of Query.
	Args []any
}

// A DB is what is needed of a database.
type DB interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// check returns every mistake, joined.
func (s Source) check() error {
	var errs []error
	if s.DB == nil {
		errs = append(errs, errors.New("sqlagg: Source.DB is nil; sql.Open makes one"))
	}
	if s.Dialect == nil {
		errs = append(errs, errors.New("sqlagg: Source.Dialect is nil; name the database, such as sqlagg.PostgreSQL"))
	}
	if (s.Table == "") == (s.Query == "") {
		errs = append(errs, errors.New("sqlagg: a Source has a Table or a Query, and not both"))
	}
	if s.Query == "" && len(s.Args) > 0 {
		errs = append(errs, errors.New("sqlagg: Source.Args are given without a Query, which they are parameters of"))
	}
	return errors.Join(errs...)
}

// selected returns the SELECT that is the source.
func (s Source) selected() string {
	if s.Query != "" {
		return s.Query
	}
	var parts []string
	for part := range strings.SplitSeq(s.Table, ".") {
		parts = append(parts, s.Dialect.quote(part))
	}
	return "SELECT * FROM " + strings.Join(parts, ".")
}

// columns returns the expressions of columns, by their types, which a query says that returns no row.
func (s Source) columns(ctx context.Context, places []place) (map[place]string, error) {
	all := make(map[place]string)
	var quoted []string
	for _, p := range places {
		quoted = append(quoted, "t."+s.Dialect.quote(p.column))
	}
	rows, err := s.DB.QueryContext(ctx, "SELECT "+strings.Join(quoted, ", ")+" FROM ("+s.selected()+") AS t WHERE 1 = 0", s.Args...)
	if err != nil {
		return nil, unsaid.Error(fmt.Sprintf("sqlagg: the database refuses to say of which types %v are; is the source there, has it these columns, and may they be read? What it says is not repeated: look into its log", places), err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil || len(types) != len(places) {
		return nil, unsaid.Error("sqlagg: the database does not say of which types its columns are", errors.Join(err, errNoTypes))
	}
	var errs []error
	for i, p := range places {
		name := strings.ToUpper(types[i].DatabaseTypeName())
		if all[p] = s.Dialect.column(p.kind, name, quoted[i]); all[p] == "" {
			errs = append(errs, fmt.Errorf("sqlagg: column %q is of type %q, which %s cannot read for certain; cast it in Source.Query", p.column, name, kindNames[p.kind]))
		}
	}
	return all, errors.Join(errs...)
}

var errNoTypes = errors.New("no types")
