package budget

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/filter"
)

// A plan is what is left of a reservation: uses per mechanism.
type plan struct {
	seq    uint64
	charge *dp.Charge
	left   map[string]int
}

func newPlan(seq uint64, c *dp.Charge) *plan {
	own := *c
	own.Periods = slices.Clone(c.Periods)
	p := &plan{seq: seq, charge: &own, left: map[string]int{}}
	for _, e := range c.Events {
		p.left[memberKey(e)] += e.Count
	}
	return p
}

// memberKey tells mechanisms apart by all that their price depends on.
func memberKey(e dp.Event) string {
	e.For, e.Count = "", 1
	b, err := json.Marshal(e)
	if err != nil {
		panic("budget: internal error: an event that was checked cannot be written")
	}
	return string(b)
}

// without returns the plan after a charge was drawn from it.
func (p plan) without(c *dp.Charge) (plan, bool) {
	p.left = maps.Clone(p.left)
	for _, e := range c.Events {
		k := memberKey(e)
		if p.left[k] -= e.Count; p.left[k] < 0 {
			return p, false
		}
	}
	return p, true
}

// covers says why a charge cannot be drawn from the plan whatever is left of
// it, or returns "".
func (p *plan) covers(c *dp.Charge) string {
	switch {
	case c.Dataset != p.charge.Dataset:
		return fmt.Sprintf("the reservation is for dataset %q", p.charge.Dataset)
	case c.Purpose != p.charge.Purpose:
		return fmt.Sprintf("the reservation is for purpose %q", p.charge.Purpose)
	case c.Analyst != p.charge.Analyst:
		return fmt.Sprintf("the reservation is for analyst %q", p.charge.Analyst)
	}
	for _, period := range c.Periods {
		if !slices.Contains(p.charge.Periods, period) {
			return fmt.Sprintf("the reservation does not cover period %q", period)
		}
	}
	return ""
}

// allows says why a new charge cannot be drawn from the plan, or returns "". Records of
// earlier versions are held to [plan.covers] alone.
func (p *plan) allows(c *dp.Charge) string {
	if p.charge.Question != "" && c.Question != p.charge.Question {
		return "the reservation is for another question"
	}
	return p.covers(c)
}

// A Reservation pays for a list of mechanisms at once, as one charge, before the
// first of them runs. Its members are drawn later at no further cost, in any
// order and as their drawer likes, because the price of a list that was fixed
// beforehand does not depend on the order: docs/proofs/filter-plan.md. Members
// that are never drawn stay paid.
//
// A charge that is drawn has the purpose and the analyst of the reservation, and no other
// periods. Where the charge of the reservation says what it asks (dp.Charge.Question), what is drawn asks
// the same: the parts of a series bound nothing by themselves, and answer nothing else.
// A reservation without a question is a list of mechanisms for any questions, which may
// be chosen in the light of answers.
//
// A Reservation pays like an [Account] does: it has Afford, Spend, Keep
// and Kept.
type Reservation struct {
	account *Account
	plan    *plan
	Payment dp.Payment // of the whole
}

// Reserve pays for all events of the charge. The charge's loss must hold for
// their composition; it is checked with exact privacy loss distributions. The
// same charge under the same key returns the same reservation.
func (a *Account) Reserve(ctx context.Context, c dp.Charge) (*Reservation, error) {
	r, err := a.newRequest(ctx, c)
	if err != nil {
		return nil, err
	}
	r.reserve = true
	p, err := a.spend(ctx, r)
	if err != nil {
		return nil, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	plan := a.state.plans[p.Entry]
	if plan == nil {
		return nil, fmt.Errorf("budget: account %q: %w: a checkpoint lacks what is left of reservation %d", a.name, ErrTampered, p.Entry)
	}
	return &Reservation{a, plan, p}, nil
}

// Afford returns nil if the charge can be drawn.
func (v *Reservation) Afford(ctx context.Context, c dp.Charge) error {
	r, err := v.request(ctx, c)
	if err != nil {
		return err
	}
	return v.account.afford(ctx, r)
}

// Spend draws a charge from the reservation. Its events must be among those
// that are left, and the loss that it declares must hold for them: it costs nothing
// more, but a policy and the readers of the ledger go by it. It returns what
// [Account.Spend] does.
func (v *Reservation) Spend(ctx context.Context, c dp.Charge) (dp.Payment, error) {
	r, err := v.request(ctx, c)
	if err != nil {
		return dp.Payment{}, err
	}
	return v.account.spend(ctx, r)
}

// Keep is [Account.Keep].
func (v *Reservation) Keep(ctx context.Context, c dp.Charge, release []byte) ([]byte, error) {
	return v.account.Keep(ctx, c, release)
}

// Kept is [Account.Kept].
func (v *Reservation) Kept(ctx context.Context, c dp.Charge) ([]byte, error) {
	return v.account.Kept(ctx, c)
}

func (v *Reservation) request(ctx context.Context, c dp.Charge) (*request, error) {
	r, err := v.account.parseRequest(ctx, c)
	if err != nil {
		return nil, err
	}
	r.from = v.plan
	return r, nil
}

func (r *request) kind() string {
	switch {
	case r.from != nil:
		return KindDraw
	case r.reserve:
		return KindReserve
	}
	return KindSpend
}

// spendWays adds a request to the draft and returns what its record says.
func (d *draft) spendWays(r *request) ([]filter.Way, uint64, error) {
	scopes, took, err := d.ways(r)
	if err != nil {
		return nil, 0, err
	}
	if r.from != nil {
		d.draw(r)
		return took, r.from.seq, nil
	}
	for i, sc := range scopes {
		d.touch(sc).Add(r.price, took[i], 1)
	}
	d.bought = append(d.bought, purchase{r.charge.Purpose, r.charge.Loss})
	return ofTerms(scopes, took), 0, nil
}

// drawable returns what is left of a plan, as the draft has it.
func (d *draft) drawable(p *plan) plan {
	if left, ok := d.drawn[p]; ok {
		return left
	}
	return *p
}

func (d *draft) mayDraw(r *request) error {
	p := d.drawable(r.from)
	reason := p.allows(r.charge)
	if reason == "" {
		if _, ok := p.without(r.charge); !ok {
			reason = "its events are not among those that are left"
		}
	}
	if reason == "" {
		return checkCovered(r.charge, r.price)
	}
	return d.terms.refuse(scope{scopeReservation, r.from.charge.Key}, r.charge, reason)
}

func (d *draft) draw(r *request) {
	left, _ := d.drawable(r.from).without(r.charge)
	if d.drawn == nil {
		d.drawn = map[*plan]plan{}
	}
	d.drawn[r.from] = left
}

const scopeReservation = "reservation"

// byPlan says that a charge was drawn from what was reserved.
const byPlan filter.Way = "plan"

func (s *state) applyDraw(r *record, hash digest) error {
	c, err := r.charge()
	if err != nil {
		return err
	}
	p := s.plans[r.From]
	if p == nil || p.covers(c) != "" || !slices.Equal(r.Took, []filter.Way{byPlan}) {
		return fmt.Errorf("%w: record %d draws from a reservation that does not cover it", ErrTampered, r.Seq)
	}
	left, ok := p.without(c)
	if !ok {
		return fmt.Errorf("%w: record %d draws more than was reserved", ErrTampered, r.Seq)
	}
	*p = left
	s.since.draw(p.seq)
	return s.pay(r, c, hash)
}
