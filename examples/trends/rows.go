package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A row is what is read of a line: whose it is, the slot of the report that it
// belongs to, and its value.
type row struct {
	Unit  string
	Slot  slot
	Value float64
}

// A slot is a cell of the report's grid: a period and, with -by, a group.
type slot struct{ Period, Group string }

// layouts are the times that are read without -time-layout. None can be taken
// for another.
var layouts = []string{
	time.DateOnly, "20060102", "2006/01/02", "02.01.2006",
	time.DateTime, time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04", "2006/01/02 15:04:05",
	"2006-01-02 15:04:05Z07:00", "2 January 2006", "2 Jan 2006",
}

// A table reads rows from a CSV file with a header. Its errors name lines and
// columns, and never what is in them.
type table struct {
	csv      *csv.Reader
	options  *options
	columns  map[string]int // by what a column is for: "-unit", …
	layouts  []string
	calendar calendar
	read     func(line int) // is told how far it is
}

// newTable reads the header.
func newTable(o *options, r io.Reader) (*table, error) {
	t := &table{csv: csv.NewReader(r), options: o, columns: make(map[string]int), layouts: slices.Clone(layouts), calendar: o.Period}
	t.csv.ReuseRecord = true
	if o.TimeLayout != "" {
		t.layouts = []string{o.TimeLayout}
	}
	header, err := t.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("-input: %s is empty, must begin with a line of column names", o.inputName())
	}
	if err != nil {
		return nil, t.wrap(err)
	}
	return t, t.find(header)
}

// find locates the columns that are read, and no others.
func (t *table) find(header []string) error {
	header = slices.Clone(header)
	for i := range header {
		header[i] = strings.TrimSpace(strings.TrimPrefix(header[i], "\ufeff"))
	}
	if slices.ContainsFunc(header, looksLikeData) {
		return fmt.Errorf("-input: line 1 of %s holds data, must be a line of column names", t.options.inputName())
	}
	if !slices.ContainsFunc(t.options.columns(), func(c columnFlag) bool { return slices.Contains(header, c.name) }) {
		return fmt.Errorf("-input: line 1 of %s has none of the columns %s; it must be a header, with commas between the names (its %d fields are not shown: they may be data)",
			t.options.inputName(), strings.Join(quoted(t.options.columnNames()), ", "), len(header))
	}
	var errs []error
	for _, c := range t.options.columns() {
		i := slices.Index(header, c.name)
		switch {
		case i < 0:
			errs = append(errs, fmt.Errorf("%s: %s has no column %q, must be one of %s", c.flag, t.options.inputName(), c.name, strings.Join(quoted(header), ", ")))
		case slices.Contains(header[i+1:], c.name):
			errs = append(errs, fmt.Errorf("%s: %s has two columns %q; rename one", c.flag, t.options.inputName(), c.name))
		}
		t.columns[c.flag] = i
	}
	return errors.Join(errs...)
}

// looksLikeData reports whether a field of the header is a number, a time or
// nothing: then a first line of data is being taken for names, and printing it
// would show somebody's row.
func looksLikeData(field string) bool {
	if _, err := strconv.ParseFloat(field, 64); err == nil {
		return true
	}
	for _, l := range layouts {
		if _, err := time.Parse(l, field); err == nil {
			return true
		}
	}
	return field == ""
}

// rows yields the rows.
func (t *table) rows() iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		for {
			fields, err := t.csv.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(row{}, t.wrap(err))
				return
			}
			r, err := t.row(fields)
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func (t *table) row(fields []string) (row, error) {
	field := func(flag string) string { return strings.TrimSpace(fields[t.columns[flag]]) }
	r := row{Unit: strings.Clone(field("-unit"))}
	if r.Unit == "" {
		return r, t.fault("-unit", "is empty, must say whose row it is")
	}
	at, ok := t.time(field("-time"))
	if !ok {
		return r, t.fault("-time", "is not a time in a known layout; give its layout with -time-layout")
	}
	r.Slot.Period = t.calendar.name(t.calendar.start(at))
	if t.options.By != "" {
		r.Slot.Group = strings.Clone(field("-by"))
	}
	if t.options.Value != "" {
		v, err := strconv.ParseFloat(field("-value"), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return r, t.fault("-value", "is not a number such as -1234.5")
		}
		r.Value = v
	}
	if t.read != nil {
		line, _ := t.csv.FieldPos(0)
		t.read(line)
	}
	return r, nil
}

// time tries the layouts, the last one that fitted first.
func (t *table) time(s string) (time.Time, bool) {
	for i, l := range t.layouts {
		if at, err := time.Parse(l, s); err == nil {
			t.layouts[0], t.layouts[i] = l, t.layouts[0]
			return at, true
		}
	}
	return time.Time{}, false
}

// fault describes a field that breaks a rule, without its content.
func (t *table) fault(flag, rule string) error {
	i := t.columns[flag]
	line, _ := t.csv.FieldPos(i)
	return fmt.Errorf("-input: line %d of %s: column %q %s", line, t.options.inputName(), t.options.column(flag), rule)
}

// wrap names the input in an error of reading it. Errors of package csv hold
// lines and rules, and no content.
func (t *table) wrap(err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return fmt.Errorf("-input: line %d of %s: %w; every line must have the columns of the first", p.Line, t.options.inputName(), p.Err)
	}
	return fmt.Errorf("-input: %s: %w", t.options.inputName(), err)
}

func quoted(names []string) []string {
	var q []string
	for _, n := range names {
		q = append(q, strconv.Quote(n))
	}
	return q
}
