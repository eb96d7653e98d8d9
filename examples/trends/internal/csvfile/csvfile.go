// Package csvfile reads rows from CSV files as people have them: as spreadsheets,
// data frames and databases write them. What it cannot read for certain it
// refuses by name, and says how it could be told.
//
// It looks at bytes (container.go), at characters (encoding.go), at the first
// line (header.go) and then at fields (number.go, clock.go, missing.go); what a
// row becomes depends on this row and on the [Format], and on no other row.
//
// # Privacy
//
// Errors name the file, the line, the column and the rule, and never what stands
// in a field.
package csvfile

import (
	"errors"
	"io"
)

// A Row is what is read of a line.
type Row struct {
	Unit  string // whose row it is
	Group string // "" if no column of groups is asked for
	Date  Date   // the day, in the zone of the Format
	Value float64
}

// Columns are the names of the columns that are read. Value and Group may be
// empty.
type Columns struct{ Unit, Time, Value, Group string }

// A Format says how a file is written, as far as the file does not say so
// itself. The zero Format reads UTF-8, finds the delimiter, takes a point for
// the decimal sign, and refuses missing values.
type Format struct {
	Encoding  string // a name such as windows-1252, or empty for UTF-8 or what the first bytes say
	Delimiter string // one character, or empty to find it
	Number    Number
	Missing   Missing
	Clock     Clock
}

// Check fills in what is empty and returns every mistake in the format, each with the flag that it comes
// from. A format without mistakes never makes a row's fate depend on anything
// but what is written in the row.
func (f *Format) Check() error {
	return errors.Join(checkEncoding(f.Encoding), checkDelimiter(f.Delimiter), f.Number.check(), f.Missing.check(), f.Clock.check())
}

// A Reader reads the rows of one file.
type Reader struct {
	name    string
	format  *Format
	clock   *clock
	records *records
	columns []column
	decoded bool // from an encoding in which U+FFFD marks what could not be read

	// Progress, if not nil, is told how many lines were read.
	Progress func(line int)
}

// NewReader reads the first line of a file. Name is how errors call the file.
func NewReader(name string, r io.Reader, f Format, c Columns) (*Reader, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	plain, err := uncompressed(name, r)
	if err != nil {
		return nil, err
	}
	text, decoded, err := decode(name, f.Encoding, plain)
	if err != nil {
		return nil, err
	}
	t := &Reader{name: name, format: &f, clock: newClock(f.Clock), columns: c.list(), decoded: decoded}
	return t, t.readHeader(text)
}
