package budget

import (
	"context"
	"errors"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/filter"
)

// HowMany returns how many charges like this one fit now, each under a key of its own,
// and at most one million; and the refusal that the charge after those would get, which names
// the limit that binds, or nil if more than a million fit. It spends nothing.
func (a *Account) HowMany(ctx context.Context, c dp.Charge) (n int, then *RefusedError, err error) {
	r, err := a.ask(ctx, c)
	if err != nil {
		return 0, nil, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	d := a.state.draft()
	if d.frozen != "" {
		return 0, d.refuseFrozen(r.charge), nil
	}
	scopes, err := d.scopesOf(r.charge)
	if err != nil {
		return 0, nil, err
	}
	if refused, _ := errors.AsType[*RefusedError](d.allowed(r)); refused != nil {
		return 0, refused, nil
	}
	n, then = d.fill(r, scopes)
	return n, then, nil
}

// fill counts in each scope for itself, so that the least of them is the answer.
func (d *draft) fill(r *request, scopes []scope) (int, *RefusedError) {
	n := int64(howManyMost)
	for _, sc := range scopes {
		n, _ = filter.Fill(d.look(sc), r.price, n)
	}
	filters := make([]filter.Filter, len(scopes))
	for i, sc := range scopes {
		_, filters[i] = filter.Fill(d.look(sc), r.price, n)
	}
	_, err := d.take(r, scopes, filters)
	then, _ := errors.AsType[*RefusedError](err)
	return int(n), then
}

const howManyMost = 1_000_000

// ask prepares a question about a charge that is not spent.
func (a *Account) ask(ctx context.Context, c dp.Charge) (*request, error) {
	r, err := a.newRequest(ctx, c)
	if err != nil {
		return nil, err
	}
	return r, a.refresh(ctx)
}

// WhatIf returns the status that the account would have if the charges were
// spent in this order, and for each charge nil or why it would be refused. Keys
// that were paid before cost nothing. It spends nothing.
func (a *Account) WhatIf(ctx context.Context, charges ...dp.Charge) (Status, []error, error) {
	requests := make([]*request, len(charges))
	for i, c := range charges {
		r, err := a.newRequest(ctx, c)
		if err != nil {
			return Status{}, nil, err
		}
		requests[i] = r
		if err := a.recall(ctx, c.Key); err != nil {
			return Status{}, nil, err
		}
	}
	if err := a.refresh(ctx); err != nil {
		return Status{}, nil, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	d := a.state.draft()
	d.addAll(a, requests)
	errs := make([]error, len(requests))
	for i, r := range requests {
		errs[i] = r.err
	}
	s := d.status()
	s.Entries += uint64(len(d.records))
	return s, errs, nil
}
