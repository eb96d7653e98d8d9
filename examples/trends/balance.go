package main

import (
	"context"
	"fmt"
	"math"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// A balance is what the ledger says after a release.
//
// It counts in reports like this one, since sums of losses look wrong: noise of
// several reports adds up more slowly than their losses, and a part of δ pays for
// the conversion.
type balance struct {
	Limit, Left dp.Loss
	More        int    // how many reports like this one still fit
	Total       int    // how many would fit into the limit if it were unspent
	Binds       string // what there will be too little of: "ε", "δ", or "ε and δ"
}

// mostCounted is how far the ledger counts.
const mostCounted = 1_000_000

func (l *ledger) balance(ctx context.Context, c dp.Charge) (balance, error) {
	status, err := l.account.Status(ctx)
	if err != nil {
		return balance{}, err
	}
	b := balance{Limit: status.Whole.Limit, Left: status.Whole.Left}
	if b.More, err = l.account.HowMany(ctx, c); err != nil {
		return b, err
	}
	terms := l.account.Terms()
	terms.Limit = b.Limit
	if b.Total, err = fits(ctx, terms, c); err != nil {
		return b, err
	}
	b.Binds, err = binds(ctx, terms, c, b.Total)
	return b, err
}

// fits returns how many charges an unspent account of these terms accepts.
func fits(ctx context.Context, terms budget.Terms, c dp.Charge) (int, error) {
	account, err := budget.Create(ctx, budget.Memory(), terms)
	if err != nil {
		return 0, err
	}
	return account.HowMany(ctx, c)
}

// binds says which limit ends it: that of which half as much again would let more
// such charges through.
func binds(ctx context.Context, terms budget.Terms, c dp.Charge, total int) (string, error) {
	limit, ok := terms.Limit.(dp.Approx)
	if !ok {
		return "ε", nil
	}
	more := terms
	more.Limit = dp.Approx{Epsilon: 1.5 * limit.Epsilon, Delta: limit.Delta}
	withEpsilon, err := fits(ctx, more, c)
	if err != nil || limit.Delta > 0.5 {
		return "ε", err
	}
	more.Limit = dp.Approx{Epsilon: limit.Epsilon, Delta: 1.5 * limit.Delta}
	withDelta, err := fits(ctx, more, c)
	switch {
	case withEpsilon > total && withDelta <= total:
		return "ε", err
	case withDelta > total && withEpsilon <= total:
		return "δ", err
	}
	return "ε and δ", err
}

// Used says how much of the limit is used, in reports like this one.
func (b balance) Used() string {
	if b.Total >= mostCounted {
		return "far less than one in a thousand of what the limit allows"
	}
	return fmt.Sprintf("%s of about %s such reports", grouped(float64(b.used()), 0), grouped(float64(max(b.Total, b.used())), 0))
}

// used is at least one: the report itself.
func (b balance) used() int { return max(b.Total-b.More, 1) }

// Percent returns how much of the limit is used.
func (b balance) Percent() int {
	return int(math.Round(100 * float64(b.used()) / float64(max(b.Total, b.used()))))
}

// Rest says how many reports of this kind still fit, and what ends it.
func (b balance) Rest() string {
	switch b.More {
	case 0:
		return "no more report like this one fits: there is too little " + b.Binds
	case 1:
		return "1 more fits, and then there is too little " + b.Binds
	}
	return grouped(float64(b.More), 0) + " more fit, and then there is too little " + b.Binds
}
