package budget

import (
	"context"
	"errors"
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/filter"
	"github.com/equipoise-dp/equipoise/internal/search"
)

// HowMany returns how many charges like this one fit now, each under a key of
// its own, and at most one million. It spends nothing.
func (a *Account) HowMany(ctx context.Context, c dp.Charge) (int, error) {
	n, _, err := a.Room(ctx, c)
	return n, err
}

// Room is HowMany with the refusal that the charge after those that fit would
// get, which names the limit that binds. It is nil if more than a million fit. It spends
// nothing.
func (a *Account) Room(ctx context.Context, c dp.Charge) (n int, then *RefusedError, err error) {
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

// SmallestScale returns the least factor, from 1 on, such that the charge fits
// once the scale of all its noise is multiplied by it, with ε and ρ that follow
// and the same δ. It returns the [*RefusedError] of the charge if none up to a
// million does. It spends nothing.
func (a *Account) SmallestScale(ctx context.Context, c dp.Charge) (float64, error) {
	if _, err := a.ask(ctx, c); err != nil {
		return 0, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	d := a.state.draft()
	fits := func(factor float64) bool {
		s := withNoise(c, factor)
		_, _, err := d.ways(&request{charge: &s, price: d.setup.FreshPrice(&s), at: a.now()})
		return err == nil
	}
	if fits(1) {
		return 1, nil
	}
	low, high := 1.0, 2.0
	for ; !fits(high); low, high = high, min(2*high, mostScale) {
		if high == mostScale {
			_, _, err := d.ways(&request{charge: &c, price: d.setup.FreshPrice(&c), at: a.now()})
			return 0, err
		}
	}
	scale, _ := search.Edge(high, low, search.Relative(1e-6), fits)
	return scale, nil
}

const mostScale = 1e6

// withNoise returns the charge with the scale of its noise multiplied by a
// factor of at least 1, and the loss that goes with it.
func withNoise(c dp.Charge, factor float64) dp.Charge {
	f := exact.Float(factor)
	div := func(x *big.Rat, times int) *big.Rat {
		for ; x != nil && times > 0; times-- {
			x = new(big.Rat).Quo(x, f)
		}
		return x
	}
	c.Loss = filter.Scaled(c.Loss, 1/factor)
	if dp.PartsOf(c.Loss).Rho > 0 {
		c.Loss = filter.Scaled(c.Loss, 1/factor)
	}
	events := make([]dp.Event, len(c.Events))
	for i, e := range c.Events {
		if e.Scale != nil {
			e.Scale = new(big.Rat).Mul(e.Scale, f)
		}
		e.Epsilon, e.Rho = div(e.Epsilon, 1), div(e.Rho, 2)
		events[i] = e
	}
	c.Events = events
	return c
}
