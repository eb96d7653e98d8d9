package csvfile

import (
	"fmt"
	"slices"
	"strings"
)

// A Missing says what a field is in which nothing is written, or a mark that
// stands for nothing.
type Missing struct {
	// Rule is what becomes of such a row: refuse ends with an error, and is the
	// rule if this is empty; skip leaves out the row as if it were not in the
	// file; zero counts its value as 0. Units and times have no zero: with zero,
	// a row without one is refused.
	Rule string

	// Marks are what is written for nothing, without regard to case, beside a
	// blank field. If nil, they are [Marks].
	Marks []string
}

// The rules.
const (
	Refuse = "refuse"
	Skip   = "skip"
	Zero   = "zero"
)

// Marks are what spreadsheets, data frames and databases write for nothing.
var Marks = []string{"NA", "N/A", "#N/A", "<NA>", "NaN", "NaT", "null", "(null)", "None", `\N`}

func (m *Missing) check() error {
	if m.Rule == "" {
		m.Rule = Refuse
	}
	if m.Marks == nil {
		m.Marks = Marks
	}
	if !slices.Contains([]string{Refuse, Skip, Zero}, m.Rule) {
		return fmt.Errorf("-missing is %q, must be refuse, skip (the row is left out) or zero (its value counts as 0)", m.Rule)
	}
	return nil
}

// is reports whether a field says nothing.
func (m *Missing) is(field string) bool {
	return field == "" || slices.ContainsFunc(m.Marks, func(mark string) bool { return strings.EqualFold(mark, field) })
}
