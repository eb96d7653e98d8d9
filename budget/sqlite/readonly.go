package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	lib "modernc.org/sqlite/lib"
)

// forbidden says whether a ledger could not be opened because this user may not
// write it, its mark, or files beside it.
func forbidden(err error) bool {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return true
	}
	code, ok := primary(err)
	return ok && (code == lib.SQLITE_READONLY || code == lib.SQLITE_CANTOPEN || code == lib.SQLITE_PERM)
}

// openToRead opens a ledger that cannot be written, for which there is a reason.
// It is read like any other, and if that takes a file that cannot be made beside
// it, as one that nobody has open.
func openToRead(ctx context.Context, path string, reason error) (*Store, error) {
	s, err := openAs(ctx, path, readOnly)
	if forbidden(err) && closed(path) {
		s, err = openAs(ctx, path, immutable)
	}
	if err != nil {
		return nil, err
	}
	s.unwritable = fmt.Errorf("sqlite: %s is open for reading only; %s: %w", path, toWrite, reason)
	return s, nil
}

func openAs(ctx context.Context, path string, how access) (*Store, error) {
	s := &Store{path: path}
	if how == immutable {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("sqlite: %w", err)
		}
		s.still = info
	}
	_, _, _, err := s.check(ctx, how)
	if err == nil {
		err = s.undisturbed()
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// closed says whether everything is in the ledger's own file: whoever has it open
// has a write-ahead log beside it.
func closed(path string) bool {
	_, err := os.Lstat(path + "-wal")
	return errors.Is(err, fs.ErrNotExist)
}

// undisturbed returns an error if somebody has written to a ledger that is read
// without locks. What was read may then be of two states.
func (s *Store) undisturbed() error {
	if s.still == nil {
		return nil
	}
	now, err := os.Stat(s.path)
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	if !closed(s.path) || now.Size() != s.still.Size() || !now.ModTime().Equal(s.still.ModTime()) {
		return fmt.Errorf("sqlite: %s was opened where no file can be made beside it, and somebody has begun to write it; open it again", s.path)
	}
	return nil
}

// settled is how every read ends: an error may have its cause in another one, that
// somebody has begun to write.
func (s *Store) settled(err error) error {
	if disturbed := s.undisturbed(); disturbed != nil {
		return disturbed
	}
	return explain(s.path, err)
}

// Writable returns nil if the ledger can be written, and otherwise an error that
// wraps [budget.ErrNotAppended] and says why and what to do.
func (s *Store) Writable(ctx context.Context) error {
	if s.unwritable != nil {
		return nothing(s.unwritable)
	}
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return nothing(explain(s.path, err))
	}
	if _, err = tx.ExecContext(ctx, "UPDATE ledger SET changes = changes"); err == nil { // BEGIN succeeds also where nothing can be written
		_, err = s.have(ctx, tx, "")
	}
	return nothing(explain(s.path, over(ctx, errors.Join(err, tx.Rollback()))))
}
