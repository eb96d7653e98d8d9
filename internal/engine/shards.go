package engine

import (
	"context"
	"iter"
)

// Shards are what an engine of many processes sees of a plan: one reads rows and says in which
// shard each is, another collects a shard, and others merge. A Partial is an *aggregate.Partial
// of the groups of the plan.
type Shards[Row any] interface {
	// Place appends to some bytes what the plan reads of a row, and returns the row's shard. It is
	// false where the row is of a group that is not given, and so of none.
	Place(to []byte, row Row) (bytes []byte, shard int, ok bool)
	Collecting
}

// Collecting needs no type of a row.
type Collecting interface {
	// Name names the plan, the secret and the number of shards, and tells nothing of the secret.
	Name() string

	// Collect returns the Partial of a shard from what Place appended, a few rows at a time. It bounds
	// whatever it is given, and takes no row of another shard.
	Collect(ctx context.Context, shard int, rows iter.Seq2[[]byte, error]) (partial any, err error)

	// Merge refuses Partials that may have a unit in common.
	Merge(ctx context.Context, partials ...any) (any, error)

	// Pack and Unpack are for a Partial that another process merges. It is not sealed, as rows on
	// their way there are not.
	Pack(partial any) []byte
	Unpack(bytes []byte) (partial any, err error)
}
