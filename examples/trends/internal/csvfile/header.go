package csvfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// delimiters are tried in this order.
var delimiters = []rune{',', ';', '\t', '|'}

func checkDelimiter(d string) error {
	r, err := delimiterOf(d)
	if err == nil && d != "" && (r == '"' || r == '\r' || r == '\n' || r == utf8.RuneError) {
		err = errors.New("no delimiter")
	}
	if err != nil {
		return fmt.Errorf("-delimiter is %q, must be one character, or one of comma, semicolon, tab, pipe, space", d)
	}
	return nil
}

func delimiterOf(d string) (rune, error) {
	if r, ok := map[string]rune{"comma": ',', "semicolon": ';', "tab": '\t', `\t`: '\t', "pipe": '|', "space": ' '}[d]; ok {
		return r, nil
	}
	r, n := utf8.DecodeRuneInString(d)
	if n != len(d) {
		return 0, errors.New("more than one character")
	}
	return r, nil
}

// A column is one that is read: the flag that names it and its place.
type column struct {
	flag, name string
	at         int
}

func (c Columns) list() []column {
	all := []column{{flag: "-unit", name: c.Unit}, {flag: "-time", name: c.Time}}
	if c.Value != "" {
		all = append(all, column{flag: "-value", name: c.Value})
	}
	if c.Group != "" {
		all = append(all, column{flag: "-by", name: c.Group})
	}
	return all
}

// readHeader reads the first line, finds the delimiter in it, and finds the
// columns.
func (t *Reader) readHeader(text io.Reader) error {
	b := bufio.NewReaderSize(text, 1<<16)
	first, err := t.firstRecord(b)
	if err != nil {
		return err
	}
	first = strings.TrimLeft(first, "\ufeff") // some write their mark twice
	skipped := 0
	given := t.format.Delimiter
	if rest, found := strings.CutPrefix(strings.ToLower(strings.TrimSpace(first)), "sep="); found {
		// Excel writes and reads such a line, which says what the delimiter is.
		if given != "" && rest != "" {
			if a, _ := delimiterOf(given); string(a) != rest {
				return fmt.Errorf("-delimiter is %q, but line 1 of %s says that it is %q; leave -delimiter out", given, t.name, rest)
			}
		}
		given, skipped = rest, 1
		if rest == "" {
			given = "tab" // trimmed
		}
		if err := checkDelimiter(given); err != nil {
			return fmt.Errorf("-input: line 1 of %s begins with sep= and names no delimiter", t.name)
		}
		if first, err = t.firstRecord(b); err != nil {
			return err
		}
	}
	if !utf8.ValidString(first) || t.decoded && strings.ContainsRune(first, utf8.RuneError) {
		return t.notText(1 + skipped)
	}
	names, delimiter, err := t.split(first, given, skipped)
	if err != nil {
		return err
	}
	t.records = newRecords(io.MultiReader(strings.NewReader(first), b), delimiter, skipped)
	if _, err := t.records.next(); err != nil {
		return t.wrap(err)
	}
	return t.find(names, 1+skipped)
}

// longestHeader is how many bytes a header may have.
const longestHeader = 1 << 20

// firstRecord returns the next line that is not blank, with the lines that it
// goes on to where a quote is open at its end.
func (t *Reader) firstRecord(b *bufio.Reader) (string, error) {
	var s strings.Builder
	open := false // whether a quote is
	for {
		line, err := b.ReadSlice('\n')
		if err != nil && !ended(err) && !errors.Is(err, bufio.ErrBufferFull) {
			return "", t.wrap(err)
		}
		blank := s.Len() == 0 && len(bytes.TrimSpace(line)) == 0
		s.Write(line)
		open = open != (bytes.Count(line, []byte(`"`))%2 == 1)
		switch {
		case !open && bytes.ContainsRune(bytes.TrimRight(line, "\r\n"), '\r'):
			return "", fmt.Errorf("-input: %s has lines that end in a carriage return alone, as old Macs wrote them; save it with other line ends", t.name)
		case s.Len() > longestHeader:
			return "", fmt.Errorf("-input: line 1 of %s is longer than a million bytes, must be a line of column names", t.name)
		case errors.Is(err, bufio.ErrBufferFull):
		case blank && err == nil:
			s.Reset()
		case blank:
			return "", fmt.Errorf("-input: %s is empty, must begin with a line of column names", t.name)
		case !open || err != nil:
			return s.String(), nil
		}
	}
}

