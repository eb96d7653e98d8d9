package main

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

func explainCommand() *command {
	return &command{
		name: "explain", short: "say what holds the budget: which requests, purposes, analysts or periods",
		long: `
Shares are of the sum of what the charges declare, which anyone can check by hand.
The account is often charged less, because its rule adds up better.`,
		flags: func(o *options, f *pflag.FlagSet) {
			f.StringVar(&o.group, "by", "", "`what` to group by: purpose, analyst, period, month or request\n(default: by purpose, and then by request)")
		},
		words: map[string][]string{"by": {"purpose", "analyst", "period", "month", "request"}},
		run:   runExplain,
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

// A grouping is the holders by one thing.
type grouping struct {
	By      string    `json:"by"`
	Holders []*holder `json:"holders"`
}

func runExplain(ctx context.Context, e *env) error {
	by := []string{"purpose", "request"}
	if e.group != "" {
		by = []string{e.group}
	}
	if groupings[by[0]] == nil {
		return usagef("explain: --by is %q, must be purpose, analyst, period, month or request", e.group)
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
		var groups []grouping
		total := &exactLoss{}
		for _, what := range by {
			var holders []*holder
			holders, total = hold(entries, groupings[what])
			groups = append(groups, grouping{what, holders})
		}
		if e.json {
			return e.printJSON(map[string]any{
				"account": st.Account, "groups": groups, "declared": total.String(), "spent": st.Whole.Spent, "limit": st.Whole.Limit,
			})
		}
		return printGroups(e, groups, total, st.Whole)
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

func printGroups(e *env, groups []grouping, total *exactLoss, s budget.ScopeStatus) error {
	if len(groups[0].Holders) == 0 {
		e.printf("nothing was charged\n")
		return nil
	}
	for _, g := range groups {
		t := &table{}
		t.row("SHARE", "DECLARED", "CHARGES", strings.ToUpper(g.By))
		for _, h := range g.Holders {
			t.row(percent(h.Share), h.Amount, fmt.Sprint(h.Charges), h.Name)
		}
		if err := t.write(e.stdout); err != nil {
			return err
		}
		e.printf("\n")
	}
	e.printf("charges declare %s in all; the account counts %s of its limit %v\n", total, dp.FormatLoss(s.Spent), limitText(s.Limit))
	if s.Limit == nil {
		return nil
	}
	if s.Left == nil {
		e.printf("nothing is left\n")
		return nil
	}
	e.printf("%v is left\n", s.Left)
	return nil
}
