package rows

import (
	"errors"
	"time"
)

// Options say how a source is written and what of it is read. The zero Options read by
// tags and names of fields, and take UTF-8 or what the first bytes say.
type Options struct {
	Name   string // what errors call the source; files have their own
	Format Format

	// Columns are names of columns, by fields, in place of what tags say. A field whose
	// name here is empty is left alone.
	Columns map[string]string

	// Since, if it is set, leaves out rows whose time is before it, before anything else of
	// them is decoded: what was to be deleted by then does not enter the program. Rows need
	// one field of type time.Time or Date. A day counts if it is not over by then in the zone of the
	// Format.
	Since time.Time

	// Secret makes fields of type [ID]. Sources whose units may be the same must have the
	// same one.
	Secret *Secret

	// Progress, if not nil, is told now and then how many rows were read, and how many bytes of
	// the source as it is stored. Sources that are read at the same time call it at the same time.
	Progress func(rows, bytes int64)

	// Called, if not nil, says how a program calls a field of a row, such as Euros, or of a
	// Format, such as Format.Decimal: errors use its words.
	Called func(field string) string
}

// A Format says how a source is written, as far as it does not say so itself. The zero
// Format reads UTF-8, finds the delimiter, takes a point for the decimal sign, and refuses
// missing values. Numbers of JSON and numbers and times of databases are read as what they are.
type Format struct {
	Encoding  string // a name such as windows-1252, or empty for UTF-8 or what the first bytes say
	Delimiter string // one character, or a word such as tab, or empty to find it

	Decimal   string // "." or ","; "." if empty
	Thousands string // ",", ".", " " or "'" between thousands, or empty for none
	Currency  string // a sign that may stand before or after an amount, or empty

	// Missing is what becomes of a row in which nothing, or a mark that stands for nothing,
	// is written in a field: Refuse ends with an error, and is the rule if this is empty;
	// Skip leaves out the row as if it were not there; Zero counts a number as 0, and
	// refuses the row if it is no number, since nothing else has a zero.
	Missing string
	Marks   []string // what is written for nothing beside a blank, without regard to case, but in an ID: somebody may be called so; [Marks] if nil

	// A time with an offset from UTC is an instant: a Date is the day that it was in Zone. A
	// time without one is what a clock on the wall of Zone showed, and its Date is the day that is written.
	Zone   string // such as Europe/Berlin; UTC if empty
	Layout string // of package time, or one of [Layouts]; empty for every layout that can be taken for no other
}

// Check fills in what is empty, and returns every mistake; called says how errors call
// fields, as in [Options].
func (f *Format) Check(called func(field string) string) error {
	if called == nil {
		called = func(field string) string { return field }
	}
	return errors.Join(f.checkEncoding(called), f.checkDelimiter(called), f.checkNumber(called), f.checkMissing(called), f.checkClock(called))
}

// called says how errors call a field.
func (o *Options) called(field string) string {
	if o.Called == nil {
		return field
	}
	return o.Called(field)
}

// check fills in what is empty.
func (o *Options) check() error {
	if o.Name == "" {
		o.Name = "the input"
	}
	return o.Format.Check(o.called)
}