// split returns the names in the header. If no delimiter is given it is the one
// that finds most of the wanted columns, and then the one that gives most names.
func (t *Reader) split(header, given string, skipped int) (names []string, delimiter rune, err error) {
	tried := delimiters
	if given != "" {
		r, err := delimiterOf(given)
		if err != nil {
			return nil, 0, err
		}
		tried = []rune{r}
	}
	best := -1
	var failed error
	for _, d := range tried {
		fields, readErr := newRecords(strings.NewReader(header), d, skipped).next()
		if readErr != nil {
			failed = errors.Join(failed, readErr)
			continue
		}
		fields = slices.Clone(fields)
		for i := range fields {
			fields[i] = Tidy(fields[i])
		}
		found := 0
		for _, c := range t.columns {
			if slices.Contains(fields, Tidy(c.name)) {
				found++
			}
		}
		if score := found<<20 + len(fields); score > best {
			best, names, delimiter = score, fields, d
		}
	}
	if names == nil {
		return nil, 0, t.wrap(failed)
	}
	return names, delimiter, nil
}

// Tidy returns a text without spaces around it and in one of the ways to write
// it: é may be one character or two, and macOS writes it as two.
func Tidy(s string) string { return norm.NFC.String(strings.TrimSpace(s)) }

// find locates the columns that are read. What other columns are called does not
// matter: they may have the same names, years for names, or none.
func (t *Reader) find(names []string, line int) error {
	var errs []error
	missing := 0
	for i := range t.columns {
		c := &t.columns[i]
		c.at = slices.Index(names, Tidy(c.name))
		switch {
		case c.at < 0:
			missing++
			errs = append(errs, fmt.Errorf("%s: %s has no column %q%s", c.flag, t.name, c.name, others(names)))
		case slices.Contains(names[c.at+1:], Tidy(c.name)):
			errs = append(errs, fmt.Errorf("%s: %s has two columns %q; rename one", c.flag, t.name, c.name))
		}
	}
	if missing < len(t.columns) {
		return errors.Join(errs...)
	}
	var wanted []string
	for _, c := range t.columns {
		wanted = append(wanted, strconv.Quote(c.name))
	}
	if slices.ContainsFunc(names, looksLikeData) {
		return fmt.Errorf("-input: line %d of %s looks like data, must be a line of column names, with %s among them", line, t.name, strings.Join(wanted, ", "))
	}
	return fmt.Errorf("-input: line %d of %s has none of the columns %s; it must be a header, with commas, semicolons, tabs or pipes between the names, or give -delimiter (its %d fields are not shown: they may be data)",
		line, t.name, strings.Join(wanted, ", "), len(names))
}

// others lists the names of a header, of which one at least was expected, less
// what may be data after all.
func others(names []string) string {
	var shown []string
	for _, n := range names {
		if !looksLikeData(n) {
			shown = append(shown, strconv.Quote(n))
		}
	}
	if shown == nil {
		return ""
	}
	return ", must be one of " + strings.Join(shown, ", ")
}

// looksLikeData reports whether a field is a number, a time or nothing: then a
// first line of data may be taken for names, and printing it would show
// somebody's row.
func looksLikeData(field string) bool {
	if _, err := strconv.ParseFloat(field, 64); err == nil || field == "" {
		return true
	}
	return slices.ContainsFunc(slices.Concat(isoDays, otherDays), func(l string) bool {
		_, err := time.Parse(l, field[:min(len(field), len(l))])
		return err == nil
	})
}
