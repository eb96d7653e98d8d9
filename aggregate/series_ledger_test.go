package aggregate_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// A limit that is the loss of a series is enough for all of it, under every rule, and for
// nothing else. The ledger adds up, whoever opens it finds the numbers that were
// published, and a key that was paid for one series does not answer another.
func TestALedgerPaysForASeriesOnceAndForNothingElse(t *testing.T) {
	loss := dp.Approx{Epsilon: 1, Delta: 1e-6}
	for _, rule := range []budget.Rule{0, budget.Basic, budget.ZCDP, budget.GDP} {
		store := budget.Memory()
		terms := budget.Terms{Dataset: "orders", Unit: "customer", Limit: loss, Rule: rule}
		account, err := budget.Create(t.Context(), store, terms)
		if err != nil {
			t.Fatal(err)
		}
		q, series := weekly()
		series.Periods = 5
		plan, err := series.Plan(loss, q.Units(), q.Count())
		if err != nil {
			t.Fatal(err)
		}
		orders := []Order{{1, "AT", time.Date(2026, 1, 6, 12, 0, 0, 0, time.UTC), 999}}
		request := aggregate.Request{Key: "report", Purpose: "planning"}
		var shown []float64
		for week := 1; week <= 5; week++ {
			account, err = budget.Open(t.Context(), store, "orders") // as another process does
			if err != nil {
				t.Fatal(err)
			}
			trend, err := aggregate.Advance(t.Context(), plan, account, request, week, aggregate.Slice(orders))
			if err != nil {
				t.Fatalf("rule %v, week %d: %v", rule, week, err)
			}
			var now []float64
			for i := range week {
				cell, err := trend.Over(aggregate.Stretch[string]{From: i, To: i + 1})
				if err != nil {
					t.Fatal(err)
				}
				now = append(now, cell.Noisy()...)
			}
			if !slices.Equal(now[:len(shown)], shown) {
				t.Errorf("rule %v, week %d: earlier numbers have changed", rule, week)
			}
			shown = now
		}
		if _, err := account.Verify(t.Context()); err != nil {
			t.Errorf("rule %v: %v", rule, err)
		}
		if _, err := aggregate.Advance(t.Context(), plan, account, aggregate.Request{Key: "again", Purpose: "planning"}, 1, aggregate.Slice(orders)); !errors.As(err, new(*budget.RefusedError)) {
			t.Errorf("rule %v: a second series is answered: %v", rule, err)
		}
		series.Periods = 6
		other, err := series.Plan(loss, q.Units())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := aggregate.Advance(t.Context(), other, account, request, 1, aggregate.Slice(orders)); !errors.Is(err, budget.ErrKeyReused) {
			t.Errorf("rule %v: the key of another series: %v", rule, err)
		}
		if status, err := account.Status(t.Context()); err != nil || status.Whole.Left != nil && dp.PartsOf(status.Whole.Left).Epsilon > 1e-3 {
			t.Errorf("rule %v: left is %v, %v", rule, fmt.Sprint(status.Whole.Left), err)
		}
	}
}
