package main

import (
	"bytes"
	"context"
	"io"
	"iter"
	"strings"

	"github.com/equipoise-dp/equipoise/aggregate/rows"
	"github.com/equipoise-dp/equipoise/examples/trends/data"
)

// standard is what standard input and standard output are called.
const standard = "-"

// An input is open: its header fits. What was shown of progress is wiped out by done.
type input struct {
	rows iter.Seq2[row, error]
	done func()
}

// open opens what -input names: a file, standard input, or the embedded data, and finds
// every mistake in its header.
func (o *options) open(ctx context.Context, stdin io.Reader, stderr io.Writer) (*input, error) {
	read, done := progress(stderr)
	how := rows.Options{
		Name: o.inputName(), Format: o.Format, Called: called, Progress: read, Secret: rows.NewSecret(),
		Columns: map[string]string{"Unit": o.Unit, "Date": o.Time, "Value": o.Value, "Group": o.By},
	}
	lines, err := o.lines(ctx, how, stdin)
	if err != nil {
		return nil, inputError{err}
	}
	return &input{o.inSlots(lines), done}, nil
}

func (o *options) lines(ctx context.Context, how rows.Options, stdin io.Reader) (iter.Seq2[line, error], error) {
	switch {
	case o.embedded():
		return rows.Read[line](ctx, bytes.NewReader(data.Purchases), how)
	case o.Input == standard:
		return rows.Read[line](ctx, stdin, how)
	}
	files, err := rows.Files[line](ctx, how, o.Input)
	if err != nil {
		return nil, err
	}
	return files[0], nil
}

// called says which flag a field of a line, or of its format, comes from.
func called(field string) string {
	return map[string]string{
		"Unit": "-unit", "Date": "-time", "Value": "-value", "Group": "-by",
		"Format.Encoding": "-encoding", "Format.Delimiter": "-delimiter", "Format.Decimal": "-decimal", "Format.Thousands": "-thousands",
		"Format.Currency": "-currency", "Format.Missing": "-missing", "Format.Marks": "-missing-marks", "Format.Layout": "-time-layout", "Format.Zone": "-zone",
	}[field]
}

// An inputError says which flag names the input, where it does not begin with another one.
type inputError struct{ error }

func (e inputError) Unwrap() error { return e.error }

func (e inputError) Error() string {
	var all []string
	for _, l := range strings.Split(e.error.Error(), "\n") {
		if !strings.HasPrefix(l, "-") {
			l = "-input: " + l
		}
		all = append(all, l)
	}
	return strings.Join(all, "\n")
}
