package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
	"github.com/equipoise-dp/equipoise/dp"
)

// A ledger is the account that pays, in its file.
type ledger struct {
	store   *sqlite.Store
	account *budget.Account
}

// openLedger opens the ledger if there is one, and returns nil if there is none, or
// one that a run which died on the way left without an account.
func (o *options) openLedger(ctx context.Context) (*ledger, error) {
	store, err := sqlite.Open(ctx, o.Ledger)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("-ledger: %w", err)
	}
	if names, err := store.Accounts(ctx); err != nil || len(names) == 0 {
		return nil, errors.Join(err, store.Close())
	}
	return o.openIn(ctx, store)
}

func (o *options) openIn(ctx context.Context, store *sqlite.Store) (*ledger, error) {
	l := &ledger{store: store}
	if err := l.open(ctx, o); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *ledger) open(ctx context.Context, o *options) (err error) {
	l.account, err = budget.Open(ctx, l.store, o.Dataset)
	if errors.Is(err, budget.ErrNotFound) {
		return fmt.Errorf("-ledger: %s is the ledger of another dataset, not of %q; name another -ledger, which is created, or the right -dataset", o.Ledger, o.Dataset)
	}
	if err != nil {
		return fmt.Errorf("-ledger: %s: %w", o.Ledger, err)
	}
	status, err := l.account.Status(ctx)
	if err != nil {
		return fmt.Errorf("-ledger: %s: %w", o.Ledger, err)
	}
	return o.checkTerms(l.account.Terms(), status.Whole.Limit)
}

// checkTerms compares the ledger with what the command line says about it.
func (o *options) checkTerms(t budget.Terms, limit dp.Loss) error {
	has := dp.PartsOf(limit)
	switch {
	case t.Odometer:
		return fmt.Errorf("-ledger: %s is an odometer without a limit, and a report says what is left of one; name another -ledger", o.Ledger)
	case t.Unit != o.UnitName:
		return fmt.Errorf("-unit-name is %q, but ledger %s protects a %q; name another -ledger, or the right -unit-name", o.UnitName, o.Ledger, t.Unit)
	case o.given["limit"] && o.Limit != has.Epsilon, o.given["limit-delta"] && o.LimitDelta != has.Delta:
		return fmt.Errorf("-limit asks for %v, but ledger %s was created with a limit of %v; leave -limit out, or name another -ledger", o.limit(), o.Ledger, limit)
	}
	return nil
}

// createLedger makes a new ledger with nothing spent. Of two runs that create it at
// the same time one does, and the other one opens what is there.
func (o *options) createLedger(ctx context.Context) (*ledger, error) {
	store, err := sqlite.OpenOrCreate(ctx, o.Ledger)
	if err != nil {
		return nil, fmt.Errorf("-ledger: %w", err)
	}
	_, err = budget.Create(ctx, store, o.terms())
	if err != nil && !errors.Is(err, budget.ErrExists) {
		return nil, errors.Join(fmt.Errorf("-ledger: %w", err), store.Close())
	}
	return o.openIn(ctx, store)
}

func (l *ledger) close() error { return l.store.Close() }

// answered reports whether the request was answered before, so that the same
// numbers are shown again.
func (l *ledger) answered(ctx context.Context, r aggregate.Request) bool {
	payment, err := l.account.Payment(ctx, r.Key)
	return err == nil && payment.Kept != nil
}
