package csvfile

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"
)

// records reads the fields of lines, and knows which line it is at.
type records struct {
	csv     *csv.Reader
	skipped int // lines before the header
}

func newRecords(r io.Reader, delimiter rune, skipped int) *records {
	c := csv.NewReader(r)
	c.Comma, c.ReuseRecord = delimiter, true
	return &records{c, skipped}
}

func (r *records) next() ([]string, error) { return r.csv.Read() }

// line returns the line of a field of the last record.
func (r *records) line(field int) int {
	line, _ := r.csv.FieldPos(field)
	return line + r.skipped
}

// Rows yields the rows, and ends with the first error.
func (t *Reader) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for {
			fields, err := t.records.next()
			if ended(err) {
				return
			}
			if err != nil {
				yield(Row{}, t.wrap(err))
				return
			}
			row, counts, err := t.row(fields)
			if (counts || err != nil) && !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// row reads a row. It does not count if something is missing in it and such rows
// are to be skipped.
func (t *Reader) row(fields []string) (row Row, counts bool, err error) {
	if i := slices.IndexFunc(fields, t.damaged); i >= 0 {
		return row, false, t.notText(t.records.line(i))
	}
	if t.Progress != nil {
		t.Progress(t.records.line(0))
	}
	for _, c := range t.columns {
		field := strings.TrimSpace(fields[c.at])
		if c.flag != "-by" && t.format.Missing.is(field) {
			field, err = t.nothing(c)
			if field == "" || err != nil {
				return row, false, err
			}
		}
		if err := t.read(&row, c, field); err != nil {
			return row, false, err
		}
	}
	return row, true, nil
}

// nothing returns what stands for a missing field: "" skips the row.
func (t *Reader) nothing(c column) (field string, err error) {
	switch rule := t.format.Missing.Rule; {
	case rule == Skip:
		return "", nil
	case rule == Zero && c.flag == "-value":
		return "0", nil
	case c.flag == "-value":
		return "", t.fault(c, "is blank, or marked as missing; -missing zero counts it as 0, -missing skip leaves out the row")
	case c.flag == "-unit":
		return "", t.fault(c, "is blank, or marked as missing, must say whose row it is; -missing skip leaves out the row, -missing-marks says what marks there are")
	}
	return "", t.fault(c, "is blank, or marked as missing; -missing skip leaves out the row")
}

// read sets the part of a row that a column is for. A field is copied, since the
// next line will overwrite it.
func (t *Reader) read(row *Row, c column, field string) error {
	var ok bool
	switch c.flag {
	case "-unit":
		row.Unit = strings.Clone(Tidy(field))
	case "-by":
		row.Group = strings.Clone(Tidy(field))
	case "-time":
		if row.Date, ok = t.clock.date(field); !ok {
			return t.fault(c, t.howTimesAreWritten())
		}
	case "-value":
		if row.Value, ok = t.format.Number.parse(field); !ok {
			return t.fault(c, t.howNumbersAreWritten())
		}
	}
	return nil
}

func (t *Reader) howTimesAreWritten() string {
	if l := t.format.Clock.Layout; l != "" {
		return fmt.Sprintf("is not a time as -time-layout %s says", l)
	}
	return "is not a time in a layout that can be taken for no other; give -time-layout, such as " + strings.Join(Words, ", ")
}

func (t *Reader) howNumbersAreWritten() string {
	n := t.format.Number
	like := "-1234" + n.Decimal + "5"
	if n.Thousands != "" {
		like = "-1" + n.Thousands + "234" + n.Decimal + "5"
	}
	return fmt.Sprintf("is not a number such as %s; -decimal, -thousands and -currency say how numbers are written, and signs such as %% are not read", like)
}

// damaged reports whether a field holds bytes that mean nothing in the encoding.
func (t *Reader) damaged(field string) bool {
	return !utf8.ValidString(field) || t.decoded && strings.ContainsRune(field, utf8.RuneError)
}

func (t *Reader) notText(line int) error {
	if t.decoded {
		return fmt.Errorf("-input: line %d of %s is not in the encoding that it was read in; -encoding names another", line, t.name)
	}
	return fmt.Errorf("-input: line %d of %s is not in UTF-8; if it is in Windows-1252, as Excel writes it in western Europe, give -encoding windows-1252", line, t.name)
}

// fault describes a field that breaks a rule, without its content.
func (t *Reader) fault(c column, rule string) error {
	return fmt.Errorf("-input: line %d of %s: column %q %s", t.records.line(c.at), t.name, c.name, rule)
}

// wrap names the input in an error of reading it. Errors of package csv hold
// lines and rules, and no content.
func (t *Reader) wrap(err error) error {
	var p *csv.ParseError
	if !errors.As(err, &p) {
		return fmt.Errorf("-input: %s: %w", t.name, err)
	}
	skipped, help := 0, ""
	if t.records != nil {
		skipped = t.records.skipped
	}
	switch {
	case errors.Is(p.Err, csv.ErrFieldCount):
		help = "; every line must have the columns of the first (R's write.table names one too few unless col.names=NA is given)"
	case errors.Is(p.Err, csv.ErrQuote), errors.Is(p.Err, csv.ErrBareQuote):
		help = `; a field with a quote in it must be in quotes, and the quote in it written twice`
	}
	return fmt.Errorf("-input: line %d of %s: %w%s", p.Line+skipped, t.name, p.Err, help)
}
