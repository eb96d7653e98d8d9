package rows

import (
	"bytes"
	"fmt"
	"slices"
)

// The rules of what is missing.
const (
	Refuse = "refuse"
	Skip   = "skip"
	Zero   = "zero"
)

// Marks are what spreadsheets, data frames and databases write for nothing.
var Marks = []string{"NA", "N/A", "#N/A", "<NA>", "NaN", "NaT", "null", "(null)", "None", `\N`}

func (f *Format) checkMissing(called func(string) string) error {
	if f.Missing == "" {
		f.Missing = Refuse
	}
	if f.Marks == nil {
		f.Marks = Marks
	}
	if !slices.Contains([]string{Refuse, Skip, Zero}, f.Missing) {
		return fmt.Errorf("%s is %q, must be refuse, skip (the row is left out) or zero (its value counts as 0)", called("Format.Missing"), f.Missing)
	}
	return nil
}

// A marker knows the marks of what is missing.
type marker struct {
	marks [][]byte
	first [256]bool // the bytes that one may begin with
}

func newMarker(f *Format) *marker {
	m := new(marker)
	for i := 0x80; i < len(m.first); i++ {
		m.first[i] = true // some letters outside of ASCII are the same as one inside but for case
	}
	for _, mark := range f.Marks {
		if mark != "" {
			m.marks = append(m.marks, []byte(mark))
			m.first[bytes.ToLower([]byte(mark[:1]))[0]], m.first[bytes.ToUpper([]byte(mark[:1]))[0]] = true, true
		}
	}
	return m
}

// is reports whether a field says nothing.
func (m *marker) is(field []byte) bool {
	if len(field) == 0 {
		return true
	}
	return m.first[field[0]] && slices.ContainsFunc(m.marks, func(mark []byte) bool { return bytes.EqualFold(mark, field) })
}
