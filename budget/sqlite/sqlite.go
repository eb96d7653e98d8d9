// Package sqlite keeps a ledger in one SQLite file, in pure Go: the store for
// a service that runs on one machine.
//
//	store, err := sqlite.Create(ctx, "ledger.db") // once, ever
//	…
//	store, err := sqlite.Open(ctx, "ledger.db")   // at every start
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//	account, err := budget.Open(ctx, store, "orders")
//
// # Durability
//
// When Append or Keep returns nil, what it wrote has been forced to the disk
// (journal mode WAL, synchronous FULL, F_FULLFSYNC where there is one). It
// survives kill -9, a crash of the system and a power cut, if the disk and the
// file system keep what fsync promises. Network file systems often do not.
//
// Several processes of one machine may open one ledger. A writer that waits
// for more than five seconds gets an error.
//
// # Damage and old copies
//
// Beside the ledger is a file of the same name with "-mark" added. It says how
// many changes the ledger has at least. Open refuses a ledger that has fewer:
// an older copy that was put back, or one that lost its end. Open also refuses
// a file with a damaged tree, with numbers missing or with a damaged release.
// Damage inside a record breaks the chain that package budget checks.
//
// Not found is a copy that was put back together with its mark, or after the
// mark was deleted. Whoever can do that holds the ledger; keep the hash of the
// last entry elsewhere to find even that.
//
// A backup is made with SQLite's own tools ("VACUUM INTO", ".backup"), or by
// copying all files of that name after Close.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/equipoise-dp/equipoise/budget"
)

// A Store is a ledger in a file. It is safe for concurrent use.
type Store struct {
	path   string
	writer *sql.DB // one connection: SQLite has one writer at a time
	reader *sql.DB
	write  statements
	mark   *mark

	closed sync.Once
}

var _ budget.Store = (*Store)(nil)

// Create makes a new, empty ledger. It returns an error that wraps
// [fs.ErrExist] if there is one at path, or if files show that there was.
func Create(ctx context.Context, path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %q: %w", path, err)
	}
	if err := reserve(path); err != nil {
		return nil, err
	}
	if err := initialize(ctx, path); err != nil {
		return nil, errors.Join(explain(path, err), remove(path))
	}
	return Open(ctx, path)
}

// Open opens a ledger that [Create] made. It never creates one: it returns an
// error that wraps [fs.ErrNotExist] if there is no file at path, and refuses a
// file that is not a ledger, is damaged, is older than its mark, or was written
// by a newer version.
func Open(ctx context.Context, path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %q: %w", path, err)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("sqlite: no ledger at %s; Create makes a new one, with nothing spent: %w", path, fs.ErrNotExist)
	case err != nil:
		return nil, fmt.Errorf("sqlite: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("sqlite: %s is not a ledger: it is not a regular file", path)
	}
	s := &Store{path: path}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(explain(path, err), s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	marked, err := readMark(s.path) // before the ledger, which only grows
	if err != nil {
		return err
	}
	if s.writer, err = connect(s.path, 1); err != nil {
		return err
	}
	if s.reader, err = connect(s.path, 4); err != nil {
		return err
	}
	if err := checkSchema(ctx, s.reader, s.path); err != nil {
		return err
	}
	id, changes, err := checkContent(ctx, s.reader, s.path)
	if err != nil {
		return err
	}
	if err := marked.check(s.path, id, changes); err != nil {
		return err
	}
	if s.mark, err = openMark(s.path, id, changes); err != nil {
		return err
	}
	return s.write.prepare(ctx, s.writer)
}

// Close releases the file. What was written stays.
func (s *Store) Close() (err error) {
	s.closed.Do(func() {
		var errs []error
		if s.reader != nil {
			errs = append(errs, s.reader.Close())
		}
		if s.writer != nil {
			errs = append(errs, s.writer.Close()) // last, so that it empties the WAL
		}
		if s.mark != nil {
			errs = append(errs, s.mark.close())
		}
		err = explain(s.path, errors.Join(errs...))
	})
	return err
}
