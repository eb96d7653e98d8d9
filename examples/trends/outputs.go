package main

import (
	"errors"
	"fmt"
	"io"
)

// A form is a way to write a report.
type form[R any] struct {
	flag, path string
	room       int // for one cell
	render     func(R) ([]byte, error)
}

func (o *options) forms() []form[*report] {
	return []form[*report]{
		{"-out", o.Out, 2048, (*report).html},
		{"-csv", o.CSV, 512, (*report).csv},
		{"-json", o.JSON, 1024, (*report).json},
	}
}

func (o *options) formsOfSeries() []form[*seriesPage] {
	return []form[*seriesPage]{
		{"-out", o.Out, 512, (*seriesPage).html},
		{"-csv", o.CSV, 1024, (*seriesPage).csv},
		{"-json", o.JSON, 4096, (*seriesPage).json},
	}
}

// printed writes the table to standard output, or the form that was asked for there.
func printed[R any](stdout io.Writer, forms []form[R], r R, terminal func() error) error {
	for _, f := range forms {
		if f.path != standard {
			continue
		}
		content, err := f.render(r)
		if err == nil {
			_, err = stdout.Write(content)
		}
		return err
	}
	return terminal()
}

// publish writes the files, and what goes to standard output, and says which files there are, with a note.
func publish[R any](files fileSet[R], forms []form[R], r R, terminal func() error, stdout, stderr io.Writer, note string) error {
	if err := files.write(r); err != nil {
		return err
	}
	if err := printed(stdout, forms, r, terminal); err != nil {
		return err
	}
	for _, f := range files {
		fmt.Fprintf(stderr, "wrote %s%s\n", f.path, note)
	}
	return nil
}

// A fileSet is the files that a run writes: all, or none.
type fileSet[R any] []*output[R]

type output[R any] struct {
	*staged
	render func(R) ([]byte, error)
}

func stageAll[R any](forms []form[R], cells int) (fileSet[R], error) {
	var files fileSet[R]
	for _, f := range forms {
		if f.path == "" || f.path == standard {
			continue
		}
		s, err := stage(f.flag, f.path, 1<<16+f.room*cells)
		if err != nil {
			return files, err
		}
		files = append(files, &output[R]{s, f.render})
	}
	return files, nil
}

// write renders every file before the first is placed.
func (fs fileSet[R]) write(r R) error {
	for _, f := range fs {
		content, err := f.render(r)
		if err != nil {
			return err
		}
		if err := f.fill(content); err != nil {
			return err
		}
	}
	for _, f := range fs {
		if err := f.place(); err != nil {
			return err
		}
	}
	return nil
}

func (fs fileSet[R]) discard() error {
	var errs []error
	for _, f := range fs {
		errs = append(errs, f.discard())
	}
	return errors.Join(errs...)
}
