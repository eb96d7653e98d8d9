//go:build linux

package scratch

import (
	"errors"
	"os"
	"syscall"
	"testing"
)

// A disk that is full says so.
func TestAFullDiskIsAnError(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := encrypted(full)
	defer f.Close()
	if _, err := f.Append([]byte("x")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v", err)
	}
}
