package budgettest

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
)

// testClock sets the clock back by decades and then forward by a century. No
// time gives budget back or takes it.
func testClock(t *testing.T, s budget.Store) {
	a := create(t, s, 3)
	spend := func(t *testing.T, key string) {
		t.Helper()
		if _, err := a.Spend(t.Context(), charge(key)); err != nil {
			t.Errorf("Spend in %d: %v", time.Now().Year(), err)
		}
	}
	spend(t, "now")
	out, done := outside(t, s)
	defer done()
	synctest.Test(t, func(t *testing.T) { // begins in the year 2000
		a = reopen(t, out)
		spend(t, "then")
		time.Sleep(120 * 365 * 24 * time.Hour) // of the bubble's clock: takes no time
		spend(t, "later")
		if _, err := a.Spend(t.Context(), charge("more")); !refused(err) {
			t.Errorf("Spend of the fourth of three units in %d: %v, want a refusal", time.Now().Year(), err)
		}
	})
	wantSpent(t, s, 3, 3)
}

// An outsider is a store whose calls run outside of the bubble in which another
// clock is set: a pool of connections cannot be used from both sides.
type outsider struct {
	ctx   context.Context
	store budget.Store
	calls chan func()
	done  chan struct{}
}

func outside(t *testing.T, s budget.Store) (*outsider, func()) {
	o := &outsider{t.Context(), s, make(chan func()), make(chan struct{})}
	go func() {
		for call := range o.calls {
			call()
			o.done <- struct{}{}
		}
	}()
	return o, func() { close(o.calls) }
}

func (o *outsider) call(do func()) {
	o.calls <- do
	<-o.done
}

func (o *outsider) Read(_ context.Context, account string, from uint64) iter.Seq2[budget.Record, error] {
	return o.list(func() iter.Seq2[budget.Record, error] { return o.store.Read(o.ctx, account, from) })
}

func (o *outsider) Releases(_ context.Context, account string) iter.Seq2[budget.Record, error] {
	return o.list(func() iter.Seq2[budget.Record, error] { return o.store.Releases(o.ctx, account) })
}

func (o *outsider) list(of func() iter.Seq2[budget.Record, error]) iter.Seq2[budget.Record, error] {
	return func(yield func(budget.Record, error) bool) {
		var all []budget.Record
		var err error
		o.call(func() {
			for r, e := range of() {
				if err = e; err != nil {
					return
				}
				all = append(all, r)
			}
		})
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
		if err != nil {
			yield(budget.Record{}, err)
		}
	}
}

func (o *outsider) Append(_ context.Context, account string, records ...budget.Record) (err error) {
	o.call(func() { err = o.store.Append(o.ctx, account, records...) })
	return err
}

func (o *outsider) Kept(_ context.Context, account string, seq uint64) (kept []byte, err error) {
	o.call(func() { kept, err = o.store.Kept(o.ctx, account, seq) })
	return kept, err
}

func (o *outsider) Accounts(context.Context) (names []string, err error) {
	o.call(func() { names, err = o.store.Accounts(o.ctx) })
	return names, err
}
