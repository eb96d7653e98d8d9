package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/equipoise-dp/equipoise/budget"
)

// Keep implements [budget.Store].
func (s *Store) Keep(ctx context.Context, account string, seq uint64, release []byte) ([]byte, error) {
	if seq > math.MaxInt64 {
		return nil, fmt.Errorf("sqlite: release number is %d, must be at most %d: %w", seq, math.MaxInt64, budget.ErrConflict)
	}
	if release == nil {
		return nil, budget.ErrNilRelease
	}
	if kept, err := s.Kept(ctx, account, seq); kept != nil || err != nil {
		return kept, err
	}
	err := s.change(ctx, func(tx *sql.Tx) (int64, error) {
		result, err := tx.StmtContext(ctx, s.write.keep).ExecContext(ctx, account, int64(seq), release, sum(account, seq, release))
		if err != nil {
			return 0, err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 { // another was faster
			return 0, err
		}
		_, err = tx.StmtContext(ctx, s.write.kept).ExecContext(ctx, account)
		return 1, err
	})
	if err != nil {
		return nil, err
	}
	return s.Kept(ctx, account, seq)
}

// Kept implements [budget.Store]. SQLite shows a reader only what is durable.
func (s *Store) Kept(ctx context.Context, account string, seq uint64) ([]byte, error) {
	release, err := s.find(ctx, account, seq)
	if err = s.settled(err); err != nil {
		return nil, err
	}
	return release, nil
}

func (s *Store) find(ctx context.Context, account string, seq uint64) ([]byte, error) {
	var release, have []byte
	err := s.reader.QueryRowContext(ctx, "SELECT data, sum FROM releases WHERE account = ? AND seq = ?", account, int64(seq)).Scan(&release, &have)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if string(have) != string(sum(account, seq, release)) {
		return nil, damaged(s.path, fmt.Sprintf("release %d of %q is not what was kept", seq, account))
	}
	return blob(release), nil
}
