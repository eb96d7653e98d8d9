package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/equipoise-dp/equipoise/budget"
)

const (
	keep = `INSERT INTO equipoise.releases (account, seq, data) SELECT $1, $2::bigint, $3::bytea WHERE ` + durable + ` ON CONFLICT DO NOTHING`
	look = `SELECT data FROM equipoise.releases WHERE account = $1 AND seq = $2`
)

// Keep implements [budget.Store].
func (s *Store) Keep(ctx context.Context, account string, seq uint64, release []byte) ([]byte, error) {
	if int64(seq) < 0 {
		return nil, rule(budget.ErrConflict, "release number is %d, must be at most 2^63-1", seq)
	}
	if release == nil {
		return nil, budget.ErrNilRelease
	}
	tag, err := s.pool.Exec(ctx, keep, account, int64(seq), release)
	switch {
	case err == nil && tag.RowsAffected() == 1:
		return release, nil
	case err == nil || conflicting(err): // another was faster
		return s.Kept(ctx, account, seq)
	}
	return nil, explain(err)
}

// Kept implements [budget.Store]. The server shows only what has been committed,
// and commits only what is on its disk.
func (s *Store) Kept(ctx context.Context, account string, seq uint64) ([]byte, error) {
	var kept []byte
	err := s.pool.QueryRow(ctx, look, account, int64(seq)).Scan(&kept)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, explain(err)
	}
	return blob(kept), nil
}
