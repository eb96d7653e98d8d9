package main

import (
	"context"
	"slices"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// A dossier is all that the ledger says of an account, read once, for the papers that are
// made of it.
type dossier struct {
	terms   budget.Terms
	status  budget.Status
	entries []budget.Entry
	policy  *budget.InForce // or nil
	anchor  budget.Anchor
	now     time.Time
}

func (e *env) dossier(ctx context.Context, a *budget.Account) (*dossier, error) {
	d := &dossier{terms: a.Terms(), now: e.now()}
	var err error
	if d.entries, err = collect(ctx, a); err != nil {
		return nil, err
	}
	if d.status, err = a.Status(ctx); err != nil {
		return nil, err
	}
	if d.policy, err = a.Policy(ctx); err != nil {
		return nil, err
	}
	d.anchor, err = a.Anchor(ctx)
	return d, err
}

// published returns the entries of what was published.
func (d *dossier) published() []budget.Entry {
	return slices.DeleteFunc(slices.Clone(d.entries), func(e budget.Entry) bool { return !published(e) })
}

// outside returns the releases that were made elsewhere.
func (d *dossier) outside() (all []*budget.Outside) {
	for _, e := range d.entries {
		if e.Kind == budget.KindOutside {
			all = append(all, e.Outside)
		}
	}
	return all
}

// kept says which entries have a release whose digest is in the chain.
func (d *dossier) kept() map[uint64]bool {
	has := map[uint64]bool{}
	for _, e := range d.entries {
		if e.Kind == budget.KindKeep {
			has[e.From] = true
		}
	}
	return has
}

// unit is who is protected.
func (d *dossier) unit() string {
	switch {
	case d.terms.Unit != "":
		return d.terms.Unit
	case d.policy != nil:
		return d.policy.Policy.Unit
	}
	return "person"
}

// event says whether a unit is one event: by the policy, or by its name if there is none.
func (d *dossier) event() bool {
	if d.policy != nil {
		return d.policy.Policy.Event
	}
	return dp.NamesEvent(d.unit())
}

// unless returns the first entry of what was published that a rule does not hold for.
func (d *dossier) unless(holds func(budget.Entry) bool) (budget.Entry, bool) {
	for _, e := range d.published() {
		if !holds(e) {
			return e, true
		}
	}
	return budget.Entry{}, false
}

func hasEvent(c *dp.Charge, is func(dp.Event) bool) bool { return slices.ContainsFunc(c.Events, is) }
