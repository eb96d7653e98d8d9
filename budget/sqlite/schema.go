package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// checkSchema returns the version of the ledger, or an error unless the file is
// one and has all that its version has. It sees one state, since another process
// may bring the ledger to a newer version.
func checkSchema(ctx context.Context, db *sql.DB, path string) (version int, err error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return 0, err
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	var app, user int64
	if err := tx.QueryRowContext(ctx, "PRAGMA application_id").Scan(&app); err != nil {
		return 0, err
	}
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&user); err != nil {
		return 0, err
	}
	have, err := column[string](ctx, tx, "SELECT coalesce(sql, '') FROM sqlite_schema ORDER BY sql")
	if err != nil {
		return 0, err
	}
	switch {
	case app == 0 && len(have) == 0:
		return 0, fmt.Errorf("sqlite: %s is not a ledger: it is empty, as an earlier version of this library left it when it died on the way; delete it and create the ledger", path)
	case app != applicationID:
		return 0, fmt.Errorf("sqlite: %s is not a ledger: its application_id is %#x, must be %#x", path, app, applicationID)
	case user > int64(len(versions)):
		return 0, newer(path, user)
	case user < 1:
		return 0, fmt.Errorf("sqlite: %s is not a ledger: its user_version is %d, must be from 1 to %d", path, user, len(versions))
	case !slices.Equal(have, slices.Sorted(slices.Values(schema(int(user))))):
		return 0, damaged(path, fmt.Sprintf("its schema is not that of a ledger of version %d", user))
	}
	return int(user), nil
}

func newer(path string, version int64) error {
	return fmt.Errorf("sqlite: %s was written by a newer version of this library: its user_version is %d, this one knows %d; use the newer one",
		path, version, len(versions))
}

// smallest is how large a ledger may be, in bytes, for every page of it to be looked at
// when it is opened. That takes time in proportion; what damage there is in a larger one
// is found where it is read, by Verify, and by [Store.Check].
var smallest int64 = 32 << 20 // less in tests

// Check looks at every page of the ledger, as Open does if it has up to 32 MiB: the trees,
// the counts and the sums of releases.
func (s *Store) Check(ctx context.Context) error {
	_, _, err := checkContent(ctx, s.reader, s.path, true)
	return s.settled(over(ctx, err))
}

// checkContent looks at the counts and, if it is to look at all, at every page. It returns
// the ledger's identity and how often it was changed.
func checkContent(ctx context.Context, db *sql.DB, path string, all bool) (id string, changes int64, err error) {
	counts := endsThatDiffer
	if all {
		counts = countsThatDiffer
		if err := checkPages(ctx, db, path); err != nil {
			return "", 0, err
		}
	}
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}) // others may write meanwhile
	if err != nil {
		return "", 0, err
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	ids, err := column[string](ctx, tx, "SELECT id FROM ledger")
	if err != nil {
		return "", 0, err
	}
	if len(ids) != 1 {
		return "", 0, damaged(path, fmt.Sprintf("it has %d identities, must have 1", len(ids)))
	}
	wrong, err := column[string](ctx, tx, counts)
	if err != nil {
		return "", 0, err
	}
	if len(wrong) != 0 {
		return "", 0, damaged(path, fmt.Sprintf("the records or releases of %q are not complete", wrong))
	}
	if all {
		if err := checkReleases(ctx, tx, path); err != nil {
			return "", 0, err
		}
	}
	err = tx.QueryRowContext(ctx, "SELECT changes FROM ledger").Scan(&changes)
	return ids[0], changes, err
}

// checkPages has SQLite look at every page of its file.
func checkPages(ctx context.Context, db *sql.DB, path string) error {
	problems, err := column[string](ctx, db, "PRAGMA integrity_check(3)")
	if err != nil {
		return err
	}
	if found := strings.Join(problems, "; "); found != "ok" {
		return damaged(path, found)
	}
	return nil
}

const countsThatDiffer = `
WITH have (account, records, releases) AS (
	SELECT account, sum(records), sum(releases) FROM (
		SELECT account, count(*) AS records, 0 AS releases FROM records GROUP BY account HAVING min(seq) = 0 AND max(seq) = count(*) - 1
		UNION ALL SELECT account, 0, count(*) FROM releases GROUP BY account
	) GROUP BY account
)
SELECT account FROM (SELECT * FROM have EXCEPT SELECT * FROM accounts)
UNION SELECT account FROM (SELECT * FROM accounts EXCEPT SELECT * FROM have)
UNION SELECT account FROM records GROUP BY account HAVING min(seq) != 0 OR max(seq) != count(*) - 1
UNION SELECT '(the ledger)' FROM ledger WHERE changes != (SELECT coalesce(sum(records + releases), 0) FROM accounts)`

// endsThatDiffer finds what is lost at the end of an account, and asks each for its last
// record only.
const endsThatDiffer = `
SELECT account FROM accounts WHERE records != coalesce((SELECT max(seq) + 1 FROM records WHERE records.account = accounts.account), 0)
UNION SELECT '(the ledger)' FROM ledger WHERE changes != (SELECT coalesce(sum(records + releases), 0) FROM accounts)`

// sizeOf returns how many bytes the ledger has, by its header.
func sizeOf(ctx context.Context, db *sql.DB) (size int64, err error) {
	err = db.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").Scan(&size)
	return size, err
}

func checkReleases(ctx context.Context, tx *sql.Tx, path string) error {
	rows, err := tx.QueryContext(ctx, "SELECT account, seq, data, sum FROM releases")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var account string
		var seq uint64
		var data, have sql.RawBytes
		if err := rows.Scan(&account, &seq, &data, &have); err != nil {
			return err
		}
		if string(have) != string(sum(account, seq, data)) {
			return damaged(path, fmt.Sprintf("release %d of %q is not what was kept", seq, account))
		}
	}
	return rows.Err()
}

// sum binds a release to its place.
func sum(account string, seq uint64, data []byte) []byte {
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(account))))
	h.Write([]byte(account))
	h.Write(binary.BigEndian.AppendUint64(nil, seq))
	h.Write(data)
	return h.Sum(nil)
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func column[T any](ctx context.Context, db querier, query string) ([]T, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var x T
		if err := rows.Scan(&x); err != nil {
			return nil, err
		}
		all = append(all, x)
	}
	return all, rows.Err()
}
