package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math/big"
	"slices"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

func explainCommand() *command {
	return &command{
		name: "explain", short: "say what holds the budget: which requests, purposes, analysts or periods",
		long: `
Shares are of the sum of what the charges declare, which anyone can check by hand.
The account is often charged less, because its rule adds up better.`,
		flags: func(o *options, f *flag.FlagSet) {
			f.StringVar(&o.group, "by", "purpose", "`what` to group by: purpose, analyst, period, month or request")
		},
		run: runExplain,
	}
}

// A holder is what one group of charges declares.
type holder struct {
	Name    string  `json:"name"`
	Charges int     `json:"charges"`
	Amount  string  `json:"declared"`
	Share   float64 `json:"share"` // of ε or ρ

	sum exactLoss
}

func runExplain(ctx context.Context, e *env) error {
	key, ok := groupings[e.group]
	if !ok {
		return usagef("explain: -by is %q, must be purpose, analyst, period, month or request", e.group)
	}
	return e.withAccount(ctx, func(a *budget.Account) error {
		entries, err := collect(ctx, a)
		if err != nil {
			return err
		}
		st, err := a.Status(ctx)
		if err != nil {
			return err
		}
		holders, total := hold(entries, key)
		if e.json {
			return e.printJSON(map[string]any{
				"account": st.Account, "by": e.group, "holders": holders, "declared": total.String(),
				"spent": st.Whole.Spent, "limit": st.Whole.Limit,
			})
		}
		printHolders(e, holders, total, st.Whole)
		return nil
	})
}

// groupings say which groups an entry counts in.
var groupings = map[string]func(budget.Entry) []string{
	"purpose": func(e budget.Entry) []string { return []string{e.Charge.Purpose} },
	"analyst": func(e budget.Entry) []string { return []string{cmp.Or(e.Charge.Analyst, "(not named)")} },
	"request": func(e budget.Entry) []string { return []string{fmt.Sprintf("%d %s", e.Seq, e.Charge.Key)} },
	"month":   func(e budget.Entry) []string { return []string{e.At.UTC().Format("2006-01")} },
	"period": func(e budget.Entry) []string {
		if len(e.Charge.Periods) == 0 {
			return []string{"(not named)"}
		}
		return slices.Compact(slices.Sorted(slices.Values(e.Charge.Periods)))
	},
}

// hold adds up what charges declare, the largest first. A charge on several
// periods counts in each.
func hold(entries []budget.Entry, key func(budget.Entry) []string) ([]*holder, *exactLoss) {
	total, byName := &exactLoss{}, map[string]*holder{}
	holders := []*holder{}
	for _, e := range entries {
		if e.Kind != budget.KindSpend && e.Kind != budget.KindReserve {
			continue
		}
		total.add(e.Charge.Loss)
		for _, name := range key(e) {
			h := byName[name]
			if h == nil {
				h = &holder{Name: name}
				byName[name] = h
				holders = append(holders, h)
			}
			h.Charges++
			h.sum.add(e.Charge.Loss)
		}
	}
	for _, h := range holders {
		h.Amount, h.Share = h.sum.String(), h.sum.share(total)
	}
	slices.SortStableFunc(holders, func(a, b *holder) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Name, b.Name))
	})
	return holders, total
}

// share is of ε, or of ρ if there is no ε.
func (s *exactLoss) share(total *exactLoss) float64 {
	x, of := &s.epsilon, &total.epsilon
	if of.Sign() == 0 {
		x, of = &s.rho, &total.rho
	}
	if of.Sign() == 0 {
		return 0
	}
	f, _ := new(big.Rat).Quo(x, of).Float64()
	return f
}

func printHolders(e *env, holders []*holder, total *exactLoss, s budget.ScopeStatus) {
	if len(holders) == 0 {
		e.printf("nothing was charged\n")
		return
	}
	t := &table{}
	t.row("SHARE", "DECLARED", "CHARGES", "")
	for _, h := range holders {
		t.row(percent(h.Share), h.Amount, fmt.Sprint(h.Charges), h.Name)
	}
	t.write(e.stdout)
	e.printf("\ncharges declare %s in all; the account counts %s of its limit %v\n", total, dp.FormatLoss(s.Spent), s.Limit)
	if dp.Loss(s.Left) == nil {
		e.printf("nothing is left\n")
		return
	}
	e.printf("%v is left\n", s.Left)
}
