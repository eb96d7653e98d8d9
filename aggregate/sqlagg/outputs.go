package sqlagg

import (
	"database/sql"
	"fmt"
	"strings"
)

// outputs hold a row that a database returned, by the names of its columns. NULL is 0 or "".
type outputs struct {
	at   map[string]int
	into []any // for Scan
}

func newOutputs(columns []string, kinds []kind) *outputs {
	o := &outputs{at: make(map[string]int)}
	for i, c := range columns {
		o.at[c] = i
		switch kinds[i] {
		case whole:
			o.into = append(o.into, new(sql.NullInt64))
		case double:
			o.into = append(o.into, new(sql.NullFloat64))
		default:
			o.into = append(o.into, new(sql.NullString))
		}
	}
	return o
}

// of returns what is in a column, or nil if there is none of the name.
func (o *outputs) of(column string) any {
	if i, ok := o.at[column]; ok {
		return o.into[i]
	}
	return nil
}

func (o *outputs) int(column string) int64 {
	if x, ok := o.of(column).(*sql.NullInt64); ok {
		return x.Int64
	}
	return 0
}

func (o *outputs) float(column string) float64 { return o.of(column).(*sql.NullFloat64).Float64 }

func (o *outputs) text(column string) string { return o.of(column).(*sql.NullString).String }

// there reports whether a float is not NULL.
func (o *outputs) there(column string) bool { return o.of(column).(*sql.NullFloat64).Valid }

// name returns a text that stands for what is in columns, and nothing else.
func (o *outputs) name(columns []string) string {
	var b strings.Builder
	for _, c := range columns {
		if x, ok := o.of(c).(*sql.NullString); ok {
			fmt.Fprintf(&b, "%q,", x.String)
		} else {
			fmt.Fprintf(&b, "%d,", o.int(c))
		}
	}
	return b.String()
}
