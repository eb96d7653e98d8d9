package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"

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

// openLedger opens the ledger if there is one, and returns nil if there is none.
func (o *options) openLedger(ctx context.Context) (*ledger, error) {
	if _, err := os.Stat(o.Ledger); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	store, err := sqlite.Open(ctx, o.Ledger)
	if err != nil {
		return nil, fmt.Errorf("-ledger: %w", err)
	}
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
	case t.Unit != o.UnitName:
		return fmt.Errorf("-unit-name is %q, but ledger %s protects a %q; name another -ledger, or the right -unit-name", o.UnitName, o.Ledger, t.Unit)
	case o.given["limit"] && o.Limit != has.Epsilon, o.given["limit-delta"] && o.LimitDelta != has.Delta:
		return fmt.Errorf("-limit asks for %v, but ledger %s was created with a limit of %v; leave -limit out, or name another -ledger", o.limit(), o.Ledger, limit)
	}
	return nil
}

// createLedger makes a new ledger with nothing spent. It is made whole under
// another name and then linked into place: a run that dies on the way, or finds
// the disk full, leaves no ledger, and of two runs that create it at the same time
// one does and the other one opens what is there.
func (o *options) createLedger(ctx context.Context) (*ledger, error) {
	if _, err := os.Lstat(o.Ledger + markEnding); err == nil {
		if l, err := o.openLedger(ctx); l != nil || err != nil {
			return l, err
		}
		return nil, fmt.Errorf("-ledger: %s is left over from a ledger at %s; bring that back, or name another -ledger", o.Ledger+markEnding, o.Ledger)
	}
	draft := o.Ledger + ".new-" + rand.Text()
	defer func() {
		for _, ending := range []string{"", markEnding, "-wal", "-shm"} {
			os.Remove(draft + ending) //nolint:errcheck // what is left is nobody's ledger
		}
	}()
	if err := o.draftLedger(ctx, draft); err != nil {
		return nil, fmt.Errorf("-ledger: %w", err)
	}
	switch err := os.Link(draft, o.Ledger); {
	case err == nil:
		err = os.Rename(draft+markEnding, o.Ledger+markEnding)
		if err != nil {
			return nil, fmt.Errorf("-ledger: %w", err)
		}
	case !errors.Is(err, fs.ErrExist):
		return nil, fmt.Errorf("-ledger: %w", err)
	}
	return o.openLedger(ctx)
}

// markEnding is that of the file beside a SQLite ledger.
const markEnding = "-mark"

// draftLedger makes a whole ledger with one account and closes it.
func (o *options) draftLedger(ctx context.Context, path string) error {
	store, err := sqlite.Create(ctx, path)
	if err != nil {
		return err
	}
	_, err = budget.Create(ctx, store, budget.Terms{Dataset: o.Dataset, Unit: o.UnitName, Limit: o.limit()})
	return errors.Join(err, store.Close())
}

func (l *ledger) close() error { return l.store.Close() }

// answered reports whether the request was answered before, so that the same
// numbers are shown again.
func (l *ledger) answered(ctx context.Context, r aggregate.Request) bool {
	payment, err := l.account.Payment(ctx, r.Key)
	return err == nil && payment.Kept != nil
}
