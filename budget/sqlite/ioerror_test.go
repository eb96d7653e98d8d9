//go:build linux

package sqlite_test

import (
	"errors"
	"os"
	osexec "os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
)

const ownProcess = "EQUIPOISE_SQLITE_OWN_PROCESS"

// inItsOwnProcess runs the test that calls it in a process of its own, and says whether this
// is that process. A limit of files holds for all that a process writes: also for the log of what
// tests opened, by which go test remembers their results, and without which it calls them failed.
func inItsOwnProcess(t *testing.T) bool {
	t.Helper()
	if os.Getenv(ownProcess) != "" {
		return true
	}
	c := osexec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run", "^"+t.Name()+"$")
	c.Env = append(os.Environ(), ownProcess+"=1")
	if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// TestFailedCommitIsUnknown: when the log cannot be written, nobody knows how much
// of it was. The limit of the size of files, as a quota has it, makes it happen.
func TestFailedCommitIsUnknown(t *testing.T) {
	if !inItsOwnProcess(t) {
		return
	}
	path := filepath.Join(t.TempDir(), "ledger.db")
	closed(t, path)
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 5, 1)
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	undo := limitFiles(t, uint64(info.Size())+100)
	err = s.Append(t.Context(), "a", budget.Record{Seq: 6})
	undo()
	if err == nil || errors.Is(err, budget.ErrNotAppended) || errors.Is(err, budget.ErrConflict) {
		t.Errorf("Append when the log cannot be written: %v, want an error that does not say what became of it", err)
	}
	if err := s.Close(); err != nil {
		t.Log(err)
	}
	if s, err = sqlite.Open(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fill(t, s, count(t, s), 1)
}

// limitFiles limits the size of every file that this process writes.
func limitFiles(t *testing.T, size uint64) (undo func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
	}
}

// A ledger whose mark can neither be read nor written is not opened: it could be an older copy
// later, and nobody would know.
func TestALedgerWhoseMarkFailsIsNotOpened(t *testing.T) {
	if !inItsOwnProcess(t) {
		return
	}
	path := filepath.Join(t.TempDir(), "ledger.db")
	closed(t, path)
	s, err := sqlite.Open(t.Context(), path) // so that the files beside it have their sizes
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fill(t, s, 5, 1)
	if err := os.Remove(path + "-mark"); err != nil {
		t.Fatal(err)
	}
	undo := limitFiles(t, 50)
	_, err = sqlite.Open(t.Context(), path)
	undo()
	if !errors.Is(err, syscall.EFBIG) {
		t.Errorf("Open where no mark can be written: %v, want that error", err)
	}
	if err := errors.Join(os.Remove(path+"-mark"), os.Mkdir(path+"-mark", 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, err = sqlite.Open(t.Context(), path); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("Open where the mark is a folder: %v, want that error", err)
	}
	if err := os.Remove(path + "-mark"); err != nil {
		t.Fatal(err)
	}
	again, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
