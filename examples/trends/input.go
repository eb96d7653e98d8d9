package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/equipoise-dp/equipoise/examples/trends/data"
)

// standard is what standard input and standard output are called.
const standard = "-"

// open opens what -input names: a file, standard input, or the embedded data.
// When ctx is done, opening and reading end with an error, even if nothing comes
// out of standard input or of a pipe.
func (o *options) open(ctx context.Context, stdin io.Reader) (io.ReadCloser, error) {
	switch {
	case o.embedded():
		return io.NopCloser(bytes.NewReader(data.Purchases)), nil
	case o.Input == standard:
		return untilDone(ctx, stdin), nil
	}
	f, err := openFile(ctx, o.Input)
	if err != nil {
		return nil, fmt.Errorf("-input: %w", err)
	}
	info, err := f.Stat()
	switch {
	case err == nil && info.IsDir():
		f.Close()
		return nil, fmt.Errorf("-input: %s is a folder, must be a CSV file", o.Input)
	case err == nil && !info.Mode().IsRegular():
		return untilDone(ctx, f), nil
	}
	return f, nil
}

// openFile opens a file. A pipe opens when somebody writes to it, and not before,
// so it does not wait longer than ctx.
func openFile(ctx context.Context, path string) (*os.File, error) {
	type opened struct {
		*os.File
		error
	}
	done := make(chan opened, 1)
	go func() {
		f, err := os.Open(path)
		done <- opened{f, err}
	}()
	select {
	case o := <-done:
		return o.File, o.error
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// untilDone copies r through a pipe that ctx can break.
func untilDone(ctx context.Context, r io.Reader) io.ReadCloser {
	pr, pw := io.Pipe()
	go func() {
		_, err := io.Copy(pw, r)
		pw.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { pw.CloseWithError(ctx.Err()) })
	return pr
}
