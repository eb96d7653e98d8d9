package aggregate_test

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// patience is a context that is done when it has been asked so often.
type patience struct {
	context.Context
	left int
}

func (p *patience) Err() error {
	if p.left--; p.left < 0 {
		return context.Canceled
	}
	return nil
}

// Whenever the context ends before the payment, in reading, in adding up rows of many
// units or of one, and in adding up Partials, the error is that of the context and
// nothing is paid. The context is asked so often that no 256 steps go by without.
func TestCancellingWorksInEveryStepBeforeThePayment(t *testing.T) {
	const n = 10_000
	q := orders()
	q.MaxRowsPerGroup = n
	cents := aggregate.PerRow(q, "cents", func(o order) int64 { return o.cents }, aggregate.Bounds[int64]{Lower: 0, Upper: 1 << 20})
	plan, err := q.Plan(dp.Concentrated{Rho: 0.1}, cents.Quantile(0.5))
	if err != nil {
		t.Fatal(err)
	}
	for name, unit := range map[string]func(i int64) customerID{"many units": func(i int64) customerID { return customerID(i) }, "one unit": func(int64) customerID { return 1 }} {
		var rows []order
		for i := range int64(n) {
			rows = append(rows, order{customer: unit(i), day: "mon", cents: i})
		}
		patient := &patience{t.Context(), 1 << 30}
		if _, err := plan.Run(patient, newPurse(), aggregate.Request{Key: "k", Purpose: "p"}, aggregate.Slice(rows)); err != nil {
			t.Fatal(err)
		}
		asked := 1<<30 - patient.left
		for left := 0; left < asked; left += 1 + (asked-left)/10 { // most of them after the last row
			purse := newPurse()
			ctx := &patience{t.Context(), left}
			release, err := plan.Run(ctx, purse, aggregate.Request{Key: "k", Purpose: "p"}, aggregate.Slice(rows))
			if release != nil || !errors.Is(err, context.Canceled) || len(purse.charges) > 0 {
				t.Fatalf("%s, cancelled after it was asked %d times: %v, %v, and %d payments", name, left, release, err, len(purse.charges))
			}
			if ctx.left < -6 {
				t.Fatalf("%s, cancelled after it was asked %d times: it was asked %d times more", name, left, -ctx.left)
			}
		}
		// Once for each row that is read, and once in 256 for each that is added.
		if least := n + n/256; asked < least || asked > least+200 {
			t.Errorf("%s: Run asked whether it should end %d times, want at least %d and hardly more", name, asked, least)
		}
	}
}

// A context that ends with the last row ends Collect, also where there are few rows.
func TestCancellingWithTheLastRowIsSeen(t *testing.T) {
	q := orders()
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	rows := iter.Seq2[order, error](func(yield func(order, error) bool) {
		yield(order{customer: 1, day: "mon"}, nil)
		cancel()
	})
	if part, err := plan.Collect(ctx, rows); part != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", part, err)
	}
}

// Between the Partials and the payment the context is asked once more, also of a
// budget that does not ask.
func TestACancelledReleaseIsNotPaid(t *testing.T) {
	q := orders()
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	part, err := plan.Collect(t.Context(), aggregate.Slice(someOrders))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	purse := newPurse()
	if release, err := plan.Release(ctx, purse, aggregate.Request{Key: "k", Purpose: "p"}, part); release != nil || !errors.Is(err, context.Canceled) || len(purse.charges) > 0 {
		t.Errorf("got %v, %v and %d payments", release, err, len(purse.charges))
	}
}
