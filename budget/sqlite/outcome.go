package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/equipoise-dp/equipoise/budget"
)

// What an error means for a change. Before COMMIT nothing is there, whatever the
// error: frames of a transaction without a commit mark are not read, now or after
// a crash. At COMMIT it depends on the result code.

// rolledBack has what each primary result code says when COMMIT returns it: true
// is that the transaction is not in the ledger and never will be, by what SQLite
// does before it returns that code; false is that its last frame may be in the
// write-ahead log, where a later recovery would find it. A code that is not here
// is like false. Extended codes are like their primary code.
var rolledBack = map[int]bool{
	lib.SQLITE_ABORT:      true,  // another statement had rolled it back
	lib.SQLITE_AUTH:       true,  // the statement was not allowed to begin
	lib.SQLITE_PERM:       true,  // likewise
	lib.SQLITE_BUSY:       true,  // a lock was not had, which comes before writing
	lib.SQLITE_LOCKED:     true,  // likewise, within a process
	lib.SQLITE_READONLY:   true,  // found before writing
	lib.SQLITE_CONSTRAINT: true,  // found before writing, also by a commit hook
	lib.SQLITE_FULL:       true,  // a frame lacks its end, so that its checksum is wrong
	lib.SQLITE_ERROR:      false, // says nothing
	lib.SQLITE_INTERNAL:   false, // a fault of SQLite
	lib.SQLITE_NOMEM:      false, // the index of the log is extended after the log
	lib.SQLITE_INTERRUPT:  false, // says not when
	lib.SQLITE_IOERR:      false, // also from forcing the log to the disk when it is complete
	lib.SQLITE_CORRUPT:    false,
	lib.SQLITE_NOTADB:     false,
	lib.SQLITE_CANTOPEN:   false, // also the index of the log
	lib.SQLITE_PROTOCOL:   false, // locks of the index
	lib.SQLITE_NOLFS:      false,
	lib.SQLITE_NOTFOUND:   false, // from here on: not of COMMIT, so something is wrong
	lib.SQLITE_EMPTY:      false,
	lib.SQLITE_SCHEMA:     false,
	lib.SQLITE_TOOBIG:     false,
	lib.SQLITE_MISMATCH:   false,
	lib.SQLITE_MISUSE:     false,
	lib.SQLITE_FORMAT:     false,
	lib.SQLITE_RANGE:      false,
	lib.SQLITE_NOTICE:     false,
	lib.SQLITE_WARNING:    false,
	lib.SQLITE_ROW:        false,
	lib.SQLITE_DONE:       false,
}

// primary returns the result code of an error of SQLite, without its extension.
func primary(err error) (code int, ok bool) {
	var e *driver.Error
	if !errors.As(err, &e) {
		return 0, false
	}
	return e.Code() & 0xff, true
}

// committing says what an error of COMMIT means. An error of the context comes
// from the driver, which may put it in the place of another one.
func committing(err error) error {
	code, ok := primary(err)
	if ok && rolledBack[code] || errors.Is(err, sql.ErrTxDone) {
		return nothing(err)
	}
	return err
}

// over says why a transaction ended under whoever was using it: the caller gave up, and
// the driver says only that it ended.
func over(ctx context.Context, err error) error {
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		return fmt.Errorf("sqlite: %w: %w", ctx.Err(), err)
	}
	return err
}

// nothing marks an error after which nothing is written and nothing will be.
func nothing(err error) error {
	if err == nil || errors.Is(err, budget.ErrConflict) {
		return err
	}
	return fmt.Errorf("%w: %w", budget.ErrNotAppended, err)
}

// explain adds the file and what to do to an error of the driver.
func explain(path string, err error) error {
	code, ok := primary(err)
	if !ok {
		return err
	}
	switch code {
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return fmt.Errorf("sqlite: %s was locked by another program for %v; end what holds it and try again: %w", path, patience, err)
	case lib.SQLITE_FULL:
		return fmt.Errorf("sqlite: no space left for %s; make room and try again: %w", path, err)
	case lib.SQLITE_NOTADB:
		return fmt.Errorf("sqlite: %s is not a ledger, or its first page is damaged: %w", path, err)
	case lib.SQLITE_CORRUPT:
		return damaged(path, err)
	case lib.SQLITE_READONLY, lib.SQLITE_PERM:
		return fmt.Errorf("sqlite: %s cannot be written by this user; %s: %w", path, toWrite, err)
	case lib.SQLITE_CANTOPEN:
		return fmt.Errorf("sqlite: %s or a file beside it cannot be opened by this user; give the right to read the file and to list its folder: %w", path, err)
	}
	return fmt.Errorf("sqlite: %s: %w", path, err)
}

// toWrite is what somebody who wants to spend can do about a read-only ledger.
const toWrite = "to spend, give the right to write the file, the files beside it and their folder"

func damaged(path string, what any) error {
	format := "sqlite: %s is damaged: %v; put back a copy that is not older than the last release"
	if _, ok := what.(error); ok {
		format = strings.Replace(format, "%v", "%w", 1)
	}
	return fmt.Errorf(format, path, what)
}
