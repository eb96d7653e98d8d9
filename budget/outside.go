package budget

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// An Outside is a release of the same data that no account paid for: one that was made with
// another program, or before there was a ledger. It costs the account nothing; it is
// recorded so that nobody takes what the account has spent for all there is.
type Outside struct {
	What string    // was published, in a sentence
	By   string    // whom
	On   time.Time // the day
	Loss dp.Loss   // its guarantee; nil if it has none
}

type outsideJSON struct {
	What string `json:"what"`
	By   string `json:"by"`
	On   string `json:"on"`
	Loss amount `json:"loss"`
}

// MarshalJSON writes the loss as exact decimals, and null for none.
func (o Outside) MarshalJSON() ([]byte, error) {
	return json.Marshal(outsideJSON{o.What, o.By, o.On.UTC().Format(time.DateOnly), amount{o.Loss}})
}

// UnmarshalJSON reads what MarshalJSON wrote, and nothing else.
func (o *Outside) UnmarshalJSON(b []byte) error {
	var j outsideJSON
	if err := readStrictly("outside release", b, &j); err != nil {
		return err
	}
	on, err := time.Parse(time.DateOnly, j.On)
	if err != nil {
		return fmt.Errorf("budget: outside release: on is %q, must be a day such as 2026-05-31", j.On)
	}
	*o = Outside{j.What, j.By, on, j.Loss.Loss}
	return o.check()
}

func (o *Outside) check() error {
	var loss error
	if o.Loss != nil {
		loss = dp.CheckLoss(o.Loss)
	}
	return errors.Join(name("Outside.What", o.What), name("Outside.By", o.By), loss)
}

// RecordOutside records a release that was made outside of the account.
func (a *Account) RecordOutside(ctx context.Context, o Outside, reason, by string) error {
	if err := o.check(); err != nil {
		return err
	}
	return a.act(ctx, record{Kind: KindOutside, Outside: &o, Reason: reason, By: by}, func(*state) error { return nil })
}
