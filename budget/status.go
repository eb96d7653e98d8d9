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
	Account string `json:"account"`
	Entries uint64 `json:"entries"` // records, the terms included
	Frozen  bool   `json:"frozen"`
	Reason  string `json:"reason,omitempty"` // why it is frozen

	Whole ScopeStatus   `json:"whole"`           // the account's own limit
	Parts []ScopeStatus `json:"parts,omitempty"` // limits within it: of parts, purposes, periods and analysts
}

// A ScopeStatus is one limit: that of the account, or of a part, a purpose, a period or
// an analyst.
type ScopeStatus struct {
	Scope string  `json:"scope"`          // "account", "part", "purpose", "period", "analyst"
	Name  string  `json:"name,omitempty"` // of the part, purpose, period or analyst
	Limit dp.Loss `json:"limit"`          // nil of an odometer, which has none

	// Spent is the least limit that would have accepted the same charges,
	// rounded up; nil is nothing. Under a rule that converts from Rényi
	// divergence, ρ or μ it has the part of δ that conversion takes.
	Spent dp.Loss `json:"spent"`

	// Left is a loss such that a charge that declares it fits, whatever
	// mechanisms it consists of, rounded down; nil is nothing. Charges with
	// events that are priced better than their loss can fit beyond it: ask
	// [Account.HowMany]. It is nil where there is no limit.
	Left dp.Loss `json:"left"`
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

func (d *draft) status() Status {
	s := Status{Account: d.terms.Dataset, Entries: d.next, Frozen: d.frozen != "", Reason: d.frozen}
	for _, sc := range d.scopes() {
		f := d.look(sc)
		one := ScopeStatus{Scope: sc.kind, Name: sc.name, Limit: f.Limit(), Spent: f.Spent(), Left: f.Left()}
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
		all[sc] = sc.kind == scopeAccount || sc.kind == scopePart || sc.kind == scopePurpose
	}
	for _, m := range []map[scope]filter.Filter{d.filters, d.touched} {
		for sc := range m {
			all[sc] = true
		}
	}
	maps.DeleteFunc(all, func(_ scope, shown bool) bool { return !shown })
	order := []string{scopeAccount, scopePart, scopePurpose, scopePeriod, scopeAnalyst, scopePolicy}
	return slices.SortedFunc(maps.Keys(all), func(a, b scope) int {
		return cmp.Or(slices.Index(order, a.kind)-slices.Index(order, b.kind), cmp.Compare(a.name, b.name))
	})
}
