package rows

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// What is wrong with a record.
var (
	errQuote = errors.New("a quote stands where none may be")
	errOpen  = errors.New("a quote is opened and not closed")
	errCount = errors.New("wrong number of fields")
)

// A scanner cuts CSV into fields as package encoding/csv does, and gives those that are
// wanted. Fields are there until the next record.
type scanner struct {
	lines
	separator []byte
	wanted    []int // numbers of columns in order, or nil for all
	fields    int   // how many a record must have, or 0 for what the first one has

	got    [][]byte // the wanted fields
	record []byte   // as it stands in the input
	line   int      // where the record begins
	next   int      // line of the next record
	text   []byte   // of fields without their quotes
	ends   []int    // of fields in text
}

func newScanner(r io.Reader, delimiter rune, skipped int) *scanner {
	return &scanner{lines: lines{in: r}, separator: []byte(string(delimiter)), next: 1 + skipped}
}

// want says which columns are wanted, by numbers in ascending order.
func (s *scanner) want(columns []int) {
	s.wanted, s.got = columns, make([][]byte, len(columns))
}

// A scanError is a record that is no CSV. It holds nothing that stands there.
type scanError struct {
	line int
	error
}

func (e *scanError) Unwrap() error { return e.error }

// scan goes to the next record. The error at the end is io.EOF.
func (s *scanner) scan() error {
	for {
		line, err := s.upTo(0)
		s.line = s.next
		if errors.Is(err, errLong) {
			return &scanError{s.line, err}
		}
		if err != nil {
			return err // of reading, or the end
		}
		content := withoutEnd(line)
		if len(content) == 0 {
			s.next++
			s.take(len(line))
			continue
		}
		if bytes.IndexByte(content, '"') >= 0 {
			return s.scanQuoted(line)
		}
		s.record = content
		s.next++
		s.take(len(line))
		return s.count(s.cut(content))
	}
}

// withoutEnd returns a line without its end. A carriage return at the end of the input
// is one too.
func withoutEnd(line []byte) []byte {
	n := len(line)
	if n > 0 && line[n-1] == '\n' {
		n--
	}
	if n > 0 && line[n-1] == '\r' {
		n--
	}
	return line[:n]
}

// count compares the number of fields with what it must be.
func (s *scanner) count(fields int) error {
	if s.fields == 0 {
		s.fields = fields
	}
	if fields != s.fields {
		return &scanError{s.line, errCount}
	}
	return nil
}

// cut cuts a line without quotes, and returns how many fields it has. Behind the last one
// that is wanted they are only counted.
func (s *scanner) cut(line []byte) int {
	if s.wanted == nil {
		s.got = bytes.Split(line, s.separator)
		return len(s.got)
	}
	n := 0
	for i, column := range s.wanted {
		for ; n < column; n++ {
			at := bytes.Index(line, s.separator)
			if at < 0 {
				return n + 1 // too few
			}
			line = line[at+len(s.separator):]
		}
		s.got[i] = line
		if at := bytes.Index(line, s.separator); at >= 0 {
			s.got[i] = line[:at]
		}
	}
	return n + 1 + bytes.Count(line, s.separator)
}

// scanQuoted cuts a record that has quotes, and may go on over several lines; its first
// one is rec.
func (s *scanner) scanQuoted(rec []byte) (err error) {
	s.text, s.ends = s.text[:0], s.ends[:0]
	for pos, more := 0, true; more; {
		if pos < len(rec) && rec[pos] == '"' {
			rec, pos, more, err = s.quoted(rec, pos+1)
		} else {
			pos, more, err = s.bare(rec, pos)
		}
		if err != nil {
			return err
		}
		s.ends = append(s.ends, len(s.text))
	}
	s.record = rec
	s.next++
	s.take(len(rec))
	return s.count(s.collect())
}

// bare reads a field without quotes that begins at pos. It returns where the next one
// does, and whether there is one.
func (s *scanner) bare(rec []byte, pos int) (next int, more bool, err error) {
	field := withoutEnd(rec[pos:])
	at := bytes.Index(field, s.separator)
	if at >= 0 {
		field = field[:at]
	}
	if bytes.IndexByte(field, '"') >= 0 {
		return 0, false, &scanError{s.next, errQuote}
	}
	s.text = append(s.text, field...)
	return pos + at + len(s.separator), at >= 0, nil
}

// quoted reads the rest of a field in quotes, and the lines that it goes on to.
func (s *scanner) quoted(rec []byte, pos int) (_ []byte, next int, more bool, err error) {
	for {
		at := bytes.IndexByte(rec[pos:], '"')
		if at < 0 { // the line ends inside of the field
			s.text = append(s.text, rec[pos:]...)
			if bytes.HasSuffix(rec[pos:], []byte("\r\n")) {
				s.text = append(s.text[:len(s.text)-2], '\n')
			}
			pos = len(rec)
			rec, err = s.upTo(pos)
			switch {
			case errors.Is(err, errLong):
				return nil, 0, false, &scanError{s.line, err}
			case errors.Is(err, io.EOF):
				return nil, 0, false, &scanError{s.next, errOpen}
			case err != nil:
				return nil, 0, false, err
			}
			s.next++
			continue
		}
		s.text = append(s.text, rec[pos:pos+at]...)
		pos += at + 1
		switch rest := rec[pos:]; {
		case len(rest) > 0 && rest[0] == '"':
			s.text = append(s.text, '"')
			pos++
		case bytes.HasPrefix(rest, s.separator):
			return rec, pos + len(s.separator), true, nil
		case len(withoutEnd(rest)) == 0:
			return rec, 0, false, nil
		default:
			return nil, 0, false, &scanError{s.next, errQuote}
		}
	}
}

// collect gives the wanted fields of a record that had quotes, and returns how many
// fields it has.
func (s *scanner) collect() int {
	field := func(i int) []byte {
		begin := 0
		if i > 0 {
			begin = s.ends[i-1]
		}
		return s.text[begin:s.ends[i]]
	}
	if s.wanted == nil {
		s.got = s.got[:0]
		for i := range s.ends {
			s.got = append(s.got, field(i))
		}
	}
	for i, column := range s.wanted {
		if column < len(s.ends) {
			s.got[i] = field(column)
		}
	}
	return len(s.ends)
}

// placed is an error that says where it is.
type placed struct{ error }

func (p placed) Unwrap() error { return p.error }

// explain names the place and the rule of an error of reading.
func explain(name string, err error) error {
	if at, ok := err.(placed); ok {
		return at.error
	}
	var wrong *scanError
	if !errors.As(err, &wrong) {
		return fmt.Errorf("%s: %w", name, err)
	}
	help := ""
	switch wrong.error {
	case errCount:
		help = "; every line must have the columns of the first (R's write.table names one too few unless col.names=NA is given)"
	case errQuote, errOpen:
		help = `; a field with a quote in it must be in quotes, and the quote in it written twice`
	}
	return fmt.Errorf("line %d of %s: %w%s", wrong.line, name, wrong.error, help)
}
