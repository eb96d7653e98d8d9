package beamagg

import (
	"context"
	"math"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/equipoise-dp/equipoise/internal/engine"
)

func init() {
	register.DoFn4x1[context.Context, int, func(*[]byte) bool, func(int, sum), error](&collectFn{})
	register.Iter1[[]byte]()
	register.Emitter2[int, sum]()
}

// collectFn bounds and adds up one shard.
type collectFn struct {
	Task task

	shards engine.Collecting
}

// Setup finds the plan.
func (f *collectFn) Setup() (err error) {
	f.shards, err = find(f.Task)
	return err
}

// ProcessElement collects a shard.
func (f *collectFn) ProcessElement(ctx context.Context, shard int, rows func(*[]byte) bool, emit func(int, sum)) error {
	partial, err := f.shards.Collect(ctx, shard, func(yield func([]byte, error) bool) {
		for b := []byte(nil); rows(&b); {
			if !yield(b, nil) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	emit(f.Task.pileOf(shard), sum{task: f.Task, shards: f.shards, partials: []any{partial}, sizes: []int{1}})
	return nil
}

// pileOf returns with which others a shard is merged by workers. There are about as many piles as
// shards in each, so that whoever opens them merges about as many as one worker.
func (t task) pileOf(shard int) int {
	piles := math.Ceil(math.Sqrt(float64(t.Shards)))
	return int(float64(shard) * piles / float64(t.Shards))
}
