package sqlagg

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"math"
	"strings"

	"github.com/equipoise-dp/equipoise/aggregate"
)

// Rows reads the columns that a plan needs and no others, for Plan.Run and Plan.Collect in this process.
// A row that has no unit or no group is left out.
func Rows[Unit, Group comparable](ctx context.Context, s Source, p *aggregate.Plan[Row, Unit, Group]) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		if err := scan(ctx, s, p, func(r Row) bool { return yield(r, nil) }); err != nil {
			yield(Row{}, err)
		}
	}
}

var errStrange = errors.New("sqlagg: a function of the query asks some rows for a column that it does not ask others for; compute in Source.Query")

// scan yields rows until yield returns false. Every row has memory of its own, since whoever
// waits for consent keeps it.
func scan[Unit, Group comparable](ctx context.Context, s Source, p *aggregate.Plan[Row, Unit, Group], yield func(Row) bool) error {
	_, b, err := bind(p)
	if err := errors.Join(s.check(), err); err != nil {
		return err
	}
	columns, err := s.columns(ctx, b.all())
	if err != nil {
		return err
	}
	rows, err := s.DB.QueryContext(ctx, scanning(s, b, columns), s.Args...)
	if err != nil {
		return failed(ctx, err)
	}
	defer rows.Close()
	sc := newScanning(b)
	for rows.Next() {
		if err := rows.Scan(sc.into...); err != nil {
			return failed(ctx, err)
		}
		if !sc.there(b.keys()) {
			continue
		}
		row := sc.row()
		if !yield(row) {
			return nil
		}
		if row.strange {
			return errStrange
		}
	}
	if err := rows.Err(); err != nil {
		return failed(ctx, err)
	}
	return nil
}

// scanning writes the statement that reads rows.
func scanning(s Source, b *binding, columns map[place]string) string {
	var all []string
	for _, p := range b.all() {
		all = append(all, columns[p])
	}
	return "SELECT " + strings.Join(all, ", ") + " FROM (" + s.selected() + ") AS t"
}

// scanned is a row as a driver gives it.
type scanned struct {
	places []place
	at     map[place]int
	into   []any // for Scan
}

func newScanning(b *binding) *scanned {
	s := &scanned{places: b.all(), at: make(map[place]int)}
	var kinds []kind
	for i, p := range s.places {
		s.at[p] = i
		kinds = append(kinds, p.kind)
	}
	s.into = newOutputs(make([]string, len(kinds)), kinds).into
	return s
}

// there reports whether the first columns are not NULL.
func (s *scanned) there(n int) bool {
	for _, x := range s.into[:n] {
		switch x := x.(type) {
		case *sql.NullInt64:
			if !x.Valid {
				return false
			}
		case *sql.NullString:
			if !x.Valid {
				return false
			}
		}
	}
	return true
}

func (s *scanned) row() Row {
	n := len(s.into)
	c := &cells{at: s.at, ints: make([]int64, n), floats: make([]float64, n), texts: make([]string, n)}
	for i, x := range s.into {
		switch x := x.(type) {
		case *sql.NullInt64:
			c.ints[i] = x.Int64
		case *sql.NullFloat64:
			if c.floats[i] = x.Float64; !x.Valid {
				c.floats[i] = math.NaN()
			}
		case *sql.NullString:
			c.texts[i] = x.String
		}
	}
	return Row{c}
}
