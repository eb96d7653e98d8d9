package budget

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/filter"
)

// A request is one charge on its way into the ledger.
type request struct {
	ctx     context.Context
	charge  *dp.Charge
	raw     json.RawMessage // the charge, as it will be stored
	asked   asked
	price   *filter.Price
	at      time.Time // when it is decided, to the hour
	from    *plan     // what it is drawn from, or nil
	vouched error     // why who asks is not whom it names, or nil
	reserve bool      // its events are drawn later
	keep    *keeping  // then nothing is spent
	refusal *Refusal  // likewise: it is kept

	done    chan struct{} // closed when the two below are set
	payment dp.Payment
	err     error
	first   bool // this request paid or kept, and not another one of the same key
}

// newRequest checks and prices a charge whose loss must hold for its events.
func (a *Account) newRequest(ctx context.Context, c dp.Charge) (*request, error) {
	r, err := a.parseRequest(ctx, c)
	if err != nil {
		return nil, err
	}
	return r, checkCovered(r.charge, r.price)
}

// parseRequest checks and prices a charge. It needs no lock: terms and orders
// never change.
func (a *Account) parseRequest(ctx context.Context, c dp.Charge) (*request, error) {
	s := a.state
	if err := errors.Join(append(s.terms.checkCharge(&c), checkDeclared(&c))...); err != nil {
		return nil, err
	}
	c.Events = slices.Clone(c.Events) // a caller who gives up waiting may change its own
	vouched := a.vouch(ctx, &c)
	raw, err := c.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("budget: charge: %w", err)
	}
	if len(raw) > maxCharge {
		return nil, fmt.Errorf("budget: charge has %d bytes, must have at most %d", len(raw), maxCharge)
	}
	return &request{
		ctx: ctx, charge: &c, raw: raw, asked: askedBy(&c, raw),
		price: s.setup.Price(&c), at: a.now(), vouched: vouched, done: make(chan struct{}),
	}, nil
}

const maxCharge = 1 << 20

// Spend adds the charge to the account, or returns a [*RefusedError] and adds
// nothing. Once it returns nil the charge is durable, and never given back.
//
// If the same question was paid before under the same key, Spend costs nothing and
// returns the first payment, which is then Repeated, with the release that was
// kept, if any. Another
// question under a used key is an error that wraps [ErrKeyReused], and so is the same question with
// other noise, if nothing was kept: what was paid does not cover it. If nothing was kept and the account was frozen
// since, or its policy does not allow the question any more, Spend returns a refusal. If the store fails in such a
// way that nobody can tell, Spend returns an [*UnknownError]; spend again under
// the same key. A payment that is Repeated and whose Kept is nil was made by
// a caller that died, or is not done yet: publish nothing but what Keep returned.
// [Account.Once] does all of that for whoever draws noise by hand: it is the way to
// pair a payment with an answer.
//
// Privacy: what is accepted over the life of the account is private as
// Terms.Limit says, for charges that are chosen adaptively; a decision depends
// on charges alone.
func (a *Account) Spend(ctx context.Context, c dp.Charge) (dp.Payment, error) {
	r, err := a.newRequest(ctx, c)
	if err != nil {
		return dp.Payment{}, err
	}
	return a.spend(ctx, r)
}

func (a *Account) spend(ctx context.Context, r *request) (dp.Payment, error) {
	if err := a.begin(ctx, r); err != nil {
		a.observe(ctx, outcomeOf(err), r, dp.Payment{}, err)
		return dp.Payment{}, err
	}
	p, found, err := a.paidFor(r)
	if !found {
		p, err = a.submit(ctx, r)
	}
	if err != nil {
		a.observe(ctx, outcomeOf(err), r, p, err)
		return dp.Payment{}, err
	}
	if found || !r.first {
		return a.repeated(ctx, r, p)
	}
	a.observe(ctx, OutcomeSpent, r, p, nil)
	return p, nil
}

// begin returns nil if a request may be looked at, and what was paid before under its key
// is known, and under that of the policy's number of units.
func (a *Account) begin(ctx context.Context, r *request) error {
	if r.vouched != nil {
		return r.vouched
	}
	return errors.Join(a.recall(ctx, r.charge.Key), a.recall(ctx, a.unitsKey()))
}

