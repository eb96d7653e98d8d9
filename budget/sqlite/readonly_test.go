//go:build unix

package sqlite_test

import (
	"errors"
	"io"
	"os"
	osexec "os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
	"github.com/equipoise-dp/equipoise/dp"
)

// TestReadOnly: a ledger that this user may not write is shown, verified, and
// what was kept is read; spending says why not.
func TestReadOnly(t *testing.T) {
	if os.Getuid() == 0 { // who may write everything
		asNobody(t)
		return
	}
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
	if os.Getuid() == 0 {
		asNobody(t)
		return
	}
	path := goldenFile(t, 1)
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

// TestReadOnlyAndDisturbed: who reads without locks is told that somebody writes.
func TestReadOnlyAndDisturbed(t *testing.T) {
	if os.Getuid() == 0 {
		asNobody(t)
		return
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "ledger.db")
	a := readable(t, path)
	a.close(t)
	forbid(t, folder)
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := os.Chmod(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	writer, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	_, err = budget.Open(t.Context(), s, "visits")
	if err == nil || !strings.Contains(err.Error(), "open it again") {
		t.Errorf("reading beside somebody who writes: %v, want an error that says what to do", err)
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
		Events: []dp.Event{{Mechanism: dp.Declared, Count: 1, Epsilon: loss.Exact()}},
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
	for what, err := range map[string]error{"Spend": err, "Writable": s.Writable(t.Context())} {
		if !errors.Is(err, budget.ErrNotAppended) || errors.Is(err, budget.ErrUnknown) || !strings.Contains(err.Error(), "to spend, give the right") {
			t.Errorf("%s: %v, want budget.ErrNotAppended and what to do", what, err)
		}
	}
	if _, err := a.Keep(t.Context(), charge("two"), []byte("x")); !errors.Is(err, budget.ErrNotAppended) {
		t.Errorf("Keep: %v, want budget.ErrNotAppended", err)
	}
	if got := count(t, s); got != 0 { // account "a" of other tests
		t.Errorf("%d records of an account that is not there", got)
	}
}

// asNobody runs the test again as a user whom permissions stop.
func asNobody(t *testing.T) {
	t.Helper()
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatalf("run the tests of budget/sqlite as another user than root, or add a user nobody: %v", err)
	}
	uid, err := strconv.Atoi(nobody.Uid)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "eqlite") // t.TempDir is root's alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := os.Chown(folder, uid, -1); err != nil {
		t.Fatal(err)
	}
	cmd := osexec.Command(shared(t, folder), "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Dir, cmd.Env = folder, append(os.Environ(), "TMPDIR="+folder)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("as nobody: %v\n%s", err, out)
	}
}

// shared copies this program and its testdata to where others may read them.
func shared(t *testing.T, folder string) string {
	t.Helper()
	if err := os.CopyFS(filepath.Join(folder, "testdata"), os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	name := filepath.Join(folder, "tests")
	out, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}
