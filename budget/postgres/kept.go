package postgres

import (
	"context"
	"errors"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/equipoise-dp/equipoise/budget"
)

const look = `SELECT data FROM equipoise.releases WHERE account = $1 AND seq = $2`

// Kept implements [budget.Store]. The server shows only what has been committed,
// and commits only what is on its disk.
func (s *Store) Kept(ctx context.Context, account string, seq uint64) ([]byte, error) {
	if int64(seq) < 0 {
		return nil, nil
	}
	var kept []byte
	err := queryRow(ctx, s.pool, look, account, int64(seq)).Scan(&kept)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, explain(err)
	}
	return blob(kept), nil
}

const lookOn = `SELECT seq, data FROM equipoise.releases WHERE account = $1 AND seq >= $2 ORDER BY seq LIMIT $3`

// releasePage is how many releases are read at once; each may be large.
const releasePage = 16

// Releases implements [budget.Store].
func (s *Store) Releases(ctx context.Context, account string) iter.Seq2[budget.Record, error] {
	return func(yield func(budget.Record, error) bool) {
		for from := int64(0); ; {
			releases, err := s.releases(ctx, account, from)
			if err != nil {
				yield(budget.Record{}, explain(err))
				return
			}
			for _, r := range releases {
				if !yield(r, nil) {
					return
				}
				from = int64(r.Seq) + 1
			}
			if len(releases) < releasePage || from < 0 {
				return
			}
		}
	}
}

func (s *Store) releases(ctx context.Context, account string, from int64) ([]budget.Record, error) {
	rows, err := query(ctx, s.pool, lookOn, account, from, releasePage)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (budget.Record, error) {
		var seq int64
		var data []byte
		err := row.Scan(&seq, &data)
		return budget.Record{Seq: uint64(seq), Release: blob(data)}, err
	})
}
