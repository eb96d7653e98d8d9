package sqlite

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
)

// A ledger is made whole under another name in its folder, and then linked to
// its own. So at every moment there is a whole ledger at its path or nothing, and
// of callers that race one makes the link. A caller that dies leaves a draft,
// which is nobody's ledger; whoever opens the ledger removes drafts, because none
// of them can become it any more.

// beside are the endings of the files that belong to a ledger.
var beside = []string{"-wal", "-shm", "-journal", markEnding}

// create makes a ledger at path, unless one is or was there.
func create(ctx context.Context, path string) error {
	if err := vacant(path); err != nil {
		return err
	}
	draft := path + "-new-" + rand.Text()[:draftLetters]
	defer remove(draft)
	err := errors.Join(claim(draft), initialize(ctx, draft))
	if err == nil {
		err = publish(draft, path)
	}
	if _, there := os.Lstat(path); err != nil && there == nil { // another was faster, and may have removed the draft
		return exists(path)
	}
	return err
}

// vacant returns an error if a ledger is or was at path: a new ledger in the
// place of a deleted one would be a fresh budget.
func vacant(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return exists(path)
	}
	for _, ending := range beside {
		if _, err := os.Lstat(path + ending); err == nil {
			return fmt.Errorf("sqlite: %s is left over from a ledger at %s; bring that back, or choose another name: %w",
				path+ending, path, fs.ErrExist)
		}
	}
	return nil
}

func exists(path string) error {
	return fmt.Errorf("sqlite: %s exists; Open opens a ledger that is there: %w", path, fs.ErrExist)
}

// claim makes an empty file that is the user's alone.
func claim(draft string) error {
	f, err := os.OpenFile(draft, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return f.Close()
}

// initialize writes a ledger with nothing in it, all of it into the one file.
func initialize(ctx context.Context, draft string) (err error) {
	db, err := connect(draft, 1, readWrite)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close(), alone(draft)) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	for _, q := range newLedger() {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO ledger (id, changes) VALUES (?, 0)", rand.Text()); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode=WAL").Scan(&mode); err != nil || mode == "wal" {
		return err
	}
	return fmt.Errorf("sqlite: %s cannot have a write-ahead log: its journal mode stays %q; choose a folder on a local disk", draft, mode)
}

// alone returns an error if a part of the draft is in another file.
func alone(draft string) error {
	for _, ending := range []string{"-wal", "-journal"} {
		if _, err := os.Lstat(draft + ending); err == nil {
			return fmt.Errorf("sqlite: %s could not be written as one file; %s is left", draft, draft+ending)
		}
	}
	return nil
}

// publish gives the draft its name, durably, unless the name is taken. Rename
// would replace a ledger.
func publish(draft, path string) error {
	if err := os.Link(draft, path); err != nil {
		return fmt.Errorf("sqlite: a ledger appears under its name at once, which takes a folder whose file system has hard links: %w", err)
	}
	return syncFolder(path)
}

// remove deletes a draft. What cannot be deleted is nobody's ledger; on Windows that
// is so while another process has the ledger open, whose second name the draft is
// then, and the next Open deletes it.
func remove(draft string) {
	for _, ending := range append([]string{""}, beside...) {
		os.Remove(draft + ending) //nolint:errcheck // see above
	}
}

const draftLetters = 10

var draftEnding = regexp.MustCompile(fmt.Sprintf(`^-new-[A-Z2-7]{%d}(-wal|-shm|-journal)?$`, draftLetters))

// sweep deletes the drafts of a ledger that is there.
func sweep(path string) {
	folder, base := filepath.Split(path)
	files, _ := os.ReadDir(folder) // who may not list a folder leaves it as it is
	for _, f := range files {
		if name := f.Name(); len(name) > len(base) && name[:len(base)] == base && draftEnding.MatchString(name[len(base):]) {
			os.Remove(filepath.Join(folder, name)) //nolint:errcheck // see remove
		}
	}
}

// syncFolder makes the name of a new file durable.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" { // has no such call, and needs none
		return nil
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}
