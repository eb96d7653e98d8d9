package budget

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// An Outside is a release of the same data that no account paid for: one that was made with
// another program, or before there was a ledger. It costs the account nothing; it is
// recorded so that nobody takes what the account has spent for all there is.
type Outside struct {
	What string  `json:"what"` // was published, in a sentence
	By   string  `json:"by"`   // whom
	On   string  `json:"on"`   // the day, such as "2026-05-31"
	Loss dp.Loss `json:"loss"` // its guarantee; nil if it has none
}

// UnmarshalJSON reads what json.Marshal wrote, and nothing else.
func (o *Outside) UnmarshalJSON(b []byte) error {
	type plain Outside
	var j plain
	if err := readLosses("outside release", b, &j, &j.Loss); err != nil {
		return err
	}
	*o = Outside(j)
	return o.check()
}

func (o *Outside) check() error {
	errs := []error{name("Outside.What", o.What), name("Outside.By", o.By)}
	if o.Loss != nil {
		errs = append(errs, dp.CheckLoss(o.Loss))
	}
	if _, err := time.Parse(time.DateOnly, o.On); err != nil {
		errs = append(errs, fmt.Errorf("budget: Outside.On is %q, must be a day such as 2026-05-31", o.On))
	}
	return errors.Join(errs...)
}

// RecordOutside records a release that was made outside of the account.
func (a *Account) RecordOutside(ctx context.Context, o Outside, reason, by string) error {
	if err := o.check(); err != nil {
		return err
	}
	return a.act(ctx, record{Kind: KindOutside, Outside: &o, Reason: reason, By: by}, func(*state) error { return nil })
}
