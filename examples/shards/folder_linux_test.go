package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// In the folder nothing is renamed, which a mount of an object store may not know: files have the names that they keep
// from the start.
func TestNothingIsRenamed(t *testing.T) {
	t.Setenv(secretName, strings.Repeat("0123456789abcdef", 2))
	folder := t.TempDir()
	watch, err := syscall.InotifyInit1(syscall.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(watch)
	if _, err := syscall.InotifyAddWatch(watch, folder, syscall.IN_MOVE|syscall.IN_DELETE); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := report(t.Context(), &b, folder, madeUp(500), thisProgram); err != nil {
		t.Fatal(err)
	}
	changes := make([]byte, 4096)
	if n, err := syscall.Read(watch, changes); !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("something was renamed or removed: %q, %v", changes[:max(n, 0)], err)
	}
	if err := os.Rename(rowsFile(folder, 0), filepath.Join(folder, "other")); err != nil {
		t.Fatal(err)
	}
	if n, err := syscall.Read(watch, changes); n <= 0 || err != nil {
		t.Errorf("nor is it seen that something is renamed: %v", err)
	}
}
