package rows

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/equipoise-dp/equipoise/aggregate/rows/internal/table"
)

// Read reads rows of text: CSV with a line of names, or lines of JSON, plain or compressed
// with gzip or Zstandard. Which of them it is its first bytes say.
//
// Mistakes in the type, the options and the header are returned; mistakes in rows come with the
// rows, which end with the first row that has any. Rows can be read once. Reading ends soon after ctx is done,
// with its error, also while in gives nothing; a call of in.Read that then never returns is left behind.
func Read[Row any](ctx context.Context, in io.Reader, o Options) (iter.Seq2[Row, error], error) {
	r, err := newReader[Row](ctx, &o)
	if err != nil {
		return nil, err
	}
	return r.text(in, func() error { return nil })
}

// From reads rows of a table; it is for packages of this library that have other kinds of sources.
func From[Row any](ctx context.Context, t table.Table, o Options) (iter.Seq2[Row, error], error) {
	r, err := newReader[Row](ctx, &o)
	if err == nil {
		err = o.find(tidied(t.Columns()), 0, r.fields)
	}
	if err == nil {
		err = t.Want(wanted(r.fields))
	}
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return r.rows(t), nil
}

func tidied(names []string) []string {
	var all []string
	for _, n := range names {
		all = append(all, Tidy(n))
	}
	return all
}

// wanted returns the columns of fields in ascending order, and gives fields their places among them.
func wanted(fields []*field) []int {
	var columns []int
	for _, f := range fields {
		columns = append(columns, f.at)
	}
	slices.Sort(columns)
	columns = slices.Compact(columns)
	for _, f := range fields {
		f.at = slices.Index(columns, f.at)
	}
	return columns
}

// A reader makes rows of one source.
type reader[Row any] struct {
	ctx     context.Context
	options *Options
	row     *Row // that fields belong to
	fields  []*field
	sink    *sink
}

func newReader[Row any](ctx context.Context, o *Options) (*reader[Row], error) {
	r := &reader[Row]{ctx: ctx, options: o, row: new(Row)}
	if err := o.check(); err != nil {
		return nil, err
	}
	r.sink = newSink(o)
	var err error
	r.fields, err = fieldsOf(reflect.ValueOf(r.row).Elem(), o)
	return r, err
}

// text opens a source of text. What closes it is called when rows were read, or cannot be.
func (r *reader[Row]) text(in io.Reader, done func() error) (iter.Seq2[Row, error], error) {
	source := &counted{in: interruptible(r.ctx, in)}
	plain, free, err := uncompressed(r.options.Name, source)
	if err != nil {
		return nil, errors.Join(err, done())
	}
	opened := opened{source, func() error { free(); return done() }}
	t, err := r.options.tableOf(plain, opened, r.fields)
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return r.rows(t), nil
}

// rows yields rows, once.
func (r *reader[Row]) rows(t table.Rows) iter.Seq2[Row, error] {
	var begun atomic.Bool
	return func(yield func(Row, error) bool) {
		var none Row
		if begun.Swap(true) {
			yield(none, fmt.Errorf("rows: %s was read already, and is read once", r.options.Name))
			return
		}
		err := r.each(t, yield)
		if closing := t.Close(); err == nil && closing != nil {
			err = fmt.Errorf("%s: %w", r.options.Name, closing)
		}
		if err != nil && err != errStopped {
			yield(none, err)
		}
	}
}

// errStopped says that nobody wants more rows.
var errStopped = errors.New("stopped")

// Rows are few enough between two looks at the context, and at progress.
const (
	rowsBetweenLooks = 1 << 6
	rowsOfProgress   = 1 << 12
)

func (r *reader[Row]) each(t table.Rows, yield func(Row, error) bool) error {
	for n := int64(0); ; n++ {
		if n%rowsBetweenLooks == 0 && r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		if n > 0 && n%rowsOfProgress == 0 {
			r.progress(n, t)
		}
		err := t.Next()
		if errors.Is(err, io.EOF) {
			r.progress(n, t)
			return nil
		}
		if err != nil {
			return explain(r.options.Name, err)
		}
		counts := r.set(t)
		switch {
		case r.sink.faults != nil && !r.sink.skip:
			return r.sink.mistakes(t.Place())
		case counts && !yield(*r.row, nil):
			return errStopped
		}
	}
}

func (r *reader[Row]) progress(n int64, t table.Rows) {
	if r.options.Progress != nil {
		r.options.Progress(n, t.Bytes())
	}
}

// set sets the row, and reports whether it counts: not if something is missing in it and
// such rows are to be left out, and not if it is too old.
func (r *reader[Row]) set(t table.Rows) (counts bool) {
	s := r.sink
	s.skip, s.faults = false, nil
	for i, f := range r.fields {
		s.field = f
		t.Read(f.at, s)
		if s.skip || i == 0 && s.faults == nil && !r.options.Since.IsZero() && f.old() {
			return false
		}
	}
	return s.faults == nil
}
