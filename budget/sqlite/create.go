package sqlite

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// beside are the endings of the files that belong to a ledger.
var beside = []string{"-wal", "-shm", "-journal", markEnding}

// reserve makes an empty file at path, unless a ledger is or was there: a new
// ledger in the place of a deleted one would be a fresh budget.
func reserve(path string) error {
	for _, ending := range beside {
		if _, err := os.Lstat(path + ending); err == nil {
			return fmt.Errorf("sqlite: %s is left over from a ledger at %s; bring that back, or choose another name: %w",
				path+ending, path, fs.ErrExist)
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("sqlite: %s exists; Open opens a ledger that is there: %w", path, fs.ErrExist)
	}
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return f.Close()
}

// initialize writes the schema. The application_id comes last and in the same
// transaction, so that a file is a ledger completely or not at all.
func initialize(ctx context.Context, path string) (err error) {
	db, err := connect(path, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "PRAGMA journal_mode=WAL"); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	for _, q := range schema {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	id := rand.Text()
	if _, err := tx.ExecContext(ctx, "INSERT INTO ledger (id, changes) VALUES (?, 0)", id); err != nil {
		return err
	}
	for _, q := range []string{
		fmt.Sprintf("PRAGMA user_version=%d", version),
		fmt.Sprintf("PRAGMA application_id=%d", applicationID),
	} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	m, err := openMark(path, id, 0)
	if err != nil {
		return err
	}
	return errors.Join(m.close(), syncFolder(path))
}

// remove deletes what initialize left of a ledger that was never used.
func remove(path string) error {
	err := os.Remove(path)
	for _, ending := range beside {
		if e := os.Remove(path + ending); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
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
