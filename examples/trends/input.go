package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/equipoise-dp/equipoise/examples/trends/data"
)

// open opens what -input names: a file, a compressed file, standard input, or
// the embedded data. When ctx is done, reading ends with an error, even if
// standard input says nothing more.
func (o *options) open(ctx context.Context, stdin io.Reader) (io.ReadCloser, error) {
	switch {
	case o.embedded():
		return unzip("the embedded data", io.NopCloser(bytes.NewReader(data.Purchases)))
	case o.Input == "-":
		return untilDone(ctx, stdin), nil
	}
	f, err := os.Open(o.Input)
	if err != nil {
		return nil, fmt.Errorf("-input: %w", err)
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, fmt.Errorf("-input: %s is a folder, must be a CSV file", o.Input)
	}
	if strings.HasSuffix(o.Input, ".gz") {
		return unzip(o.Input, f)
	}
	return f, nil
}

func unzip(name string, r io.ReadCloser) (io.ReadCloser, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("-input: %s is not a gzip file, but its name ends in .gz: %w", name, err)
	}
	return zipped{z, r}, nil
}

type zipped struct {
	*gzip.Reader
	file io.Closer
}

func (z zipped) Close() error { return z.file.Close() }

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
