package budget

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/equipoise-dp/equipoise/budget/policy"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/filter"
)

// A policy is recorded whole, as its JSON, by an act with a reason and a name; the record
// before it stays. From then on charges are decided by it, beside the limits of the terms.
// Replaying the records gives the policy that was in force at each of them.

// InForce is the policy that an account decides by.
type InForce struct {
	Policy    *policy.Policy
	Digest    [32]byte  // of its JSON
	Entry     uint64    // that recorded it
	Since     time.Time // when
	Withdrawn []string  // purposes, in the order of the alphabet
}

// SetPolicy puts a policy in force: the first one, or a changed one with a larger version.
// It is a recorded act with a reason and a name. Purposes that were withdrawn do not come
// back, so a policy that has one is an error; so is one of another dataset or unit, or with
// a purpose that the terms do not have.
//
// From then on every charge must be allowed by it, also one that is drawn from a reservation.
// What was paid before stays paid, and what was kept is given out as before. What was paid and not answered yet is
// answered only if it is allowed now.
func (a *Account) SetPolicy(ctx context.Context, p *policy.Policy, reason, by string) error {
	if p == nil {
		return errors.New("budget: no policy given; policy.Parse makes one")
	}
	checked, err := policy.Parse(p.JSON())
	if err != nil {
		return err
	}
	return a.act(ctx, record{Kind: KindPolicy, Policy: checked.JSON(), Reason: reason, By: by}, func(s *state) error {
		return s.maySet(checked)
	})
}

// WithdrawPurpose refuses a purpose of the policy from now on, and no other. It is never
// undone.
func (a *Account) WithdrawPurpose(ctx context.Context, purpose, reason, by string) error {
	return a.act(ctx, record{Kind: KindWithdraw, Purpose: purpose, Reason: reason, By: by}, func(s *state) error {
		return s.mayWithdraw(purpose)
	})
}

// Policy returns the policy in force, or nil if there is none.
func (a *Account) Policy(ctx context.Context) (*InForce, error) {
	if err := a.refresh(ctx); err != nil {
		return nil, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.state.policy == nil {
		return nil, nil
	}
	in := *a.state.policy
	in.Withdrawn = slices.Clone(in.Withdrawn)
	return &in, nil
}

func (s *state) maySet(p *policy.Policy) error {
	var errs []error
	fail := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("budget: the policy has "+format, args...))
	}
	if p.Dataset != s.terms.Dataset {
		fail("dataset %q, and the account is of %q", p.Dataset, s.terms.Dataset)
	}
	if s.terms.Unit != "" && p.Unit != s.terms.Unit {
		fail("unit %q, and the account protects %q", p.Unit, s.terms.Unit)
	}
	if old := s.policy; old != nil && p.Version <= old.Policy.Version {
		fail("version %d, and version %d is in force; count up", p.Version, old.Policy.Version)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Purposes)) {
		if s.withdrawn(name) {
			fail("purpose %q, which was withdrawn and does not come back; leave it out", name)
		}
		if s.terms.Purposes != nil && s.terms.Purposes[name] == nil {
			fail("purpose %q, which is none of the account's terms", name)
		}
	}
	return errors.Join(errs...)
}

func (s *state) withdrawn(purpose string) bool {
	return s.policy != nil && slices.Contains(s.policy.Withdrawn, purpose)
}

func (s *state) mayWithdraw(purpose string) error {
	switch {
	case s.policy == nil:
		return fmt.Errorf("budget: account %q has no policy, so there is no purpose to withdraw", s.terms.Dataset)
	case s.withdrawn(purpose):
		return fmt.Errorf("budget: purpose %q was withdrawn before", purpose)
	}
	if _, ok := s.policy.Policy.Purposes[purpose]; !ok {
		return fmt.Errorf("budget: purpose %q is none of the policy's; it has %q", purpose, slices.Sorted(maps.Keys(s.policy.Policy.Purposes)))
	}
	return nil
}

func (s *state) applyPolicy(r *record) error {
	p, err := policy.ParseRecorded(r.Policy)
	if err == nil {
		err = s.maySet(p)
	}
	if err != nil {
		return fmt.Errorf("%w: record %d: %w", ErrTampered, r.Seq, err)
	}
	at, err := r.time()
	if err != nil {
		return err
	}
	in := &InForce{Policy: p, Digest: p.Digest(), Entry: r.Seq, Since: at}
	if s.policy != nil {
		in.Withdrawn = s.policy.Withdrawn
	}
	s.policy = in
	s.limitPurposes()
	return nil
}

