package rows

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/equipoise-dp/equipoise/aggregate/rows/internal/table"
)

// jsonRows are lines that hold one object of JSON each. Only values of wanted columns are
// looked at, after the whole line was found to be JSON.
type jsonRows struct {
	lines
	opened
	options *Options
	decoded bool
	line    int
	columns map[string]int // their places
	names   []string
	values  [][]byte // of the line, or nil
	seen    []bool   // whether any line has the column
}

func newJSON(r io.Reader, source opened, fields []*field, o *Options, decoded bool) *jsonRows {
	j := &jsonRows{lines: lines{in: r}, opened: source, options: o, decoded: decoded, columns: make(map[string]int)}
	for _, f := range fields {
		at, ok := j.columns[f.column]
		if !ok {
			at = len(j.names)
			j.columns[f.column] = at
			j.names = append(j.names, f.column)
		}
		f.at = at
	}
	j.values, j.seen = make([][]byte, len(j.names)), make([]bool, len(j.names))
	return j
}

func (j *jsonRows) Next() error {
	for {
		j.line++
		line, err := j.upTo(0)
		if errors.Is(err, io.EOF) {
			return j.ended()
		}
		if errors.Is(err, errLong) {
			return &scanError{j.line, err}
		}
		if err != nil {
			return err
		}
		j.take(len(line))
		line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\ufeff")))
		switch {
		case len(line) == 0:
			continue
		case damaged(line, j.decoded):
			return j.options.notText(j.line, j.decoded)
		case line[0] != '{' || !json.Valid(line):
			return placed{fmt.Errorf("line %d of %s is not one object of JSON", j.line, j.options.Name)}
		}
		return j.split(line)
	}
}

// ended reports columns that no line had: a name that is wrong would else be taken for one
// whose values are missing.
func (j *jsonRows) ended() error {
	var errs []error
	for i, name := range j.names {
		if !j.seen[i] && j.line > 1 {
			errs = append(errs, fmt.Errorf("no line of %s has %q", j.options.Name, name))
		}
	}
	if errs == nil {
		return io.EOF
	}
	return placed{errors.Join(errs...)}
}

// split finds the wanted values of an object, which is valid JSON.
func (j *jsonRows) split(object []byte) error {
	clear(j.values)
	rest := bytes.TrimLeft(object[1:], blanks)
	for rest[0] == '"' {
		n := extent(rest)
		key := unquoted(rest[:n])
		rest = bytes.TrimLeft(rest[n:], blanks)
		rest = bytes.TrimLeft(rest[1:], blanks) // behind the colon
		n = extent(rest)
		if at, ok := j.columns[string(tidy(bytes.TrimSpace(key)))]; ok {
			if j.values[at] != nil {
				return placed{fmt.Errorf("line %d of %s has %q twice", j.line, j.options.Name, j.names[at])}
			}
			j.values[at], j.seen[at] = rest[:n], true
		}
		rest = bytes.TrimLeft(rest[n:], blanks+",")
	}
	return nil
}

const blanks = " \t\r\n"

// extent returns how long the first value of valid JSON is.
func extent(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
			if depth < 0 {
				return i
			}
		case ',', ' ', '\t', '\r', '\n', ':':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}

// unquoted returns the text of a string of valid JSON.
func unquoted(b []byte) []byte {
	if bytes.IndexByte(b, '\\') < 0 {
		return b[1 : len(b)-1]
	}
	var s string
	if json.Unmarshal(b, &s) != nil {
		return nil // it is valid
	}
	return []byte(s)
}

func (j *jsonRows) Read(column int, to table.Sink) {
	switch b := j.values[column]; {
	case b == nil || b[0] == 'n':
		to.Null()
	case b[0] == '"':
		text := unquoted(b)
		if bytes.ContainsRune(text, utf8.RuneError) && !bytes.ContainsRune(b, utf8.RuneError) {
			to.Refuse("holds half a character")
			return
		}
		to.Text(text)
	case b[0] == 't' || b[0] == 'f':
		to.Bool(b[0] == 't')
	case b[0] == '{' || b[0] == '[':
		to.Refuse("is an object or a list, must be one value")
	default:
		to.Number(b)
	}
}

func (j *jsonRows) Place() string { return fmt.Sprintf("line %d", j.line) }
