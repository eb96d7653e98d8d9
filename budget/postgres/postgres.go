// Package postgres keeps a ledger in a PostgreSQL database: the store for
// several services, on several machines, that spend from one account.
//
//	store, err := postgres.Create(ctx, pool) // once, ever
//	…
//	store, err := postgres.Open(ctx, pool)   // at every start
//	if err != nil {
//		return err
//	}
//	account, err := budget.Open(ctx, store, "orders")
//
// The ledger is the schema "equipoise" of the database that the pool connects
// to. It needs PostgreSQL 12 or newer. A service needs USAGE on the schema,
// SELECT on all its tables, INSERT on accounts, records and releases, and
// UPDATE on accounts; with no more than that it cannot change what is written.
//
// # Durability
//
// When Append returns nil, the server has forced what it wrote to its
// disk. Every write demands this of its own transaction, also where the server's
// default is synchronous_commit=off. A server with fsync=off is refused by
// Open. It survives the crash of a client, of the server, and of its system, if
// the server's disk keeps what fsync promises.
//
// Whether it survives the loss of the whole server is a matter of replication.
// With synchronous_standby_names set, a write waits for a standby; without, a
// standby that takes over may lack the last entries, which then count as not
// spent. Set it where a failover is automatic.
//
// If the connection breaks while a write is under way, nobody knows whether it
// took effect, and an error is returned. Package budget then counts it as spent.
//
// # Damage and old copies
//
// Read refuses an account with fewer records than have been counted, so a lost
// end is found. A database that was restored from an older backup is complete in
// itself and not refused. Keep the hash of the last entry elsewhere to find
// that. Create the cluster with initdb --data-checksums, so that the server
// finds flipped bytes.
package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/equipoise-dp/equipoise/budget"
)

// A Store is a ledger in a database. It is safe for concurrent use.
type Store struct{ pool *pgxpool.Pool }

var _ budget.Store = (*Store)(nil)

// Create makes a new, empty ledger in the database of the pool. It returns an
// error if a schema named equipoise is there. It needs the right to create one.
func Create(ctx context.Context, pool *pgxpool.Pool) (*Store, error) {
	if err := initialize(ctx, pool); err != nil {
		return nil, explain(err)
	}
	return Open(ctx, pool)
}

// Open uses the ledger that [Create] made in the database of the pool. It never
// creates one, and refuses a database that has none or one that was written by
// a newer version, and a server that does not keep what it acknowledges. The
// pool stays the caller's, who closes it.
func Open(ctx context.Context, pool *pgxpool.Pool) (*Store, error) {
	if err := checkServer(ctx, pool); err != nil {
		return nil, explain(err)
	}
	if err := checkSchema(ctx, pool); err != nil {
		return nil, explain(err)
	}
	return &Store{pool}, nil
}

// explain adds what to do to an error of the server.
func explain(err error) error {
	var e *pgconn.PgError
	if err == nil || !errors.As(err, &e) {
		return prefixed(err)
	}
	switch e.Code {
	case "42501": // insufficient_privilege
		return fmt.Errorf("postgres: the user may not use schema equipoise; grant the rights in the documentation of this package: %w", err)
	case "53100": // disk_full
		return fmt.Errorf("postgres: the server has no space left; make room and try again: %w", err)
	case "25006": // read_only_sql_transaction
		return fmt.Errorf("postgres: the server is read-only, perhaps a standby; connect to the primary: %w", err)
	}
	return prefixed(err)
}

func prefixed(err error) error {
	if err == nil || own(err) {
		return err
	}
	return fmt.Errorf("postgres: %w", err)
}

// A ruleError is one that this package made, and whose text is complete.
type ruleError struct {
	text  string
	cause error
}

func (e *ruleError) Error() string { return e.text }
func (e *ruleError) Unwrap() error { return e.cause }

func own(err error) bool {
	var e *ruleError
	return errors.As(err, &e)
}

func rule(cause error, format string, args ...any) error {
	text := "postgres: " + fmt.Sprintf(format, args...)
	if cause != nil {
		text += ": " + cause.Error()
	}
	return &ruleError{text, cause}
}
