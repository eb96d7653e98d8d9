package budget

import (
	"context"
	"errors"
	"iter"
)

// A Record is one line of a ledger as a [Store] sees it: a number and bytes. The
// bytes hold the hash of the line before, so a store needs to understand nothing
// and cannot change anything unseen.
type Record struct {
	Seq  uint64 // 0 for the first record of an account, then 1, 2, 3, …
	Data []byte

	// Release is what is kept beside the record, for ever, or nil. The record
	// holds its digest. An empty release is not nil.
	Release []byte
}

// ErrConflict is returned by [Store.Append] if a record's number is taken or
// would leave a gap. Another writer was faster: read on, decide again.
var ErrConflict = errors.New("budget: record number is not the next one")

// ErrNotAppended may be wrapped by an error of [Store.Append], if it is certain
// that nothing was appended and nothing will be: a lock that could not be had,
// say. Then nothing counts as spent.
var ErrNotAppended = errors.New("budget: nothing was appended")

// A Store keeps records and releases. All its methods must be usable
// concurrently, from several goroutines and several processes. Package
// budgettest tests implementations.
type Store interface {
	// Read yields the records of an account in order, from a number on, without
	// releases. An account that does not exist has no records; that is not an
	// error.
	Read(ctx context.Context, account string, from uint64) iter.Seq2[Record, error]

	// Append adds records with consecutive numbers and the releases beside them,
	// all or none. It must return an error that wraps [ErrConflict], and change
	// nothing, unless the first number is the count of records that are there. It
	// must not return nil before all of it is durable. If it returns any other
	// error, all of it may be there, or none, unless the error wraps
	// [ErrNotAppended].
	Append(ctx context.Context, account string, records ...Record) error

	// Kept returns the release beside a record, or nil if there is none. What it
	// returns is durable.
	Kept(ctx context.Context, account string, seq uint64) ([]byte, error)

	// Releases yields every release of an account in the order of the numbers,
	// without the data of the records.
	Releases(ctx context.Context, account string) iter.Seq2[Record, error]

	// Accounts returns the names of all accounts that have records, sorted by
	// their bytes.
	Accounts(ctx context.Context) ([]string, error)
}

// errNilRelease is returned by [Account.Keep] if there is nothing to keep. An empty
// release is one that is not nil.
var errNilRelease = errors.New("budget: the release is nil, must be bytes, or empty and not nil; Account.Kept returns what was kept")
