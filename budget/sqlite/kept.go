package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/equipoise-dp/equipoise/budget"
)

// Kept implements [budget.Store]. SQLite shows a reader only what is durable.
func (s *Store) Kept(ctx context.Context, account string, seq uint64) ([]byte, error) {
	if seq > math.MaxInt64 {
		return nil, nil
	}
	r, err := s.find(ctx, account, "=", seq)
	if err = s.settled(err); err != nil {
		return nil, err
	}
	return r.Release, nil
}

// Releases implements [budget.Store]. No lock is held while a release is looked
// at, so a slow reader does not hold up anyone.
func (s *Store) Releases(ctx context.Context, account string) iter.Seq2[budget.Record, error] {
	return func(yield func(budget.Record, error) bool) {
		for from := uint64(0); from <= math.MaxInt64; {
			r, err := s.find(ctx, account, ">=", from)
			if err = s.settled(err); err != nil {
				yield(budget.Record{}, err)
				return
			}
			if r.Release == nil || !yield(r, nil) {
				return
			}
			from = r.Seq + 1
		}
	}
}

// find returns the first release whose number compares like that, or none.
func (s *Store) find(ctx context.Context, account, compare string, seq uint64) (r budget.Record, err error) {
	var have []byte
	err = s.reader.QueryRowContext(ctx, "SELECT seq, data, sum FROM releases WHERE account = ? AND seq "+compare+" ? ORDER BY seq LIMIT 1",
		account, int64(seq)).Scan(&r.Seq, &r.Release, &have)
	if errors.Is(err, sql.ErrNoRows) {
		return budget.Record{}, nil
	}
	if err != nil {
		return budget.Record{}, err
	}
	if string(have) != string(sum(account, r.Seq, r.Release)) {
		return budget.Record{}, damaged(s.path, fmt.Sprintf("release %d of %q is not what was kept", r.Seq, account))
	}
	r.Release = blob(r.Release)
	return r, nil
}
