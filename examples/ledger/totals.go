package main

import (
	"context"
	"iter"
	"slices"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// totalsOf returns what the account had spent after each of its entries. It opens
// the account as it was when it had one entry, and lets it find the others one by
// one, as if they were written now.
func totalsOf(ctx context.Context, s budget.Store, name string) ([]dp.Loss, error) {
	past := &history{Store: s}
	for r, err := range s.Read(ctx, name, 0) {
		if err != nil {
			return nil, err
		}
		past.all = append(past.all, r)
	}
	past.known = min(1, len(past.all))
	a, err := budget.Open(ctx, past, name)
	if err != nil {
		return nil, err
	}
	var totals []dp.Loss
	for ; past.known <= len(past.all); past.known++ {
		status, err := a.Status(ctx)
		if err != nil {
			return nil, err
		}
		totals = append(totals, status.Whole.Spent)
	}
	return totals, nil
}

// A history is a store in which only the first records of an account are known.
type history struct {
	budget.Store
	all   []budget.Record
	known int
}

func (h *history) Read(_ context.Context, _ string, from uint64) iter.Seq2[budget.Record, error] {
	known := h.all[min(from, uint64(h.known)):h.known]
	return func(yield func(budget.Record, error) bool) {
		for _, r := range slices.Clone(known) {
			if !yield(r, nil) {
				return
			}
		}
	}
}