// repeated completes the payment of a request that was paid before.
func (a *Account) repeated(ctx context.Context, r *request, p dp.Payment) (dp.Payment, error) {
	kept, err := a.answered(ctx, r)
	if err != nil {
		a.observe(ctx, outcomeOf(err), r, p, err)
		return dp.Payment{}, err
	}
	p.Kept, p.Repeated = kept, true
	a.observe(ctx, OutcomeRepeated, r, p, nil)
	return p, nil
}

// answered returns what was kept for a request that was paid before. If nothing was, it is an error
// where nothing new may be released: while the account is frozen, or where the policy, which may have changed
// since, does not allow it any more.
func (a *Account) answered(ctx context.Context, r *request) ([]byte, error) {
	kept, err := a.keptUnder(ctx, r.charge.Key)
	if err == nil && kept == nil { // somebody elsewhere may have frozen the account
		err = errors.Join(a.barred(r), a.paysFor(r))
	}
	return kept, err
}

// paysFor returns an error if the key of a request was paid for other noise: what
// was paid does not cover what would be drawn.
func (a *Account) paysFor(r *request) error {
	if p, ok := a.known(r.charge.Key); ok && p.asked.charge != r.asked.charge {
		return &keyReused{a.name, r.charge.Key, p.seq, true}
	}
	return nil
}

// barred returns a refusal if nothing new may be released for a request that was paid. A reservation
// releases nothing by itself: what is drawn from it is decided when it is drawn.
func (a *Account) barred(r *request) error {
	a.mu.RLock()
	defer a.mu.RUnlock()
	switch {
	case a.state.frozen != "":
		return a.state.refuseFrozen(r.charge)
	case r.reserve:
		return nil
	}
	return a.state.draft().allowed(r)
}

// paidFor looks for the request among those that were paid.
func (a *Account) paidFor(r *request) (dp.Payment, bool, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	old, ok := a.state.keys[r.charge.Key]
	if !ok {
		return dp.Payment{}, false, nil
	}
	p, err := old.payment(a.name, r)
	return p, err == nil, err
}

// Afford returns nil if Spend would accept the charge now, otherwise the error
// that Spend would return. It spends nothing. Whoever gets an error has been refused,
// or failed, and is observed and counted like one who spends; [Account.HowMany] and
// [Account.WhatIf] are questions that are not. [Terms.Refusals] says whether the
// ledger keeps the refusal.
func (a *Account) Afford(ctx context.Context, c dp.Charge) error {
	r, err := a.newRequest(ctx, c)
	if err != nil {
		return err
	}
	return a.afford(ctx, r)
}

func (a *Account) afford(ctx context.Context, r *request) error {
	err := a.affordable(ctx, r)
	if err != nil {
		a.observe(ctx, outcomeOf(err), r, dp.Payment{}, err)
	}
	return err
}

func (a *Account) affordable(ctx context.Context, r *request) error {
	if err := errors.Join(a.begin(ctx, r), a.refresh(ctx)); err != nil {
		return err
	}
	if err := a.decide(r); err != nil {
		return err
	}
	if _, paid := a.known(r.charge.Key); !paid {
		return nil
	}
	_, err := a.answered(ctx, r)
	return err
}

func (a *Account) decide(r *request) error {
	a.mu.RLock()
	defer a.mu.RUnlock()
	d := a.state.draft()
	return d.decide(r, a.name)
}

// lookup finds a key, reading on if it is not known.
func (a *Account) lookup(ctx context.Context, key string) (paid, error) {
	if err := a.recall(ctx, key); err != nil {
		return paid{}, err
	}
	if p, ok := a.known(key); ok {
		return p, nil
	}
	if err := a.catchUp(ctx); err != nil {
		return paid{}, err
	}
	if p, ok := a.known(key); ok {
		return p, nil
	}
	return paid{}, fmt.Errorf("budget: account %q, request key %q: %w", a.name, key, ErrNotPaid)
}

func (a *Account) known(key string) (paid, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	p, ok := a.state.keys[key]
	if !ok {
		return paid{}, false
	}
	return *p, true
}
