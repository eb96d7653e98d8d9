package main

import (
	"context"
	"fmt"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

func showCommand() *command {
	return &command{
		name: "show", short: "show accounts: limits, what is spent and left, and when it runs out",
		long: `
"Left" is what a single charge may still declare, whatever it consists of. The
forecast divides what was spent by the time since the first charge; it needs two
charges and a day.`,
		run: runShow,
	}
}

// A shown is what show says of one account.
type shown struct {
	Account  string       `json:"account"`
	Unit     string       `json:"unit,omitempty"`
	Rule     string       `json:"rule"`
	Entries  uint64       `json:"entries"`
	Charges  int          `json:"charges"`
	Frozen   bool         `json:"frozen"`
	Reason   string       `json:"reason,omitempty"`
	Scopes   []shownScope `json:"scopes"`
	Forecast forecast     `json:"forecast"`
}

type shownScope struct {
	Scope string  `json:"scope"`
	Name  string  `json:"name,omitempty"`
	Limit dp.Loss `json:"limit"`
	Spent dp.Loss `json:"spent"`
	Left  dp.Loss `json:"left"`

	status budget.ScopeStatus
}

func runShow(ctx context.Context, e *env) error {
	return e.withStore(ctx, func(s *store) error {
		names, err := e.accounts(ctx, s)
		if err != nil {
			return err
		}
		all := make([]shown, len(names))
		for i, name := range names {
			if all[i], err = e.look(ctx, s, name); err != nil {
				return err
			}
		}
		if e.json {
			return e.printJSON(all)
		}
		for i, a := range all {
			if i > 0 {
				e.printf("\n")
			}
			a.print(e)
		}
		return nil
	})
}

func (e *env) look(ctx context.Context, s *store, name string) (shown, error) {
	a, err := budget.Open(ctx, s, name)
	if err != nil {
		return shown{}, err
	}
	st, err := a.Status(ctx)
	if err != nil {
		return shown{}, err
	}
	times, err := chargeTimes(ctx, a)
	if err != nil {
		return shown{}, err
	}
	t := a.Terms()
	return shown{
		st.Account, t.Unit, t.Rule.String(), st.Entries, len(times), st.Frozen, st.Reason,
		shownScopes(st.Limits()), forecastOf(times, st.Whole, e.now()),
	}, nil
}

func shownScopes(scopes []budget.ScopeStatus) []shownScope {
	out := make([]shownScope, len(scopes))
	for i, s := range scopes {
		out[i] = shownScope{s.Scope, s.Name, s.Limit, s.Spent, s.Left, s}
	}
	return out
}

// chargeTimes returns when charges were paid, in order.
func chargeTimes(ctx context.Context, a *budget.Account) ([]time.Time, error) {
	var times []time.Time
	for entry, err := range a.Entries(ctx) {
		if err != nil {
			return nil, err
		}
		if entry.Kind == budget.KindSpend || entry.Kind == budget.KindReserve {
			times = append(times, entry.At)
		}
	}
	return times, nil
}

func (s shown) print(e *env) {
	protects := ""
	if s.Unit != "" {
		protects = fmt.Sprintf(", protects each %s", plain(s.Unit))
	}
	e.printf("account %q%s, rule %s, %s\n", s.Account, protects, s.Rule, count(s.Charges, "charge", "charges"))
	if s.Frozen {
		e.printf("FROZEN, nothing is accepted: %s\n", plain(s.Reason))
	}
	e.printf("\n")
	printScopes(e, s.Scopes)
	e.printf("\n%s\n", s.Forecast)
}

func printScopes(e *env, scopes []shownScope) {
	t := &table{}
	t.row("", "LIMIT", "SPENT", "LEFT", "USED")
	for _, s := range scopes {
		name := s.Scope
		if s.Name != "" {
			name += " " + s.Name
		}
		t.row(name, s.status.Limit.String(), dp.FormatLoss(s.status.Spent), dp.FormatLoss(s.status.Left), percent(part(s.status.Spent, s.status.Limit)))
	}
	t.write(e.stdout)
}
