package postgres

import (
	"context"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/equipoise-dp/equipoise/budget"
)

// page is how many records are read at once. Between pages no connection is
// held, so a slow reader does not hold up anyone.
const page = 256

// firstPage is how many are read first: often one is all that is wanted.
const firstPage = 4

// Read implements [budget.Store]. It yields at least the records that are there
// when it is called, and an error if fewer are there than have been counted.
func (s *Store) Read(ctx context.Context, account string, from uint64) iter.Seq2[budget.Record, error] {
	return func(yield func(budget.Record, error) bool) {
		for next, n, more := from, firstPage, true; more; n = page {
			var records []budget.Record
			var err error
			records, more, err = s.page(ctx, account, next, n)
			for _, r := range records {
				if !yield(r, nil) {
					return
				}
			}
			if err != nil {
				yield(budget.Record{}, explain(err))
				return
			}
			next += uint64(len(records))
		}
	}
}

// readPage has one row for each record and, if there is none, one with nothing
// but the counts; what it sees is one state of the tables.
const readPage = `
SELECT coalesce(c.counted, 0), coalesce(c.there, 0), r.seq, r.data
FROM (SELECT (SELECT records FROM equipoise.accounts WHERE account = $1) AS counted,
             (SELECT max(seq) + 1 FROM equipoise.records WHERE account = $1) AS there) AS c
LEFT JOIN (SELECT seq, data FROM equipoise.records WHERE account = $1 AND seq >= $2 ORDER BY seq LIMIT $3) AS r ON true
ORDER BY r.seq`

// page returns the next records, and whether there are more.
func (s *Store) page(ctx context.Context, account string, from uint64, n int) (records []budget.Record, more bool, err error) {
	if int64(from) < 0 {
		return nil, false, nil
	}
	rows, err := query(ctx, s.pool, readPage, account, int64(from), n)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	var counted, there int64
	for rows.Next() {
		var seq *int64
		var data []byte
		if err := rows.Scan(&counted, &there, &seq, &data); err != nil {
			return nil, false, err
		}
		if seq != nil {
			records = append(records, budget.Record{Seq: uint64(*seq), Data: data})
		}
	}
	if err := rows.Err(); err != nil {
		return nil, false, err
	}
	if counted != there {
		return nil, false, damaged("account %q has %d records, must have %d", account, there, counted)
	}
	for i, r := range records {
		if want := from + uint64(i); r.Seq != want {
			return nil, false, damaged("record %d of account %q is missing", want, account)
		}
	}
	// Fewer than n are all that there are: the statement sees one state, so the last of them is the one that max found.
	return records, from+uint64(len(records)) < uint64(counted), nil
}

func damaged(format string, args ...any) error {
	return rule(nil, "the ledger is damaged: "+format+"; put back a copy that is not older than the last release", args...)
}

// Accounts implements [budget.Store].
func (s *Store) Accounts(ctx context.Context) ([]string, error) {
	rows, err := query(ctx, s.pool, `SELECT account FROM equipoise.accounts WHERE records > 0 ORDER BY account COLLATE "C"`)
	if err != nil {
		return nil, explain(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return names, explain(err)
}
