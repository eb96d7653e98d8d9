package budget

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/filter"
)

// A Status is what an account has spent and has left.
type Status struct {
	Account string
	Entries uint64 // records, the terms included
	Frozen  bool
	Reason  string // why it is frozen

	Whole ScopeStatus   // the account's own limit
	Parts []ScopeStatus // limits within it: of purposes, periods and analysts
}

// Limits returns the status of every limit, that of the account first.
func (s Status) Limits() []ScopeStatus { return append([]ScopeStatus{s.Whole}, s.Parts...) }

// A ScopeStatus is one limit: that of the account, or of a purpose, a period or
// an analyst.
type ScopeStatus struct {
	Scope string // "account", "purpose", "period", "analyst"
	Name  string // of the purpose, period or analyst
	Limit dp.Loss

	// Spent is the least limit that would have accepted the same charges,
	// rounded up; nil is nothing. Under a rule that converts from Rényi
	// divergence, ρ or μ it has the part of δ that conversion takes.
	Spent dp.Loss

	// Left is a loss such that a charge that declares it fits, whatever
	// mechanisms it consists of, rounded down; nil is nothing. Charges with
	// events that are priced better than their loss can fit beyond it: ask
	// [Account.HowMany].
	Left dp.Loss
}

// Status returns what was spent and what is left, per scope.
func (a *Account) Status(ctx context.Context) (Status, error) {
	if err := a.refresh(ctx); err != nil {
		return Status{}, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.state.draft().status(), nil
}

// Spent returns what the account as a whole has spent; nil is nothing. See
// [ScopeStatus].
func (a *Account) Spent(ctx context.Context) (dp.Loss, error) {
	s, err := a.Status(ctx)
	if err != nil {
		return nil, err
	}
	return s.Whole.Spent, nil
}

// Left returns what the account as a whole has left; nil is nothing. See
// [ScopeStatus].
func (a *Account) Left(ctx context.Context) (dp.Loss, error) {
	s, err := a.Status(ctx)
	if err != nil {
		return nil, err
	}
	return s.Whole.Left, nil
}

func (d *draft) status() Status {
	s := Status{Account: d.terms.Dataset, Entries: d.next, Frozen: d.frozen != "", Reason: d.frozen}
	for _, sc := range d.scopes() {
		f := d.look(sc)
		one := ScopeStatus{sc.kind, sc.name, f.Limit(), f.Spent(), f.Left()}
		if sc.kind == scopeAccount {
			s.Whole = one
		} else {
			s.Parts = append(s.Parts, one)
		}
	}
	return s
}

// scopes returns every scope that has a limit now, in a stable order.
func (d *draft) scopes() []scope {
	all := map[scope]bool{}
	for sc := range d.limits {
		all[sc] = sc.kind == scopeAccount || sc.kind == scopePurpose
	}
	for _, m := range []map[scope]filter.Filter{d.filters, d.touched} {
		for sc := range m {
			all[sc] = true
		}
	}
	maps.DeleteFunc(all, func(_ scope, shown bool) bool { return !shown })
	order := []string{scopeAccount, scopePurpose, scopePeriod, scopeAnalyst}
	return slices.SortedFunc(maps.Keys(all), func(a, b scope) int {
		return cmp.Or(slices.Index(order, a.kind)-slices.Index(order, b.kind), cmp.Compare(a.name, b.name))
	})
}
