package sqlite

import (
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver
)

// patience is how long a call waits for another process to finish writing.
var patience = 5 * time.Second // shorter in tests

// An access is what a connection may do.
type access int

const (
	readWrite access = iota
	readOnly
	// immutable takes no lock and looks at no write-ahead log. It is for a ledger
	// that nobody has open, in a folder in which no file can be made.
	immutable
)

// connect returns a pool of at most so many connections to a file that exists.
func connect(path string, connections int, how access) (*sql.DB, error) {
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
	if how != readWrite {
		query.Set("mode", "ro")
	}
	if how == immutable {
		query.Set("immutable", "1")
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
