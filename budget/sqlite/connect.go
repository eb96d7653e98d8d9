package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// patience is how long a call waits for another process to finish writing.
var patience = 5 * time.Second // shorter in tests

// connect returns a pool of at most so many connections to a file that exists.
func connect(path string, connections int) (*sql.DB, error) {
	query := url.Values{
		"mode":    {"rw"}, // never creates
		"_txlock": {"immediate"},
		"_pragma": {
			fmt.Sprintf("busy_timeout(%d)", patience.Milliseconds()),
			"synchronous(FULL)",
			"fullfsync(1)",
			"checkpoint_fullfsync(1)",
			"cell_size_check(1)",
			"trusted_schema(0)",
		},
	}
	name := url.URL{Path: strings.ReplaceAll(path, `\`, "/")}
	db, err := sql.Open("sqlite", "file:"+name.EscapedPath()+"?"+query.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// explain adds the file and what to do to an error of the driver.
func explain(path string, err error) error {
	var sqlite *driver.Error
	if !errors.As(err, &sqlite) {
		return err
	}
	switch sqlite.Code() & 0xff { // without the extension
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return fmt.Errorf("sqlite: %s was locked by another program for %v; end what holds it and try again: %w", path, patience, err)
	case lib.SQLITE_FULL:
		return fmt.Errorf("sqlite: no space left for %s; make room and try again: %w", path, err)
	case lib.SQLITE_NOTADB:
		return fmt.Errorf("sqlite: %s is not a ledger, or its first page is damaged: %w", path, err)
	case lib.SQLITE_CORRUPT:
		return damaged(path, err)
	}
	return fmt.Errorf("sqlite: %s: %w", path, err)
}

func damaged(path string, what any) error {
	format := "sqlite: %s is damaged: %v; put back a copy that is not older than the last release"
	if _, ok := what.(error); ok {
		format = strings.Replace(format, "%v", "%w", 1)
	}
	return fmt.Errorf(format, path, what)
}
