package rows

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/equipoise-dp/equipoise/aggregate/rows/internal/table"
)

// Files opens files as [Read] reads them, each a source of its own that may be read at the
// same time as the others, and closed when it was read. All mistakes in all of them are returned
// together, and then no file stays open. A source that is never read keeps its file open. A pipe is waited for no longer than ctx allows.
func Files[Row any](ctx context.Context, o Options, paths ...string) (sources []iter.Seq2[Row, error], err error) {
	if len(paths) == 0 {
		return nil, errors.New("rows: no path is given, must be at least one")
	}
	var errs []error
	var closers []func() error
	for _, path := range paths {
		each := o
		each.Name = path
		r, err := newReader[Row](ctx, &each)
		if err != nil {
			return nil, err // the same for all
		}
		f, err := openFile(ctx, path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		source, err := r.text(f, f.Close)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		sources, closers = append(sources, source), append(closers, f.Close)
	}
	if errs == nil {
		return sources, nil
	}
	for _, shut := range closers {
		errs = append(errs, shut())
	}
	return nil, errors.Join(errs...)
}

// openFile opens a file. A pipe opens when somebody writes to it, and not before, so it
// does not wait longer than ctx.
func openFile(ctx context.Context, path string) (*os.File, error) {
	type result struct {
		*os.File
		error
	}
	done := make(chan result, 1)
	go func() {
		f, err := os.Open(path)
		done <- result{f, err}
	}()
	var r result
	select {
	case r = <-done:
	case <-ctx.Done():
		go func() { // if it opens after all
			if r := <-done; r.error == nil {
				r.Close()
			}
		}()
		return nil, ctx.Err()
	}
	if r.error != nil {
		return nil, r.error
	}
	if info, err := r.Stat(); err == nil && info.IsDir() {
		r.Close()
		return nil, fmt.Errorf("%s is a folder, must be a CSV file", path)
	}
	return r.File, nil
}

// interruptible returns what ends with the error of ctx when that is done, even if nothing
// comes out of a pipe. Files on disks and memory do not keep anybody waiting.
func interruptible(ctx context.Context, in io.Reader) io.Reader {
	switch r := in.(type) {
	case *bytes.Reader, *strings.Reader, *bytes.Buffer:
		return in
	case *os.File:
		if info, err := r.Stat(); err == nil && info.Mode().IsRegular() {
			return in
		}
	}
	pr, pw := io.Pipe()
	stop := context.AfterFunc(ctx, func() { pw.CloseWithError(ctx.Err()) })
	go func() {
		_, err := io.Copy(pw, in)
		stop()
		pw.CloseWithError(err)
	}()
	return pr
}

// counted counts the bytes that are read.
type counted struct {
	in io.Reader
	n  int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	return n, err
}

// opened is a source of text that is open.
type opened struct {
	*counted
	close func() error
}

func (o opened) Bytes() int64 { return o.n }

func (o opened) Close() error {
	if pipe, ok := o.in.(*io.PipeReader); ok {
		pipe.Close()
	}
	return o.close()
}

// tableOf returns the rows of a text, with fields in their places.
func (o *Options) tableOf(b *bufio.Reader, source opened, fields []*field) (table.Rows, error) {
	text, decoded, err := o.decode(b)
	if err != nil {
		return nil, err
	}
	if plain, head := peekText(text); bytes.HasPrefix(head, []byte{'{'}) {
		return newJSON(plain, source, fields, o, decoded), nil
	} else {
		text = plain
	}
	s, err := o.header(text, decoded, fields)
	if err != nil {
		return nil, err
	}
	s.want(wanted(fields))
	return &csvRows{s, source, o, decoded}, nil
}

// peekText returns what a text begins with.
func peekText(r io.Reader) (*bufio.Reader, []byte) {
	b := bufio.NewReaderSize(r, 1<<16)
	return b, bytes.TrimLeft(bytes.TrimPrefix(peek(b), []byte("\ufeff")), " \t\r\n")
}

// csvRows are the records of a scanner.
type csvRows struct {
	*scanner
	opened
	options *Options
	decoded bool // from an encoding in which U+FFFD marks what could not be read
}

func (c *csvRows) Next() error {
	if err := c.scan(); err != nil {
		return err
	}
	if damaged(c.record, c.decoded) {
		return c.options.notText(c.line+before(c.record, c.decoded), c.decoded)
	}
	return nil
}

func (c *csvRows) Read(column int, to table.Sink) { to.Text(c.got[column]) }

func (c *csvRows) Place() string { return fmt.Sprintf("line %d", c.line) }

// before counts the lines of a record before the one that is no text.
func before(record []byte, decoded bool) (n int) {
	for line := range bytes.Lines(record) {
		if damaged(line, decoded) {
			return n
		}
		n++
	}
	return n
}

func (o *Options) notText(line int, decoded bool) error {
	flag := o.called("Format.Encoding")
	if decoded {
		return placed{fmt.Errorf("line %d of %s is not in the encoding that it was read in; %s names another", line, o.Name, flag)}
	}
	return placed{fmt.Errorf("line %d of %s is not in UTF-8; if it is in Windows-1252, as Excel writes it in western Europe, give %s windows-1252", line, o.Name, flag)}
}
