package beamagg

import (
	"errors"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/equipoise-dp/equipoise/internal/engine"
)

func init() {
	register.DoFn2x0[[]byte, func(int, []byte)](&everyFn{})
	register.Emitter2[int, []byte]()
}

// placeFn reads of each row what the plan reads, and passes it on to its shard: many rows at once, since a
// runner does more for an element than for a row.
type placeFn[Row any] struct {
	Task task

	shards  engine.Shards[Row]
	waiting [][]byte // of each shard
	bytes   int      // that wait
}

// How many bytes wait, of one shard and of all.
const (
	mostOfShard = 1 << 16
	mostOfAll   = 1 << 24
)

// Setup finds the plan.
func (f *placeFn[Row]) Setup() error {
	found, err := find(f.Task)
	if err != nil {
		return err
	}
	shards, ok := found.(engine.Shards[Row])
	if !ok {
		return errors.New("beamagg: this worker has a plan of other rows under that name")
	}
	f.shards = shards
	return nil
}

// StartBundle forgets what waits of a bundle that failed, which will come again.
func (f *placeFn[Row]) StartBundle(func(int, []byte)) {
	f.waiting, f.bytes = make([][]byte, f.Task.Shards), 0
}

// ProcessElement places a row.
func (f *placeFn[Row]) ProcessElement(row Row, emit func(int, []byte)) {
	var few [64]byte
	b, shard, ok := f.shards.Place(few[:0], row)
	if !ok {
		return
	}
	f.waiting[shard] = append(f.waiting[shard], b...)
	f.bytes += len(b)
	if len(f.waiting[shard]) >= mostOfShard {
		f.pass(shard, emit)
	}
	if f.bytes >= mostOfAll {
		f.FinishBundle(emit)
	}
}

// pass passes on what waits of a shard, which whoever gets it may keep.
func (f *placeFn[Row]) pass(shard int, emit func(int, []byte)) {
	b := f.waiting[shard]
	f.waiting[shard], f.bytes = nil, f.bytes-len(b)
	emit(shard, b)
}

// FinishBundle passes on what waits.
func (f *placeFn[Row]) FinishBundle(emit func(int, []byte)) {
	for shard, b := range f.waiting {
		if len(b) > 0 {
			f.pass(shard, emit)
		}
	}
}

// everyFn names every shard: also those that no row is in are collected, so that whoever opens
// sees that none is missing.
type everyFn struct{ Shards int }

// ProcessElement names them.
func (f *everyFn) ProcessElement(_ []byte, emit func(int, []byte)) {
	for shard := range f.Shards {
		emit(shard, nil)
	}
}
