//go:build unix

package sqlite_test

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	driver "modernc.org/sqlite"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// A ledger that this user may not write is shown, verified, and
// what was kept is read; spending says why not.
func TestAReadOnlyLedgerIsShownAndNotSpent(t *testing.T) {
	asNobody(t)
	for _, test := range []struct {
		name      string
		open      bool // somebody else has it open
		forbidden []string
	}{
		{"the file", false, []string{""}},
		{"the mark", false, []string{"-mark"}},
		{"the folder", false, []string{"/.."}},
		{"everything", false, []string{"", "-mark", "/.."}},
		{"everything, while it is open", true, []string{"", "-mark", "-wal", "-shm", "/.."}},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			a := readable(t, path)
			if test.open {
				spend(t, a, "three")
			} else {
				a.close(t)
			}
			for _, ending := range test.forbidden {
				forbid(t, filepath.Clean(path+ending))
			}
			wantReadOnly(t, path, map[bool]int{false: 2, true: 3}[test.open])
		})
	}
}

// TestReadOnlyOfAnEarlierVersion: it is read as it is.
func TestReadOnlyOfAnEarlierVersion(t *testing.T) {
	golden := readGolden(t, 1)
	path := filepath.Join(asNobody(t), "ledger.db")
	if err := golden.write(path); err != nil {
		t.Fatal(err)
	}
	for _, ending := range []string{"", "-mark", "/.."} {
		forbid(t, filepath.Clean(path+ending))
	}
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a, err := budget.Open(t.Context(), s, "visits")
	if err != nil {
		t.Fatal(err)
	}
	if r, err := a.Verify(t.Context()); err != nil || r.Charges != 3 {
		t.Errorf("Verify = %+v, %v, want 3 charges", r, err)
	}
}

// Who reads without locks is told that somebody has written since, whatever shows it and
// whatever is read.
func TestWhoReadsWithoutLocksIsToldThatSomebodyWrites(t *testing.T) {
	folder := asNobody(t)
	for name, disturb := range map[string]func(path string) error{
		"a log":  func(path string) error { return os.WriteFile(path+"-wal", nil, 0o600) },
		"a time": func(path string) error { return os.Chtimes(path, time.Time{}, time.Unix(1e9, 0)) },
		"a size": func(path string) error { return longer(path) },
	} {
		t.Run(name, func(t *testing.T) {
			s, path := withoutLocks(t, folder)
			if err := errors.Join(os.Chmod(folder, 0o700), os.Chmod(path, 0o600), disturb(path)); err != nil {
				t.Fatal(err)
			}
			for what, err := range everyRead(t.Context(), s) {
				if err == nil || !strings.HasPrefix(err.Error(), "sqlite: "+path+" was opened where no file can be made beside it, and somebody has begun to write it; open it again") {
					t.Errorf("%s: %v, want an error that says what to do", what, err)
				}
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			for what, err := range everyRead(t.Context(), s) {
				if !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "sqlite: ") {
					t.Errorf("%s of what was deleted: %v, want fs.ErrNotExist", what, err)
				}
			}
		})
	}
}

