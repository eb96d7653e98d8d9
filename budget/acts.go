package budget

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/equipoise-dp/equipoise/dp"
)

// Raise gives the account a larger limit of the same kind. It is a recorded act
// with a reason and a name; what was spent stays spent. The guarantee is that of
// the largest limit ever given.
func (a *Account) Raise(ctx context.Context, limit dp.Loss, reason, by string) error {
	if err := dp.CheckLoss(limit); err != nil {
		return err
	}
	b, err := json.Marshal(limit)
	if err != nil {
		return err
	}
	if a.Terms().Odometer {
		return fmt.Errorf("budget: account %q is an odometer and has no limit to raise", a.name)
	}
	return a.act(ctx, record{Kind: KindRaise, Limit: b, Reason: reason, By: by}, func(s *state) error {
		return mayRaise(s.limits[scope{kind: scopeAccount}], limit)
	})
}

// Freeze refuses every charge from now on, until somebody thaws the account.
// Releases that were kept are still given out.
func (a *Account) Freeze(ctx context.Context, reason, by string) error {
	return a.act(ctx, record{Kind: KindFreeze, Reason: reason, By: by}, func(*state) error { return nil })
}

// Thaw ends a freeze.
func (a *Account) Thaw(ctx context.Context, reason, by string) error {
	return a.act(ctx, record{Kind: KindThaw, Reason: reason, By: by}, func(s *state) error {
		if s.frozen == "" {
			return fmt.Errorf("budget: account %q is not frozen", a.name)
		}
		return nil
	})
}

// act appends a record of what somebody decided, if check allows it. Others may
// append at the same time; then it is checked again.
func (a *Account) act(ctx context.Context, r record, check func(*state) error) error {
	if err := errors.Join(name("reason", r.Reason), name("by", r.By)); err != nil {
		return err
	}
	if err := a.take(ctx); err != nil {
		return err
	}
	defer a.release()
	for {
		if _, err := a.readOn(ctx); err != nil {
			return err
		}
		a.doubt = false
		if err := check(a.state); err != nil {
			return err
		}
		d := a.state.draft()
		r.At = stamp(coarse(a.now()))
		if err := d.write(&r, nil); err != nil {
			return err
		}
		switch out, err := a.append(ctx, d); out {
		case appended:
			_, err := a.readOn(ctx)
			return err
		case broken:
			return err
		case unsure:
			return fmt.Errorf("budget: account %q: %w: whether the %s is recorded; look at the entries: %w", a.name, ErrUnknown, r.Kind, err)
		}
	}
}

// mayRaise returns nil if a limit can become another one.
func mayRaise(old, l dp.Loss) error {
	o, n := dp.PartsOf(old), dp.PartsOf(l)
	sameKind := (o.Delta > 0) == (n.Delta > 0) && (o.Rho > 0) == (n.Rho > 0)
	if n == o || !sameKind || n.Epsilon < o.Epsilon || n.Delta < o.Delta || n.Rho < o.Rho {
		return fmt.Errorf("budget: limit is %v and would become %v; it can only be raised, within its kind", old, l)
	}
	return nil
}
