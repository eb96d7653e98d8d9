package rows

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate/rows/internal/table"
	"github.com/equipoise-dp/equipoise/internal/unsaid"
)

// SQL reads rows of a database, which it closes. Mistakes in the type and in names of columns are
// returned, with the rows closed. ctx should be that of the query.
//
// A time in a column of a type without a zone, such as DATE or TIMESTAMP, that the driver gives in UTC is
// what a clock on the wall of Options.Format.Zone showed; every other one is an instant. Texts are read as
// the Format says, but for those of columns of numbers.
func SQL[Row any](ctx context.Context, r *sql.Rows, o Options) (iter.Seq2[Row, error], error) {
	if o.Name == "" {
		o.Name = "the query"
	}
	t := &sqlRows{rows: r}
	var err error
	if t.names, err = r.Columns(); err != nil {
		return nil, err
	}
	return From[Row](ctx, t, o)
}

// sqlRows are rows of a database; a column that is not wanted is not decoded.
type sqlRows struct {
	rows   *sql.Rows
	names  []string
	wanted []cell
	kinds  []kindOfColumn // by places among the wanted
	into   []any          // for Scan
	n      int            // of the row
}

// A cell takes what a driver gives.
type cell struct{ value any }

func (c *cell) Scan(value any) error { c.value = value; return nil }

// ignored takes nothing of it.
type ignored struct{}

func (ignored) Scan(any) error { return nil }

// A kindOfColumn is what matters of the type of a column.
type kindOfColumn struct{ wall, number bool }

// What several databases call times without a zone, and numbers, which some drivers give as texts.
var (
	zoneless = []string{"DATE", "DATETIME", "DATETIME2", "SMALLDATETIME", "TIMESTAMP", "TIMESTAMP WITHOUT TIME ZONE"}
	numeric  = []string{
		"DECIMAL", "NUMERIC", "NUMBER", "INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "MEDIUMINT", "FLOAT", "DOUBLE", "DOUBLE PRECISION", "REAL",
		"INT2", "INT4", "INT8", "FLOAT4", "FLOAT8", "UNSIGNED INT", "UNSIGNED BIGINT", "UNSIGNED SMALLINT", "UNSIGNED TINYINT", "UNSIGNED MEDIUMINT",
	}
)

func (t *sqlRows) Columns() []string { return t.names }

func (t *sqlRows) Want(columns []int) error {
	types, err := t.rows.ColumnTypes()
	if err != nil {
		return err
	}
	t.wanted, t.into = make([]cell, len(columns)), make([]any, len(t.names))
	for i := range t.into {
		t.into[i] = ignored{}
	}
	for i, column := range columns {
		t.into[column] = &t.wanted[i]
		name := strings.ToUpper(types[column].DatabaseTypeName())
		name, _, _ = strings.Cut(name, "(")
		t.kinds = append(t.kinds, kindOfColumn{slices.Contains(zoneless, name), slices.Contains(numeric, name)})
	}
	return nil
}

func (t *sqlRows) Next() error {
	t.n++
	if !t.rows.Next() {
		if err := t.rows.Err(); err != nil {
			return silent(err)
		}
		return io.EOF
	}
	return silent(t.rows.Scan(t.into...))
}

func (t *sqlRows) Read(column int, to table.Sink) {
	switch v := t.wanted[column].value.(type) {
	case nil:
		to.Null()
	case []byte:
		t.text(column, v, to)
	case string:
		t.text(column, []byte(v), to)
	case int64:
		to.Int(v)
	case float64:
		to.Float(v)
	case float32: // of some drivers
		to.Float(float64(v))
	case uint64:
		to.Number(strconv.AppendUint(nil, v, 10))
	case bool:
		to.Bool(v)
	case time.Time:
		to.Time(v, t.kinds[column].wall && v.Location() == time.UTC)
	default:
		to.Refuse("has a type that is none of package database/sql/driver")
	}
}

func (t *sqlRows) text(column int, b []byte, to table.Sink) {
	if t.kinds[column].number {
		to.Number(b)
		return
	}
	to.Text(b)
}

func (t *sqlRows) Place() string { return fmt.Sprintf("row %d", t.n) }

func (t *sqlRows) Bytes() int64 { return 0 }

func (t *sqlRows) Close() error { return silent(t.rows.Close()) }

// silent returns an error without the words of a driver, which may hold values.
func silent(err error) error {
	return unsaid.Error("the database failed while rows were read; what it says may hold values, so it is not repeated: look into its log", err)
}
