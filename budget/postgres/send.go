package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Statements are sent in one round trip and none is prepared. A pooler between
// that gives each transaction another connection of the server, such as PgBouncer
// in transaction mode, would lose what is prepared, or find it there already.

func direct(args []any) []any { return append([]any{pgx.QueryExecModeExec}, args...) }

func query(ctx context.Context, pool *pgxpool.Pool, sql string, args ...any) (pgx.Rows, error) {
	return pool.Query(ctx, sql, direct(args)...)
}

func queryRow(ctx context.Context, pool *pgxpool.Pool, sql string, args ...any) pgx.Row {
	return pool.QueryRow(ctx, sql, direct(args)...)
}

// tries is how often a statement is sent that the server undid for the sake of
// others. Each of them waits longer than the one before, about a second in all, so
// that many writers, of which one succeeds each time, all have their turn.
const tries = 20

// write sends a statement that changes something and is a transaction of its own.
func (s *Store) write(ctx context.Context, sql string, args ...any) (tag pgconn.CommandTag, err error) {
	for n := range tries {
		if tag, err = s.try(ctx, sql, args); err == nil || judge(err) != again || !pause(ctx, n) {
			break
		}
	}
	return tag, err
}

// pause says whether to go on after the n-th try.
func pause(ctx context.Context, n int) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Millisecond << min(n, 6)):
		return true
	}
}

func (s *Store) try(ctx context.Context, sql string, args []any) (pgconn.CommandTag, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return pgconn.CommandTag{}, unsentError{err}
	}
	defer conn.Release()
	return conn.Exec(ctx, sql, direct(args)...)
}

// duplicate says whether another had put a row there.
func duplicate(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "23505" // unique_violation
}
