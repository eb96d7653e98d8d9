// Package sqlite keeps a ledger in one SQLite file, in pure Go: the store for
// a service that runs on one machine.
//
//	store, err := sqlite.OpenOrCreate(ctx, "ledger.db") // at every start
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//	account, err := budget.OpenOrCreate(ctx, store, terms)
//
// A ledger appears at its path whole or not at all, whatever kills the process,
// and of processes that start together one makes it and all open it. [Open] and
// [Create] are for programs that know whether a ledger must be there.
//
// # Durability
//
// When Append returns nil, what it wrote has been forced to the disk
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
// a file with a damaged tree, with numbers missing or with a damaged release, if it
// has up to 32 MiB; of a larger one it looks at the ends only, so that it opens in
// the time of what is new, and [Store.Check] looks at every page. Damage inside a
// record breaks the chain that package budget checks.
//
// Not found is a copy that was put back together with its mark, or after the
// mark was deleted. Whoever can do that holds the ledger; keep the hash of the
// last entry elsewhere to find even that.
//
// # Ledgers that cannot be written
//
// A ledger whose file, folder or mark this user may not write, or on a read-only
// medium, is opened for reading: it can be shown and verified, and what was kept
// can be read. What would change it is an error that wraps
// [budget.ErrNotAppended] and says what to do; [Store.Writable] tells beforehand.
// Where no file can be made beside the ledger, a ledger that its last user did
// not close cannot be read, and one that somebody begins to write while it is read
// has to be opened again.
//
// # Versions
//
// Open brings the file of an earlier version of this library to the schema of this
// one, in one transaction and after it was found sound. An earlier version of the
// library then refuses it, and a program of it that has it open is refused what it
// appends or keeps next.
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

	unwritable error       // why nothing can be written, or nil; then writer and mark are nil
	still      fs.FileInfo // of a ledger that must not change while it is open, or nil

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
	if err := create(ctx, path); err != nil {
		return nil, explain(path, over(ctx, err))
	}
	return Open(ctx, path)
}

// OpenOrCreate opens the ledger at path, or makes one if there is none. Several
// processes may do so at the same time; one makes it and all open the same.
//
// A ledger that was deleted with all the files beside it is a fresh budget. If a
// file beside it is left, OpenOrCreate returns an error that wraps [fs.ErrExist].
// Where the ledger must be there, use [Open].
func OpenOrCreate(ctx context.Context, path string) (*Store, error) {
	s, err := Open(ctx, path)
	if !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	s, err = Create(ctx, path)
	if !errors.Is(err, fs.ErrExist) {
		return s, err
	}
	s, again := Open(ctx, path) // another process was faster
	if errors.Is(again, fs.ErrNotExist) {
		return nil, err // or only the files beside it are there
	}
	return s, again
}

// Open opens a ledger that is there. It never creates one: it returns an
// error that wraps [fs.ErrNotExist] if there is no file at path, and refuses a
// file that is not a ledger, is damaged, is older than its mark, or was written
// by a newer version. A ledger that this user cannot write is opened for reading.
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
	sweep(path)
	s, err := openToWrite(ctx, path)
	if forbidden(err) {
		s, err = openToRead(ctx, path, err)
	}
	if err != nil {
		return nil, explain(path, over(ctx, err))
	}
	return s, nil
}

func openToWrite(ctx context.Context, path string) (*Store, error) {
	s := &Store{path: path}
	if err := s.openToWrite(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) openToWrite(ctx context.Context) (err error) {
	if s.writer, err = connect(s.path, 1, readWrite); err != nil {
		return err
	}
	version, id, changes, err := s.check(ctx, readWrite)
	if err != nil {
		return err
	}
	if s.mark, err = openMark(s.path, id, changes); err != nil {
		return err
	}
	if version < len(versions) {
		if err := migrate(ctx, s.writer); err != nil {
			return err
		}
	}
	return s.write.prepare(ctx, s.writer)
}

// check connects the reader and reads everything.
func (s *Store) check(ctx context.Context, how access) (version int, id string, changes int64, err error) {
	marked, err := readMark(s.path) // before the ledger, which only grows
	if err != nil {
		return 0, "", 0, err
	}
	if s.reader, err = connect(s.path, 4, how); err != nil {
		return 0, "", 0, err
	}
	if version, err = checkSchema(ctx, s.reader, s.path); err != nil {
		return 0, "", 0, err
	}
	size, err := sizeOf(ctx, s.reader)
	if err != nil {
		return 0, "", 0, err
	}
	if id, changes, err = checkContent(ctx, s.reader, s.path, size <= smallest); err != nil {
		return 0, "", 0, err
	}
	return version, id, changes, marked.check(s.path, id, changes)
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
