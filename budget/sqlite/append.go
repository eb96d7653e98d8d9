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
	have, keep, count, changed *sql.Stmt
	insert                     [mostAtOnce]*sql.Stmt // of 1, 2, 4, … records
}

// mostAtOnce is for how many numbers of records there is a statement. The one with most
// inserts 64.
const mostAtOnce = 7

func (w *statements) prepare(ctx context.Context, db *sql.DB) (err error) {
	for _, s := range []struct {
		stmt  **sql.Stmt
		query string
	}{
		{&w.have, "SELECT user_version, coalesce((SELECT records FROM accounts WHERE account = ?), 0) FROM pragma_user_version"},
		{&w.keep, "INSERT INTO releases (account, seq, data, sum) VALUES (?, ?, ?, ?)"},
		{&w.count, "INSERT INTO accounts (account, records, releases) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET records = records + ?2, releases = releases + ?3"},
		{&w.changed, "UPDATE ledger SET changes = changes + ? RETURNING changes"},
	} {
		if *s.stmt, err = db.PrepareContext(ctx, s.query); err != nil {
			return err
		}
	}
	for i := range w.insert {
		if w.insert[i], err = db.PrepareContext(ctx, inserting(1<<i)); err != nil {
			return err
		}
	}
	return nil
}

// inserting returns what inserts n records of an account from a number on.
func inserting(n int) string {
	var q strings.Builder
	q.WriteString("INSERT INTO records (account, seq, data) VALUES (?1, ?2, ?)")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&q, ", (?1, ?2 + %d, ?)", i)
	}
	return q.String()
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

// insert adds records, the largest numbers of them that one statement inserts first.
func (s *Store) insert(ctx context.Context, tx *sql.Tx, account string, records []budget.Record) error {
	args := make([]any, 0, 2+1<<(mostAtOnce-1))
	for i := mostAtOnce - 1; len(records) > 0; {
		n := 1 << i
		if n > len(records) {
			i--
			continue
		}
		args = append(args[:0], account, int64(records[0].Seq))
		for _, r := range records[:n] {
			args = append(args, blob(r.Data))
		}
		if _, err := tx.StmtContext(ctx, s.write.insert[i]).ExecContext(ctx, args...); err != nil {
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
