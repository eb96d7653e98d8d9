// Package postgres keeps a ledger in a PostgreSQL database: the store for
// several services, on several machines, that spend from one account.
//
//	store, err := postgres.OpenOrCreate(ctx, pool) // at every start
//	if err != nil {
//		return err
//	}
//	account, err := budget.OpenOrCreate(ctx, store, terms)
//
// A ledger is made in one transaction, and of processes that start together one
// makes it. [Open] and [Create] are for programs that know whether a ledger must
// be there, or that may not create one.
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
// An error by which the server says that it undid the write, or that came before
// anything was sent, wraps [budget.ErrNotAppended]; serialization failures and
// deadlocks are tried again.
//
// # Poolers and standbys
//
// No statement is prepared and nothing is kept in a session, so a pooler may be
// between, such as PgBouncer in session or transaction mode, whatever the pool's
// default_query_exec_mode is.
//
// On a standby, on a server with default_transaction_read_only=on, or with SELECT
// rights alone, a ledger can be shown and verified, and what was kept can be read.
// What would change it is an error that wraps [budget.ErrNotAppended];
// [Store.Writable] tells beforehand.
//
// # Versions
//
// Open brings the tables of an earlier version of this library to those of this
// one, in one transaction, if its user owns them. An earlier version of the library
// then refuses them, and a program of it that has them open is refused what it
// appends or keeps next. A user with the rights above only reads them as they are,
// and writes as soon as their owner has opened them.
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
	"io/fs"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/equipoise-dp/equipoise/budget"
)

// A Store is a ledger in a database. It is safe for concurrent use.
type Store struct {
	pool   *pgxpool.Pool
	behind atomic.Bool // the tables were of an earlier version when it was opened
}

var _ budget.Store = (*Store)(nil)

// Create makes a new, empty ledger in the database of the pool, in one
// transaction. It returns an error that wraps [fs.ErrExist] if a schema named
// equipoise is there. It needs the right to create one.
func Create(ctx context.Context, pool *pgxpool.Pool) (*Store, error) {
	if err := checkServer(ctx, pool); err != nil {
		return nil, explain(err)
	}
	if err := initialize(ctx, pool); err != nil {
		return nil, explain(err)
	}
	return Open(ctx, pool)
}

// OpenOrCreate uses the ledger in the database of the pool, or makes one if there
// is none. Several processes may do so at the same time; one makes it and all use
// the same. A database that lost its ledger is a fresh budget; where the ledger
// must be there, use [Open].
func OpenOrCreate(ctx context.Context, pool *pgxpool.Pool) (*Store, error) {
	s, err := Open(ctx, pool)
	if !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	s, err = Create(ctx, pool)
	if !errors.Is(err, fs.ErrExist) {
		return s, err
	}
	s, again := Open(ctx, pool) // another process was faster
	if errors.Is(again, fs.ErrNotExist) {
		return nil, err
	}
	return s, again
}

// Open uses the ledger that is in the database of the pool. It never creates one:
// it returns an error that wraps [fs.ErrNotExist] if there is none. It refuses one
// that was written by a newer version, and a server that does not keep what it
// acknowledges. The pool stays the caller's, who closes it.
func Open(ctx context.Context, pool *pgxpool.Pool) (*Store, error) {
	if err := checkServer(ctx, pool); err != nil {
		return nil, explain(err)
	}
	version, err := checkSchema(ctx, pool)
	if err != nil {
		return nil, explain(err)
	}
	s := &Store{pool: pool}
	if version == len(versions) {
		return s, nil
	}
	may, err := mayMigrate(ctx, pool)
	switch {
	case err != nil:
	case may:
		err = migrate(ctx, pool)
	default:
		s.behind.Store(true) // what is there can be read
	}
	if err != nil {
		return nil, explain(err)
	}
	return s, nil
}

// Writable returns nil if the ledger can be written, and otherwise an error that
// says why and what to do. It wraps [budget.ErrNotAppended].
func (s *Store) Writable(ctx context.Context) error {
	var readOnlyServer, may bool
	err := queryRow(ctx, s.pool, `SELECT current_setting('transaction_read_only') = 'on',
		has_table_privilege('equipoise.accounts', 'INSERT') AND has_table_privilege('equipoise.accounts', 'UPDATE') AND
		has_table_privilege('equipoise.records', 'INSERT') AND has_table_privilege('equipoise.releases', 'INSERT')`).Scan(&readOnlyServer, &may)
	switch {
	case err != nil:
		return notAppended(explain(err))
	case readOnlyServer:
		return notAppended(rule(nil, "%s", readOnly))
	case !may:
		return notAppended(rule(nil, "the user may read the ledger only; to spend, grant the rights in the documentation of this package"))
	}
	return s.caughtUp(ctx)
}

// caughtUp returns nil if the tables are of the version of this program by now.
// Before they are, a program of their version could keep what this one does not see.
func (s *Store) caughtUp(ctx context.Context) error {
	version, err := checkSchema(ctx, s.pool)
	switch {
	case err != nil:
		return notAppended(explain(err))
	case version < len(versions):
		return notAppended(rule(nil, "the ledger is of version %d, and this user may not bring it to version %d; have the owner of its tables open it once with this version of the library", version, len(versions)))
	}
	s.behind.Store(false)
	return nil
}
