package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"iter"

	"github.com/equipoise-dp/equipoise/budget"
)

// page is how many records are read at once. Between pages no lock is held, so
// a slow reader does not hold up anyone.
const page = 256

// firstPage is how many are read first: often one is all that is wanted.
const firstPage = 4

// Read implements [budget.Store]. It yields the records that are there when it
// is called, and an error if fewer are there than have been counted.
func (s *Store) Read(ctx context.Context, account string, from uint64) iter.Seq2[budget.Record, error] {
	return func(yield func(budget.Record, error) bool) {
		count, err := s.count(ctx, account)
		for next, n := from, uint64(firstPage); err == nil && next < count; n = page {
			var records []budget.Record
			records, err = s.page(ctx, account, next, min(n, count-next))
			for _, r := range records {
				if !yield(r, nil) {
					return
				}
			}
			next += uint64(len(records))
		}
		if err = s.settled(err); err != nil {
			yield(budget.Record{}, err)
		}
	}
}

// count returns how many records an account has, by both ways of counting.
func (s *Store) count(ctx context.Context, account string) (uint64, error) {
	var counted, there sql.NullInt64
	err := s.reader.QueryRowContext(ctx, `SELECT
		(SELECT records FROM accounts WHERE account = ?1),
		(SELECT max(seq) + 1 FROM records WHERE account = ?1)`, account).Scan(&counted, &there)
	if err != nil {
		return 0, err
	}
	if counted.Int64 != there.Int64 {
		return 0, damaged(s.path, fmt.Sprintf("account %q has %d records, must have %d", account, there.Int64, counted.Int64))
	}
	return uint64(counted.Int64), nil
}

// page returns n records in order, or an error.
func (s *Store) page(ctx context.Context, account string, from, n uint64) ([]budget.Record, error) {
	rows, err := s.reader.QueryContext(ctx,
		"SELECT seq, data FROM records WHERE account = ? AND seq >= ? ORDER BY seq LIMIT ?", account, int64(from), int64(n))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	records := make([]budget.Record, 0, n)
	for rows.Next() {
		var r budget.Record
		if err := rows.Scan(&r.Seq, &r.Data); err != nil {
			return nil, err
		}
		if want := from + uint64(len(records)); r.Seq != want {
			return nil, damaged(s.path, fmt.Sprintf("record %d of account %q is missing", want, account))
		}
		records = append(records, r)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if uint64(len(records)) != n {
		return nil, damaged(s.path, fmt.Sprintf("record %d of account %q is missing", from+uint64(len(records)), account))
	}
	return records, nil
}

// Accounts implements [budget.Store].
func (s *Store) Accounts(ctx context.Context) ([]string, error) {
	names, err := column[string](ctx, s.reader, "SELECT account FROM accounts WHERE records > 0 ORDER BY account COLLATE BINARY")
	return names, s.settled(err)
}
