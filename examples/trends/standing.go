package main

import (
	"context"
	"fmt"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// A plan and a forecast pay nothing, and say what the ledger would answer whoever pays: it may be
// frozen, its policy may forbid the question, or nothing may be left.

// standing is what the ledger says of a request now, in lines; it is empty if there is none.
func (o *options) standing(ctx context.Context, r aggregate.Request, c dp.Charge) string {
	l, err := o.openLedger(ctx)
	switch {
	case err != nil:
		return fmt.Sprintf("no release can be paid for as it is: %v\n", err)
	case l == nil:
		return ""
	}
	text, err := l.says(ctx, r, c)
	if closed := l.close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Sprintf("ledger %s cannot be asked: %v\n", o.Ledger, err)
	}
	return fmt.Sprintf("ledger %s %s\n", o.Ledger, text)
}

func (l *ledger) says(ctx context.Context, r aggregate.Request, c dp.Charge) (string, error) {
	if _, err := l.account.Payment(ctx, r.Key); err == nil {
		return l.paid(ctx)
	}
	n, then, err := l.account.HowMany(ctx, c)
	switch {
	case err != nil:
		return "", err
	case n > 0:
		return fmt.Sprintf("would pay for it: %s", balance{More: n, Ends: ends(then)}.Rest()), nil
	}
	return fmt.Sprintf("would refuse it: %v", then), nil
}

// paid is what the ledger says of a request that was paid for. What was published of it is given out whatever
// happened since.
func (l *ledger) paid(ctx context.Context) (string, error) {
	status, err := l.account.Status(ctx)
	if err != nil {
		return "", err
	}
	text := "has paid for this request already: it costs nothing more"
	if status.Frozen {
		text += fmt.Sprintf("; it is frozen: %s, so only what was published of it is given out", status.Reason)
	}
	return text, nil
}
