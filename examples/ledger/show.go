package main

import (
	"context"
	"fmt"
	"strings"
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
	Refused  int          `json:"refused"` // requests, as far as they are kept
	Frozen   bool         `json:"frozen"`
	Reasons  []string     `json:"reasons,omitempty"`   // of every freeze since the last thaw
	ReadOnly string       `json:"read_only,omitempty"` // why nothing can be spent here
	Scopes   []shownScope `json:"scopes"`
	Forecast forecast     `json:"forecast"`
}

type shownScope struct {
	Scope string  `json:"scope"`
	Name  string  `json:"name,omitempty"`
	Limit dp.Loss `json:"limit"`
	Spent dp.Loss `json:"spent"`
	Left  dp.Loss `json:"left"`
	Used  string  `json:"used"` // the part of the limit, and of which number

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
			if err := a.print(e); err != nil {
				return err
			}
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
	entries, err := collect(ctx, a)
	if err != nil {
		return shown{}, err
	}
	t, times := a.Terms(), chargeTimes(entries)
	return shown{
		Account: st.Account, Unit: t.Unit, Rule: t.Rule.String(), Entries: st.Entries, Charges: len(times), Refused: refusedIn(entries), Frozen: st.Frozen, Reasons: frozenFor(entries), ReadOnly: readOnly(ctx, s),
		Scopes: shownScopes(st), Forecast: forecastOf(times, st.Whole, e.now()),
	}, nil
}

func shownScopes(st budget.Status) []shownScope {
	out := make([]shownScope, 1+len(st.Parts))
	for i, s := range append([]budget.ScopeStatus{st.Whole}, st.Parts...) {
		out[i] = shownScope{Scope: s.Scope, Name: s.Name, Limit: s.Limit, Spent: s.Spent, Left: s.Left, Used: used(s), status: s}
	}
	return out
}

// chargeTimes returns when charges were paid, in order.
func chargeTimes(entries []budget.Entry) (times []time.Time) {
	for _, entry := range entries {
		if entry.Kind == budget.KindSpend || entry.Kind == budget.KindReserve {
			times = append(times, entry.At)
		}
	}
	return times
}

// refusedIn counts the refusals that the ledger keeps.
func refusedIn(entries []budget.Entry) (n int) {
	for _, e := range entries {
		if e.Kind == budget.KindRefuse {
			n++
		}
	}
	return n
}

// frozenFor returns the reason of every freeze since the last thaw.
func frozenFor(entries []budget.Entry) (reasons []string) {
	for _, e := range entries {
		switch e.Kind {
		case budget.KindFreeze:
			reasons = append(reasons, e.Reason)
		case budget.KindThaw:
			reasons = nil
		}
	}
	return reasons
}

// readOnly says why nothing can be spent, or is empty.
func readOnly(ctx context.Context, s *store) string {
	if err := s.Writable(ctx); err != nil {
		return err.Error()
	}
	return ""
}

// used writes which part of a limit is spent, and names the number that is the
// least left.
func used(s budget.ScopeStatus) string {
	if s.Limit == nil {
		return "counted"
	}
	part, of := part(s.Spent, s.Limit)
	return percent(part) + " of " + of
}

func (s shown) print(e *env) error {
	protects := ""
	if s.Unit != "" {
		protects = fmt.Sprintf(", protects each %s", plain(s.Unit))
	}
	e.printf("account %q%s, rule %s, %s\n", s.Account, protects, s.Rule, count(s.Charges, "charge", "charges"))
	if s.Refused > 0 {
		e.printf("%s, see log\n", count(s.Refused, "request was refused", "requests were refused"))
	}
	if s.Frozen {
		e.printf("FROZEN, nothing is accepted: %s\n", plain(strings.Join(s.Reasons, "; ")))
	}
	if s.ReadOnly != "" {
		e.printf("READ-ONLY, nothing can be spent here: %s\n", plain(s.ReadOnly))
	}
	e.printf("\n")
	if err := printScopes(e, s.Scopes); err != nil {
		return err
	}
	e.printf("\n%s\n", s.Forecast)
	return nil
}

func printScopes(e *env, scopes []shownScope) error {
	t := &table{}
	t.row("", "LIMIT", "SPENT", "LEFT", "USED")
	for _, s := range scopes {
		name := s.Scope
		if s.Name != "" {
			name += " " + s.Name
		}
		t.row(name, limitText(s.status.Limit), dp.FormatLoss(s.status.Spent), dp.FormatLoss(s.status.Left), s.Used)
	}
	return t.write(e.stdout)
}
