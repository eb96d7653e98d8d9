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
type statements struct {
	first, next, insert, inserts, changed *sql.Stmt // of Append
	keep, kept                            *sql.Stmt // of releases
}

func (w *statements) prepare(ctx context.Context, db *sql.DB) (err error) {
	for _, s := range []struct {
		stmt  **sql.Stmt
		query string
	}{
		{&w.first, "INSERT INTO accounts (account, records, releases) VALUES (?, ?, 0) ON CONFLICT DO NOTHING"},
		{&w.next, "UPDATE accounts SET records = records + ?3 WHERE account = ?1 AND records = ?2"},
		{&w.insert, "INSERT INTO records (account, seq, data) VALUES (?, ?, ?)"},
		{&w.inserts, "INSERT INTO records (account, seq, data) VALUES (?, ?, ?)" + strings.Repeat(", (?, ?, ?)", atOnce-1)},
		{&w.changed, "UPDATE ledger SET changes = changes + ? RETURNING changes"},
		{&w.keep, "INSERT INTO releases (account, seq, data, sum) VALUES (?, ?, ?, ?)"},
		{&w.kept, "UPDATE accounts SET releases = releases + ?2 WHERE account = ?1"},
	} {
		if *s.stmt, err = db.PrepareContext(ctx, s.query); err != nil {
			return err
		}
	}
	return nil
}

// Append implements [budget.Store] with one transaction, hence one fsync, for
// all records.
func (s *Store) Append(ctx context.Context, account string, records ...budget.Record) error {
	if len(records) == 0 {
		return nil
	}
	if err := consecutive(records); err != nil {
		return err
	}
	return s.change(ctx, func(tx *sql.Tx) (int64, error) {
		if err := s.advance(ctx, tx, account, records[0].Seq, len(records)); err != nil {
			return 0, err
		}
		if err := s.insert(ctx, tx, account, records); err != nil {
			return 0, err
		}
		releases, err := s.keep(ctx, tx, account, records)
		return int64(len(records) + releases), err
	})
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
	if n > 0 {
		_, err = tx.StmtContext(ctx, s.write.kept).ExecContext(ctx, account, n)
	}
	return n, err
}

// advance counts records that are to be added, if first is the count of those
// that are there.
func (s *Store) advance(ctx context.Context, tx *sql.Tx, account string, first uint64, n int) error {
	var result sql.Result
	var err error
	if first == 0 {
		result, err = tx.StmtContext(ctx, s.write.first).ExecContext(ctx, account, n)
	} else {
		result, err = tx.StmtContext(ctx, s.write.next).ExecContext(ctx, account, int64(first), n)
	}
	if err != nil {
		return err
	}
	if rows, err := result.RowsAffected(); err != nil || rows == 1 {
		return err
	}
	return fmt.Errorf("sqlite: record %d of account %q: %w", first, account, budget.ErrConflict)
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
		return nothing(explain(s.path, err))
	}
	var changes int64
	if err := tx.StmtContext(ctx, s.write.changed).QueryRowContext(ctx, n).Scan(&changes); err != nil {
		return nothing(explain(s.path, err))
	}
	if err := tx.Commit(); err != nil {
		return committing(explain(s.path, err))
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
