package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A ledger that is left in two files is not published, and the file that is left is named.
func TestADraftInTwoFilesIsNamed(t *testing.T) {
	draft := filepath.Join(t.TempDir(), "draft")
	if err := alone(draft); err != nil {
		t.Error(err)
	}
	for _, ending := range []string{"-journal", "-wal"} {
		if err := os.WriteFile(draft+ending, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("sqlite: %s could not be written as one file; %s is left", draft, draft+ending)
		if err := alone(draft); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A folder that is not there cannot be made durable.
func TestAFolderThatIsNotThereIsNotSynced(t *testing.T) {
	folder := t.TempDir()
	if err := syncFolder(filepath.Join(folder, "ledger.db")); err != nil {
		t.Error(err)
	}
	if err := syncFolder(filepath.Join(folder, "none", "ledger.db")); runtime.GOOS != "windows" && !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// Whoever creates a ledger leaves no file of it open, but those of the ledger itself.
func TestCreationLeavesNoDraftOpen(t *testing.T) {
	folder := t.TempDir()
	for name, create := range map[string]func(context.Context, string) (*Store, error){"one.db": Create, "other.db": OpenOrCreate} {
		s, err := create(t.Context(), filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	open, _ := filepath.Glob("/proc/self/fd/*") // where the system has it
	for _, fd := range open {
		if file, _ := os.Readlink(fd); strings.HasPrefix(file, folder) {
			t.Errorf("%s is still open", file)
		}
	}
}

// Why a transaction ended is said if the caller gave up, and only then.
func TestWhoGaveUpIsSaid(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := over(gone, sql.ErrTxDone); !errors.Is(err, context.Canceled) || !errors.Is(err, sql.ErrTxDone) {
		t.Errorf("the caller gave up: %v", err)
	}
	if err := over(t.Context(), sql.ErrTxDone); err != sql.ErrTxDone {
		t.Errorf("the caller is there: %v", err)
	}
	for _, other := range []error{nil, os.ErrPermission} {
		if err := over(gone, other); err != other {
			t.Errorf("%v becomes %v", other, err)
		}
	}
}

// A release that cannot be read is an error, wherever the database says so.
func TestReleasesThatCannotBeReadAreNotSound(t *testing.T) {
	sound := fmt.Sprintf("SELECT 'a' AS account, 0 AS seq, x'01' AS data, x'%x' AS sum", sum("a", 0, []byte{1}))
	for releases, want := range map[string]string{
		sound: "",
		sound + " UNION ALL SELECT 'b', 'none', x'01', x'01'":                    "converting",
		sound + " UNION ALL SELECT 'b', abs(-9223372036854775808), x'01', x'01'": "integer overflow",
		sound + " UNION ALL SELECT 'b', 0, x'01', x'01'":                         `release 0 of "b" is not what was kept`,
		strings.Replace(sound, "x'01' AS data", "x'02' AS data", 1):              `release 0 of "a" is not what was kept`,
		"SELECT 'a' AS account, 0 AS seq, x'01' AS data FROM (SELECT 1) WHERE 0": "no such column",
	} {
		db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "releases.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close() //nolint:errcheck // nothing is kept
		if _, err := db.Exec("CREATE VIEW releases AS " + releases); err != nil {
			t.Fatal(err)
		}
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		err = checkReleases(t.Context(), tx, "path")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", releases, err, want)
		}
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
}