// A ledger is not given out of which only half can be read without locks, nor one that is
// damaged.
func TestWhatCannotBeReadWithoutLocksIsRefused(t *testing.T) {
	folder := asNobody(t)
	for name, test := range map[string]struct {
		spoil func(path string) error
		want  string
	}{
		"a log": {func(path string) error { return os.WriteFile(path+"-wal", []byte("frames"), 0o400) }, "cannot be opened by this user"},
		"pages": {func(path string) error { return os.Truncate(path, 8192) }, "is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(folder, "ledger.db")
			readable(t, path).close(t)
			if err := test.spoil(path); err != nil {
				t.Fatal(err)
			}
			forbid(t, path)
			forbid(t, folder)
			if s, err := sqlite.Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Open: %v, %v, want an error that says it %s", s, err, test.want)
			}
			if err := errors.Join(os.Chmod(folder, 0o700), removeAll(path)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// withoutLocks opens a ledger where no file can be made.
func withoutLocks(t *testing.T, folder string) (s *sqlite.Store, path string) {
	t.Helper()
	path = filepath.Join(folder, "ledger.db")
	t.Cleanup(func() {
		if err := removeAll(path); err != nil {
			t.Error(err)
		}
	})
	readable(t, path).close(t)
	forbid(t, path)
	forbid(t, folder)
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for what, err := range everyRead(t.Context(), s) {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	return s, path
}

func removeAll(path string) error {
	names, err := filepath.Glob(path + "*")
	for _, name := range names {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

func longer(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return errors.Join(os.Truncate(path, info.Size()+1), os.Chtimes(path, time.Time{}, info.ModTime()))
}

// everyRead reads all that can be read of a ledger.
func everyRead(ctx context.Context, s *sqlite.Store) map[string]error {
	last := func(all iter.Seq2[budget.Record, error]) (err error) {
		for _, err = range all {
		}
		return err
	}
	_, kept := s.Kept(ctx, "visits", 3)
	_, accounts := s.Accounts(ctx)
	return map[string]error{
		"Read": last(s.Read(ctx, "visits", 0)), "Releases": last(s.Releases(ctx, "visits")),
		"Kept": kept, "Accounts": accounts, "Check": s.Check(ctx),
	}
}

// An openAccount is an account with the store that it is in.
type openAccount struct {
	*budget.Account
	store *sqlite.Store
}

func (a openAccount) close(t *testing.T) {
	t.Helper()
	if err := a.store.Close(); err != nil {
		t.Fatal(err)
	}
}

// readable makes a ledger with two charges and a release.
func readable(t *testing.T, path string) openAccount {
	t.Helper()
	s, err := sqlite.Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	account, err := budget.Create(t.Context(), s, budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 3}})
	if err != nil {
		t.Fatal(err)
	}
	a := openAccount{account, s}
	spend(t, a, "one")
	spend(t, a, "two")
	if _, err := a.Keep(t.Context(), charge("one"), []byte("the release")); err != nil {
		t.Fatal(err)
	}
	return a
}

func spend(t *testing.T, a openAccount, key string) {
	t.Helper()
	if _, err := a.Spend(t.Context(), charge(key)); err != nil {
		t.Fatal(err)
	}
}

func charge(key string) dp.Charge {
	loss := dp.Pure{Epsilon: 0.25}
	return dp.Charge{
		Dataset: "visits", Unit: "patient", Purpose: "test", Key: key, Loss: loss,
		Events: []dp.Event{{Mechanism: dp.Declared, Count: 1, Epsilon: exact.Decimal(loss.Epsilon)}},
	}
}

// forbid takes the right to write away until the test ends.
func forbid(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(path, info.Mode()) })
	if err := os.Chmod(path, info.Mode()&^0o222); err != nil {
		t.Fatal(err)
	}
}

func wantReadOnly(t *testing.T, path string, charges int) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a, err := budget.Open(t.Context(), s, "visits")
	if err != nil {
		t.Fatal(err)
	}
	if r, err := a.Verify(t.Context()); err != nil || r.Charges != charges {
		t.Errorf("Verify = %+v, %v, want %d charges", r, err, charges)
	}
	if kept, err := a.Kept(t.Context(), charge("one")); err != nil || string(kept) != "the release" {
		t.Errorf("Kept = %q, %v", kept, err)
	}
	if p, err := a.Spend(t.Context(), charge("one")); err != nil || string(p.Kept) != "the release" {
		t.Errorf("Spend again = %q, %v, want the release", p.Kept, err)
	}
	_, err = a.Spend(t.Context(), charge("new"))
	const to = "to spend, give the right"
	for what, err := range map[string]error{"Spend": err, "Writable": s.Writable(t.Context())} {
		if !errors.Is(err, budget.ErrNotAppended) || errors.Is(err, budget.ErrUnknown) || !strings.Contains(err.Error(), "to spend, give the right") {
			t.Errorf("%s: %v, want budget.ErrNotAppended and what to do", what, err)
		}
		said := strings.Contains(err.Error(), "sqlite: "+path+" is open for reading only; "+to) || strings.Contains(err.Error(), "sqlite: "+path+" cannot be written by this user; "+to)
		if !said || !errors.As(err, new(*driver.Error)) && !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v, want the file, and why it cannot be written", what, err)
		}
	}
	if _, err := a.Keep(t.Context(), charge("two"), []byte("x")); !errors.Is(err, budget.ErrNotAppended) {
		t.Errorf("Keep: %v, want budget.ErrNotAppended", err)
	}
	if got := count(t, s); got != 0 { // account "a" of other tests
		t.Errorf("%d records of an account that is not there", got)
	}
}

// asNobody makes the rest of the test that of a user whom permissions stop, if this one
// may write everything. What it needs besides is to be in the folder that it returns.
func asNobody(t *testing.T) (folder string) {
	t.Helper()
	if os.Geteuid() != 0 {
		return t.TempDir()
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatalf("run the tests of budget/sqlite as another user than root, or add a user nobody: %v", err)
	}
	uid, err := strconv.Atoi(nobody.Uid)
	if err != nil {
		t.Fatal(err)
	}
	folder, err = os.MkdirTemp("", "eqlite") // t.TempDir is root's alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := os.Chown(folder, uid, -1); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Seteuid(uid); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Seteuid(0); err != nil {
			panic(err) // the tests after this one would be nobody's
		}
	})
	t.Setenv("TMPDIR", folder)
	return folder
}
