package consent

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/equipoise-dp/equipoise/aggregate"
)

// A File is a source that reads a CSV file, anew whenever it is asked. Its first line is
// "unit,purpose,choice"; a purpose can be [Every], a choice is yes or no. Of two choices
// about one purpose, no goes before yes.
//
// Units are compared byte by byte, so Text must write them as the file does. What may be a unit that was asked
// for in another form is an error, since a no there would be lost: other letters for the same text (as é, and e with an accent),
// blanks, signs that do not show, zeros before a number, and other case unless CaseMatters says that those are other
// units. It is none if the file has a line about the same purpose for the unit as it was asked for too: then both are units. Blanks around a unit or a purpose, and the
// purpose that is asked for in another form, are always errors. An error names no unit.
//
// Write a new file beside it and rename that: a file that is half written can lack a no.
type File[Unit comparable] struct {
	Path        string
	Text        func(Unit) string // how the file writes a unit
	CaseMatters bool              // units that differ in case are different ones
}

var columns = []string{"unit", "purpose", "choice"}

// Choices implements [aggregate.ConsentSource].
func (f File[Unit]) Choices(ctx context.Context, purpose string, units []Unit) ([]aggregate.Choice, error) {
	if f.Text == nil {
		return nil, errors.New("consent: File.Text is nil; it must say how the file writes a unit")
	}
	file, err := os.Open(f.Path)
	if err != nil {
		return nil, fmt.Errorf("consent: %w", err)
	}
	defer file.Close() //nolint:errcheck // it was read only
	s, err := read(ctx, file, purpose)
	if err == nil {
		err = f.checkForms(s, purpose, units)
	}
	if err != nil {
		return nil, fmt.Errorf("consent: %s: %w", f.Path, err)
	}
	return answers(s, f.Text, purpose, units), nil
}

var errForm = errors.New("a unit is there in another form than was asked for, such as in other case, with other blanks, with accents apart, or as 7 for 007, and not in the one that was; let File.Text write units as the file does, or say that CaseMatters")

// checkForms returns an error if a line may be about a unit that has none as it was asked for.
func (f File[Unit]) checkForms(s said, purpose string, units []Unit) error {
	missing := map[string]bool{} // plain forms of units without a line
	for _, u := range units {
		if text := f.Text(u); s.of(text, purpose) == aggregate.Silent {
			missing[plain(text, f.CaseMatters)] = true
		}
	}
	for at := range s {
		if (at[1] == purpose || at[1] == Every) && missing[plain(at[0], f.CaseMatters)] {
			return errForm
		}
	}
	return nil
}

func read(ctx context.Context, r io.Reader, purpose string) (said, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord = len(columns)
	head, err := in.Read()
	if err != nil || !slices.Equal(head, columns) {
		return nil, fmt.Errorf("the first line must be unit,purpose,choice (%v)", err)
	}
	s := said{}
	for {
		line, err := in.Read()
		if errors.Is(err, io.EOF) {
			return s, ctx.Err()
		}
		if err == nil && otherForm(line[0], line[1], purpose) {
			err = errors.New("a unit or purpose has blanks around it, or the purpose is in another form than was asked for, such as in other case")
		}
		if err == nil {
			err = s.add(line[0], line[1], line[2])
		}
		if err != nil {
			return nil, err
		}
	}
}

// otherForm reports whether a line may be about what is asked and would not be found.
func otherForm(unit, about, purpose string) bool {
	return strings.TrimSpace(unit) != unit || strings.TrimSpace(about) != about || about != purpose && plain(about, false) == plain(purpose, false)
}
