package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"

	"github.com/equipoise-dp/equipoise/budget"
)

// statements are compiled once, on the connection of the writer.
type statements struct{ have, keep, insert, inserts, count, changed *sql.Stmt }

func (w *statements) prepare(ctx context.Context, db *sql.DB) (err error) {
	for _, s := range []struct {
		stmt  **sql.Stmt
		query string
	}{
		{&w.have, "SELECT user_version, coalesce((SELECT records FROM accounts WHERE account = ?), 0) FROM pragma_user_version"},
		{&w.keep, "INSERT INTO releases (account, seq, data, sum) VALUES (?, ?, ?, ?)"},
		{&w.insert, "INSERT INTO records (account, seq, data) VALUES (?, ?, ?)"},
		{&w.inserts, "INSERT INTO records (account, seq, data) VALUES (?, ?, ?)" + strings.Repeat(", (?, ?, ?)", atOnce-1)},
		{&w.count, "INSERT INTO accounts (account, records, releases) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET records = records + ?2, releases = releases + ?3"},
		{&w.changed, "UPDATE ledger SET changes = changes + ? RETURNING changes"},
	} {
		if *s.stmt, err = db.PrepareContext(ctx, s.query); err != nil {
			return err
		}
	}
	return nil
}

// Append implements [budget.Store] with one transaction, hence one fsync, for
// all records. The order in it is that of version 3 of the schema, which tells
// programs apart by it.
func (s *Store) Append(ctx context.Context, account string, records ...budget.Record) error {
	if len(records) == 0 {
		return nil
	}
	if err := consecutive(records); err != nil {
		return err
	}
	return s.change(ctx, func(tx *sql.Tx) (int64, error) {
		if err := s.next(ctx, tx, account, records[0].Seq); err != nil {
			return 0, err
		}
		releases, err := s.keep(ctx, tx, account, records)
		if err == nil {
			err = s.insert(ctx, tx, account, records)
		}
		if err == nil {
			_, err = tx.StmtContext(ctx, s.write.count).ExecContext(ctx, account, len(records), releases)
		}
		return int64(len(records) + releases), err
	})
}

// next returns nil if a record of this number is the next one of the account. The
// transaction holds the lock of the writer.
func (s *Store) next(ctx context.Context, tx *sql.Tx, account string, seq uint64) error {
	have, err := s.have(ctx, tx, account)
	if err == nil && have != seq {
		err = fmt.Errorf("sqlite: record %d of account %q, which has %d: %w", seq, account, have, budget.ErrConflict)
	}
	return err
}

// have returns how many records an account has, or an error if a newer program has
// opened the ledger since.
func (s *Store) have(ctx context.Context, tx *sql.Tx, account string) (records uint64, err error) {
	var version int64
	err = tx.StmtContext(ctx, s.write.have).QueryRowContext(ctx, account).Scan(&version, &records)
	if err == nil && version != int64(len(versions)) {
		err = newer(s.path, version)
	}
	return records, err
}

// atOnce is how many records one statement inserts, while there are as many.
const atOnce = 16

func (s *Store) insert(ctx context.Context, tx *sql.Tx, account string, records []budget.Record) error {
	one, many := tx.StmtContext(ctx, s.write.insert), tx.StmtContext(ctx, s.write.inserts)
	args := make([]any, 0, 3*atOnce)
	for len(records) > 0 {
		stmt, n := many, atOnce
		if len(records) < atOnce {
			stmt, n = one, 1
		}
		args = args[:0]
		for _, r := range records[:n] {
			args = append(args, account, int64(r.Seq), blob(r.Data))
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return err
		}
		records = records[n:]
	}
	return nil
}

// keep adds the releases of the records and returns how many there are.
func (s *Store) keep(ctx context.Context, tx *sql.Tx, account string, records []budget.Record) (n int, err error) {
	for _, r := range records {
		if r.Release == nil {
			continue
		}
		if _, err := tx.StmtContext(ctx, s.write.keep).ExecContext(ctx, account, int64(r.Seq), r.Release, sum(account, r.Seq, r.Release)); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

func consecutive(records []budget.Record) error {
	for i, r := range records {
		if want := records[0].Seq + uint64(i); r.Seq != want || want > math.MaxInt64 {
			return fmt.Errorf("sqlite: record number is %d after %d records from %d: %w", r.Seq, i, records[0].Seq, budget.ErrConflict)
		}
	}
	return nil
}

// change runs do in a transaction and, if it made changes, commits them and
// raises the mark.
func (s *Store) change(ctx context.Context, do func(*sql.Tx) (int64, error)) error {
	if s.unwritable != nil {
		return nothing(s.unwritable)
	}
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return nothing(explain(s.path, err))
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	n, err := do(tx)
	if err != nil || n == 0 {
		return nothing(explain(s.path, over(ctx, err)))
	}
	var changes int64
	if err := tx.StmtContext(ctx, s.write.changed).QueryRowContext(ctx, n).Scan(&changes); err != nil {
		return nothing(explain(s.path, over(ctx, err)))
	}
	if err := tx.Commit(); err != nil {
		return committing(explain(s.path, over(ctx, err)))
	}
	return s.mark.raise(changes)
}

// blob makes of nil what the driver does not take for NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
