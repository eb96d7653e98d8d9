package main

import (
	"context"
	"fmt"
	"math"
	"strings"

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
	Ends        string // why no more than these fit
}

// mostCounted is how far the ledger counts.
const mostCounted = 1_000_000

func (l *ledger) balance(ctx context.Context, c dp.Charge) (balance, error) {
	status, err := l.account.Status(ctx)
	if err != nil {
		return balance{}, err
	}
	more, then, err := l.account.HowMany(ctx, c)
	if err != nil {
		return balance{}, err
	}
	b := balance{Limit: status.Whole.Limit, Left: status.Whole.Left, More: more, Ends: ends(then)}
	terms := l.account.Terms()
	terms.Limit = b.Limit
	b.Total, err = fits(ctx, terms, c)
	return b, err
}

// fits returns how many charges an unspent account of these terms accepts.
func fits(ctx context.Context, terms budget.Terms, c dp.Charge) (int, error) {
	account, err := budget.Create(ctx, budget.Memory(), terms)
	if err != nil {
		return 0, err
	}
	n, _, err := account.HowMany(ctx, c)
	return n, err
}

// ends says in a few words why a charge is refused.
func ends(r *budget.RefusedError) string {
	switch {
	case r == nil:
		return ""
	case r.Frozen:
		return "the account is frozen"
	case r.Reason != "":
		return r.Reason
	}
	return "there is too little " + letters(r.Binds)
}

// letters names the parts of a loss as they are written.
func letters(parts []string) string {
	var all []string
	for _, p := range parts {
		all = append(all, map[string]string{"epsilon": "ε", "delta": "δ", "rho": "ρ"}[p])
	}
	return strings.Join(all, " and ")
}

// Used says how much of the limit is used, in reports like this one.
func (b balance) Used() string {
	if b.Total >= mostCounted {
		return "less than one in a thousand of what the limit allows"
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
	switch {
	case b.More >= mostCounted:
		return "more than a million more fit"
	case b.More == 0:
		return "no more report like this one fits: " + b.Ends
	case b.More == 1:
		return "1 more fits, and then " + b.Ends
	}
	return grouped(float64(b.More), 0) + " more fit, and then " + b.Ends
}
