package rows

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
)

// delimiters are tried in this order.
var delimiters = []rune{',', ';', '\t', '|'}

func (f *Format) checkDelimiter(called func(string) string) error {
	if !isDelimiter(f.Delimiter) {
		return fmt.Errorf("%s is %q, must be one character, or one of comma, semicolon, tab, pipe, space", called("Format.Delimiter"), f.Delimiter)
	}
	return nil
}

func isDelimiter(d string) bool {
	r, err := delimiterOf(d)
	return err == nil && (d == "" || r != '"' && r != '\r' && r != '\n' && r != utf8.RuneError)
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

// header reads the first line, finds the delimiter in it, and finds the columns of the
// fields. It returns what reads the lines behind it.
func (o *Options) header(text io.Reader, decoded bool, fields []*field) (*scanner, error) {
	b := bufio.NewReaderSize(text, 1<<16)
	skipped, given := 0, o.Format.Delimiter
	first, err := o.firstRecord(b, &skipped)
	if err != nil {
		return nil, err
	}
	first = strings.TrimLeft(first, "\ufeff") // some write their mark twice
	if said, found := strings.CutPrefix(strings.ToLower(strings.TrimSpace(first)), "sep="); found {
		// Excel writes and reads such a line, which says what the delimiter is.
		skipped++
		if given, err = o.delimiterSaid(said, skipped); err != nil {
			return nil, err
		}
		if first, err = o.firstRecord(b, &skipped); err != nil {
			return nil, err
		}
	}
	if damaged([]byte(first), decoded) {
		return nil, o.notText(1+skipped, decoded)
	}
	names, delimiter, err := o.split(first, given, skipped, fields)
	if err != nil {
		return nil, err
	}
	s := newScanner(io.MultiReader(strings.NewReader(first), b), delimiter, skipped)
	if err := s.scan(); err != nil {
		return nil, explain(o.Name, err)
	}
	return s, o.find(names, 1+skipped, fields)
}

// delimiterSaid returns the delimiter that Excel's first line names.
func (o *Options) delimiterSaid(said string, line int) (string, error) {
	flag, given := o.called("Format.Delimiter"), o.Format.Delimiter
	if given != "" && said != "" {
		if a, _ := delimiterOf(given); string(a) != said {
			return "", fmt.Errorf("%s is %q, but line %d of %s says that it is %q; leave it out", flag, given, line, o.Name, said)
		}
	}
	if said == "" {
		return "tab", nil // trimmed
	}
	if !isDelimiter(said) {
		return "", fmt.Errorf("line %d of %s begins with sep= and names no delimiter", line, o.Name)
	}
	return said, nil
}

// longestHeader is how many bytes a header may have.
const longestHeader = 1 << 20

// firstRecord returns the next line that is not blank, with the lines that it
// goes on to where a quote is open at its end. Blank lines are counted as skipped.
func (o *Options) firstRecord(b *bufio.Reader, skipped *int) (string, error) {
	var s strings.Builder
	open := false // whether a quote is
	for {
		line, err := b.ReadSlice('\n')
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
			return "", fmt.Errorf("%s: %w", o.Name, err)
		}
		blank := s.Len() == 0 && len(bytes.TrimSpace(line)) == 0
		s.Write(line)
		open = open != (bytes.Count(line, []byte(`"`))%2 == 1)
		switch {
		case !open && bytes.ContainsRune(bytes.TrimRight(line, "\r\n"), '\r'):
			return "", fmt.Errorf("%s has lines that end in a carriage return alone, as old Macs wrote them; save it with other line ends", o.Name)
		case s.Len() > longestHeader:
			return "", fmt.Errorf("line 1 of %s is longer than a million bytes, must be a line of column names", o.Name)
		case errors.Is(err, bufio.ErrBufferFull):
		case blank && err == nil:
			*skipped++
			s.Reset()
		case blank:
			return "", fmt.Errorf("%s is empty, must begin with a line of column names", o.Name)
		case !open || err != nil:
			return s.String(), nil
		}
	}
}

// split returns the names in the header. If no delimiter is given it is the one
// that finds most of the wanted columns, and then the one that gives most names.
func (o *Options) split(header, given string, skipped int, wanted []*field) (names []string, delimiter rune, err error) {
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
		s := newScanner(strings.NewReader(header), d, skipped)
		if readErr := s.scan(); readErr != nil {
			failed = readErr
			continue
		}
		var fields []string
		for _, f := range s.got {
			fields = append(fields, Tidy(string(f)))
		}
		found := 0
		for _, f := range wanted {
			if slices.Contains(fields, f.column) {
				found++
			}
		}
		if score := found<<20 + len(fields); score > best {
			best, names, delimiter = score, fields, d
		}
	}
	if names == nil {
		return nil, 0, explain(o.Name, failed)
	}
	return names, delimiter, nil
}

// find locates the columns of fields. What other columns are called does not matter: they
// may have the same names, years for names, or none.
func (o *Options) find(names []string, line int, fields []*field) error {
	var errs []error
	var wanted []string
	missing := 0
	for _, f := range fields {
		f.at = slices.Index(names, f.column)
		wanted = append(wanted, strconv.Quote(f.column))
		switch {
		case f.at < 0:
			missing++
			errs = append(errs, fmt.Errorf("%s: %s has no column %q%s", o.called(f.name), o.Name, f.column, others(names)))
		case slices.Contains(names[f.at+1:], f.column):
			errs = append(errs, fmt.Errorf("%s: %s has two columns %q; rename one", o.called(f.name), o.Name, f.column))
		}
	}
	switch {
	case missing < len(fields) || line == 0:
		return errors.Join(errs...)
	case slices.ContainsFunc(names, looksLikeData):
		return fmt.Errorf("line %d of %s looks like data, must be a line of column names, with %s among them", line, o.Name, strings.Join(wanted, ", "))
	}
	return fmt.Errorf("line %d of %s has none of the columns %s; it must be a header, with commas, semicolons, tabs or pipes between the names, or give %s (its %d fields are not shown: they may be data)",
		line, o.Name, strings.Join(wanted, ", "), o.called("Format.Delimiter"), len(names))
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