func (s *state) applyWithdraw(r *record) error {
	if err := s.mayWithdraw(r.Purpose); err != nil {
		return fmt.Errorf("%w: record %d: %w", ErrTampered, r.Seq, err)
	}
	in := *s.policy // of which others have a copy
	in.Withdrawn = append(slices.Clone(in.Withdrawn), r.Purpose)
	slices.Sort(in.Withdrawn)
	s.policy = &in
	return nil
}

const scopePolicy = "policy"

// limitPurposes makes the limits of the policy's purposes: each adds up losses as they are
// declared, which is sound whenever it begins, and anybody can check it by hand. What a
// purpose has spent before counts.
func (s *state) limitPurposes() {
	maps.DeleteFunc(s.filters, func(sc scope, _ filter.Filter) bool { return sc.kind == scopePolicy })
	basic := filter.NewSetup(filter.Basic, 0, nil)
	for name, u := range s.policy.Policy.Purposes {
		if u.Limit == nil {
			continue
		}
		f := basic.New(u.Limit, 0)
		for b, n := range s.bought {
			if b.purpose == name {
				f.Add(basic.FreshPrice(&dp.Charge{Loss: b.loss}), filter.ByLoss, n)
			}
		}
		s.filters[scope{scopePolicy, name}] = f
	}
}

// scopesOf returns every scope that a charge counts in: those of the terms, and then the
// limit that the policy has for its purpose.
func (s *state) scopesOf(c *dp.Charge) ([]scope, error) {
	scopes, err := s.terms.scopesOf(c)
	if sc := (scope{scopePolicy, c.Purpose}); err == nil && s.filters[sc] != nil {
		scopes = append(scopes, sc)
	}
	return scopes, err
}

// ofTerms leaves out how the limit of the policy took a charge, which is last: records say
// how those of the terms did.
func ofTerms(scopes []scope, took []filter.Way) []filter.Way {
	if n := len(scopes); n > 0 && n == len(took) && scopes[n-1].kind == scopePolicy {
		return took[:n-1]
	}
	return took
}

// withPolicy is ofTerms the other way round: the limit of a policy takes losses as they are
// declared.
func withPolicy(scopes []scope, took []filter.Way) []filter.Way {
	if n := len(scopes); n == len(took)+1 && scopes[n-1].kind == scopePolicy {
		return append(slices.Clip(took), filter.ByLoss)
	}
	return took
}

// allowed returns a refusal if the policy does not allow a request.
func (d *draft) allowed(r *request) error {
	if d.policy == nil {
		return nil
	}
	facts := policy.Facts{Day: coarse(r.at), Withdrawn: d.policy.Withdrawn, Reserves: r.reserve, Paid: d.paidUnits}
	if r.from != nil {
		facts.Reserved = r.from.charge
	}
	reasons := d.policy.Policy.Refuses(r.charge, facts)
	if len(reasons) == 0 {
		return nil
	}
	return d.terms.refuse(scope{kind: scopePolicy}, r.charge, strings.Join(reasons, "; "))
}

// paidUnits returns what a key was paid to count all of, or "".
func (d *draft) paidUnits(key string) string {
	if i, ok := d.added[key]; ok {
		return d.paid[i].units
	}
	if p, ok := d.keys[key]; ok {
		return p.units
	}
	return "" // or not read yet, where somebody else put the policy in force at this moment: it is before the next request ([Account.begin])
}

// unitsKey is the request key under which the policy in force has the number of units, or "".
func (a *Account) unitsKey() string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.state.policy == nil {
		return ""
	}
	return a.state.policy.Policy.People.Paid
}

// A purchase is a loss that a purpose has bought.
type purchase struct {
	purpose string
	loss    dp.Loss
}

func (s *state) buy(p purchase) {
	if s.bought == nil {
		s.bought = map[purchase]int64{}
	}
	s.bought[p]++
	s.since.buy(p)
}

// readPolicy returns the policy of a record that has one.
func (r *record) readPolicy() (*policy.Policy, error) {
	if r.Policy == nil {
		return nil, nil
	}
	p, err := policy.ParseRecorded(r.Policy)
	if err != nil {
		return nil, fmt.Errorf("%w: record %d: %w", ErrTampered, r.Seq, err)
	}
	return p, nil
}
