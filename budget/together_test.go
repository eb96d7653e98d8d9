package budget

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/equipoise-dp/equipoise/dp"
)

// What is appended for several callers goes on as long as one of them waits for it, and no
// longer.
func TestABatchLivesAsLongAsOneOfItsCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, callers := range []int{1, 2, 3, 7} {
			batch, give := cancellable(t, callers)
			ctx, stop := together(batch)
			if callers == 1 && ctx != batch[0].ctx {
				t.Error("one caller's context is another one")
			}
			for i := range callers {
				if ctx.Err() != nil {
					t.Errorf("it ended when %d of %d callers had given up", i, callers)
				}
				give[callers-1-i]()
				synctest.Wait()
			}
			if !errors.Is(ctx.Err(), context.Canceled) {
				t.Errorf("it goes on when all of %d callers have given up: %v", callers, ctx.Err())
			}
			stop()
		}
	})
}

// A caller who never gives up is waited for.
func TestABatchWithACallerWhoNeverGivesUpIsNeverCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for at := range 3 {
			batch, give := cancellable(t, 3)
			batch[at].ctx = context.WithoutCancel(t.Context())
			ctx, stop := together(batch)
			for _, cancel := range give {
				cancel()
			}
			synctest.Wait()
			if ctx.Err() != nil || ctx.Done() != nil {
				t.Errorf("caller %d never gives up, and it ended: %v", at, ctx.Err())
			}
			stop()
		}
	})
}

// When a batch is done nothing of it is left, and none of its callers is cancelled by it.
func TestABatchLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		batch, give := cancellable(t, 2)
		ctx, stop := together(batch)
		stop()
		if !errors.Is(ctx.Err(), context.Canceled) {
			t.Errorf("it is not over: %v", ctx.Err())
		}
		for i, r := range batch {
			if r.ctx.Err() != nil {
				t.Errorf("caller %d is cancelled: %v", i, r.ctx.Err())
			}
		}
		for _, cancel := range give {
			cancel()
		}
	})
}

// What the context of the first caller says besides is there for all.
func TestABatchKnowsWhatItsFirstCallerDoes(t *testing.T) {
	type key struct{}
	batch, _ := cancellable(t, 2)
	batch[0].ctx = context.WithValue(batch[0].ctx, key{}, "trace 7")
	ctx, stop := together(batch)
	defer stop()
	if ctx.Value(key{}) != "trace 7" {
		t.Errorf("its value is %v", ctx.Value(key{}))
	}
}

func cancellable(t *testing.T, n int) (batch []*request, give []context.CancelFunc) {
	t.Helper()
	for range n {
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(cancel)
		batch, give = append(batch, &request{ctx: ctx}), append(give, cancel)
	}
	return batch, give
}

// Whoever gives up is answered by what became of the request, if that is known.
func TestWhoGivesUpIsToldWhatIsKnown(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	c := testCharge("k", dp.Pure{Epsilon: 1})
	answered := &request{charge: &c, done: make(chan struct{}), err: errDisk}
	close(answered.done)
	if _, err := a.abandon(ctx, answered); err != errDisk {
		t.Errorf("of a request that was answered: %v, want its answer", err)
	}
	if _, err := a.abandon(ctx, &request{charge: &c, done: make(chan struct{})}); !errors.Is(err, ErrUnknown) || !errors.Is(err, context.Canceled) {
		t.Errorf("of a request that is being answered: %v, want ErrUnknown", err)
	}
	waits := &request{charge: &c, done: make(chan struct{})}
	a.queue.push(waits)
	if _, err := a.abandon(ctx, waits); errors.Is(err, ErrUnknown) || !errors.Is(err, context.Canceled) || len(a.queue.waiting) != 0 {
		t.Errorf("of a request that waits: %v, and %d wait, want nothing spent", err, len(a.queue.waiting))
	}
	if _, err := a.Spend(ctx, c); errors.Is(err, ErrUnknown) || !errors.Is(err, context.Canceled) || len(stored(a)) != 1 {
		t.Errorf("of a caller who had given up before: %v, and %d records", err, len(stored(a)))
	}
}

// A batch is no larger than an append may be; the rest waits, in order.
func TestABatchHasAnEnd(t *testing.T) {
	var q queue
	for range maxBatch + 2 {
		q.push(&request{})
	}
	all := append([]*request{}, q.waiting...)
	first, second, none := q.take(), q.take(), q.take()
	if len(first) != maxBatch || len(second) != 2 || len(none) != 0 || first[0] != all[0] || second[0] != all[maxBatch] {
		t.Errorf("batches of %d, %d and %d", len(first), len(second), len(none))
	}
	q.push(all[0])
	_ = append(first, all[1]) // nobody's room
	if q.waiting[0] != all[0] || q.remove(all[1]) || !q.remove(all[0]) || q.remove(all[0]) {
		t.Error("the queue does not know what waits")
	}
}

// While nobody knows what an append did, nothing more is appended before it is found out.
func TestNothingIsAppendedInDoubt(t *testing.T) {
	disk := &unreadable{Store: Memory()}
	s := &faulty{Store: disk}
	a, err := Create(t.Context(), s, testTerms(pureOne))
	if err != nil {
		t.Fatal(err)
	}
	s.faults = []fault{{false, errDisk}, {false, errDisk}}
	if _, err := a.Spend(t.Context(), testCharge("k", dp.Pure{Epsilon: 0.5})); !errors.Is(err, ErrUnknown) {
		t.Fatalf("Spend: %v, want unknown", err)
	}
	disk.from = func(uint64) bool { return true }
	if _, err := a.Spend(t.Context(), testCharge("other", dp.Pure{Epsilon: 0.25})); !errors.Is(err, ErrUnknown) || !errors.Is(err, errDisk) {
		t.Errorf("Spend in doubt: %v, want unknown", err)
	}
	if n := len(disk.Store.(*memory).accounts["visits"].records); n != 1 {
		t.Errorf("%d records were appended in doubt", n-1)
	}
	disk.from = nil
	for i, key := range []string{"other", "k"} {
		if p, err := a.Spend(t.Context(), testCharge(key, dp.Pure{Epsilon: 0.25})); err != nil || p.Entry != uint64(i)+1 {
			t.Errorf("Spend when all can be read: %+v, %v", p, err)
		}
	}
}
