//go:build unix

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A pipe that nobody writes to does not hold up a run that was interrupted, neither
// while it is opened nor while it is read.
func TestAPipeEndsWithTheRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := parse([]string{"-input", path})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	if _, err := o.open(ctx, nil, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("opening: error %v, want that of the context", err)
	}

	writer, err := os.OpenFile(path, os.O_RDWR, 0) // also lets the first open end
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	ctx, cancel = context.WithCancel(t.Context())
	go cancel()
	if _, err := o.open(ctx, nil, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("reading: error %v, want that of the context", err)
	}
}
