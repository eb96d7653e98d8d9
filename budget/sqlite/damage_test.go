package sqlite_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
)

var long = flag.Bool("long", false, "damage every byte of a ledger, kill processes and edit ledgers a thousand times, not a few")

// files are the files of a ledger by the ending of their names.
type files map[string][]byte

// snapshot returns the files as they are now, as after kill -9.
func snapshot(t *testing.T, path string) files {
	t.Helper()
	names, err := filepath.Glob(path + "*")
	if err != nil || len(names) == 0 {
		t.Fatalf("no files at %s: %v", path, err)
	}
	f := files{}
	for _, name := range names {
		if strings.HasSuffix(name, "-shm") { // SQLite makes it anew
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f[strings.TrimPrefix(name, path)] = b
	}
	return f
}

func (f files) write(path string) error {
	for ending, b := range f {
		if err := os.WriteFile(path+ending, b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// whole is what a ledger that was not refused must have.
const (
	wholeRecords = 6
	wholeRelease = "the release that was shown"
)

// examples returns the files of one ledger, open with a WAL, and closed.
func examples(t *testing.T) map[string]files {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, err := sqlite.Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 0, 1)
	if err := s.Append(t.Context(), "a", budget.Record{Seq: 1, Data: []byte("record 1"), Release: []byte(wholeRelease)}); err != nil {
		t.Fatal(err)
	}
	fill(t, s, 2, wholeRecords-2)
	open := snapshot(t, path)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	closed := snapshot(t, path)
	if len(open[""]) == 0 || len(open["-wal"]) == 0 || len(open["-mark"]) == 0 || len(closed) != 2 {
		t.Fatalf("the files of the ledger are %q and %q", slices.Collect(maps.Keys(open)), slices.Collect(maps.Keys(closed)))
	}
	return map[string]files{"open": open, "closed": closed}
}

// look opens the ledger of the files. It returns false if it was refused, there
// or when it was read, and an error if it was not and something is missing.
// Bytes that changed inside a record are for package budget to find.
func (f files) look(path string) (accepted bool, err error) {
	if err := f.write(path); err != nil {
		return false, err
	}
	ctx := context.Background()
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		return false, nil
	}
	defer s.Close()
	n := 0
	for _, err := range s.Read(ctx, "a", 0) {
		if err != nil {
			return false, nil
		}
		n++
	}
	if n < wholeRecords {
		return true, fmt.Errorf("%d records are left of %d", n, wholeRecords)
	}
	kept, err := s.Kept(ctx, "a", 1)
	if err == nil && string(kept) != wholeRelease {
		return true, fmt.Errorf("the release is %q, was %q", kept, wholeRelease)
	}
	return true, nil
}

func TestDamageIsFound(t *testing.T) {
	for state, whole := range examples(t) {
		t.Run(state, func(t *testing.T) {
			if ok, err := whole.look(filepath.Join(t.TempDir(), "ledger.db")); !ok || err != nil {
				t.Fatalf("the undamaged files are refused or not whole: %v", err)
			}
			var all []damage
			for ending, b := range whole {
				all = append(all, flips(ending, len(b))...)
				all = append(all, cuts(ending, len(b))...)
			}
			refused := damageAll(t, whole, all)
			t.Logf("%d of %d damaged ledgers were refused, none of the others lacks anything", refused, len(all))
			if refused < len(all)/20 {
				t.Errorf("%d of %d damaged ledgers were refused; is anything checked?", refused, len(all))
			}
		})
	}
}

// A damage is a file that was cut off at a byte, or in which one bit changed.
type damage struct {
	ending string
	at     int
	bit    byte // 0 if it is cut off
}

// flips returns a change to every byte of a file or, unless -long is given, to
// all bytes of a page's header and of the mark and to a sample of the others.
func flips(ending string, size int) (all []damage) {
	for at := range size {
		if *long || size < 200 || at < 128 || at%4096 < 24 || at%131 == 0 {
			all = append(all, damage{ending, at, 1 << (at % 8)})
		}
	}
	return all
}

func cuts(ending string, size int) (all []damage) {
	for at := range size {
		if *long || size < 200 || at%4096 < 2 || at%997 == 0 {
			all = append(all, damage{ending, at, 0})
		}
	}
	return all
}

func (d damage) apply(f files) files {
	f = maps.Clone(f)
	b := slices.Clone(f[d.ending])
	if d.bit == 0 {
		b = b[:d.at]
	} else {
		b[d.at] ^= d.bit
	}
	f[d.ending] = b
	return f
}

// damageAll looks at every damaged ledger, and returns how many were refused.
func damageAll(t *testing.T, whole files, all []damage) (refused int) {
	work := make(chan damage)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range runtime.GOMAXPROCS(0) {
		folder := filepath.Join(t.TempDir(), fmt.Sprint(i))
		wg.Go(func() {
			for d := range work {
				accepted, err := lookIn(folder, d.apply(whole))
				mu.Lock()
				if !accepted {
					refused++
				}
				mu.Unlock()
				if err != nil {
					t.Errorf("file %q, byte %d, bit %#x: %v", d.ending, d.at, d.bit, err)
				}
			}
		})
	}
	for _, d := range all {
		work <- d
	}
	close(work)
	wg.Wait()
	return refused
}

func lookIn(folder string, f files) (bool, error) {
	if err := os.RemoveAll(folder); err != nil {
		return false, err
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return false, err
	}
	return f.look(filepath.Join(folder, "ledger.db"))
}

// What SQLite finds wrong with a page is said, and of which file.
func TestWhatSQLiteFindsIsSaid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	closed(t, path)
	text := query(t, path, "SELECT sql FROM sqlite_schema WHERE name = 'records'")
	exec(t, path, "PRAGMA writable_schema=1", "UPDATE sqlite_schema SET sql = replace(sql, 'data BLOB NOT NULL', 'data BLOB') WHERE name = 'records'")
	exec(t, path, "INSERT INTO records VALUES ('a', 5, NULL)")
	exec(t, path, "PRAGMA writable_schema=1", "UPDATE sqlite_schema SET sql = '"+text+"' WHERE name = 'records'")
	s, err := sqlite.Open(t.Context(), path)
	if s != nil || err == nil || err.Error() != "sqlite: "+path+" is damaged: NULL value in records.data; put back a copy that is not older than the last release" {
		t.Errorf("Open: %v, %v", s, err)
	}
}

// An older copy is refused because of the mark. Without the mark,
// or with its mark, it is a ledger like any other; the documentation says so.
func TestAnOlderCopyIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	closed(t, path)
	old := snapshot(t, path)
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 5, 2)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	mark := snapshot(t, path)["-mark"]
	for _, test := range []struct {
		name   string
		mark   []byte
		refuse bool
	}{
		{"beside the mark", mark, true},
		{"without a mark", nil, false},
		{"with its own mark", old["-mark"], false},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			write(t, path, old[""])
			if test.mark != nil {
				write(t, path+"-mark", test.mark)
			}
			s, err := sqlite.Open(t.Context(), path)
			if err == nil {
				err2 := s.Close()
				if err2 != nil {
					t.Error(err2)
				}
			}
			if refused := err != nil && strings.Contains(err.Error(), "older copy"); refused != test.refuse {
				t.Errorf("Open: %v, want refused: %v", err, test.refuse)
			}
		})
	}
}

// TestMarkAfterKill: a process that died between commit and mark left a mark
// that is too low, which is no reason to refuse.
func TestMarkAfterKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	closed(t, path)
	low := snapshot(t, path)["-mark"]
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 5, 2)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	high := snapshot(t, path)["-mark"]
	write(t, path+"-mark", low)
	if s, err = sqlite.Open(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if now := snapshot(t, path)["-mark"]; string(now) != string(high) {
		t.Errorf("the mark is %q after Open, want %q", now, high)
	}
}
