package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	ahead "github.com/equipoise-dp/equipoise/budget/forecast"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

func planCommand() *command {
	return &command{
		name: "plan", short: "say what an account has to hold for a list of charges; needs no ledger",
		long: `
For each rule the least limit is shown that takes all the uses; the best comes first.
A reservation declares all of them before the first; every other way holds although
each use may be chosen after seeing the answers before. A year of weekly reports, and
a larger one every quarter:

    ledger plan --delta 1e-6 --use 52:rho=0.0008:gaussian --use 4:rho=0.005:gaussian`,
		flags: func(o *options, f *pflag.FlagSet) {
			f.Var(&o.uses, "use", "how often, what each declares, and perhaps :gaussian, as `times:loss`; once for each kind of\ncharge. Gaussian noise of a rho can cost less than any other mechanism of the same rho")
			f.Float64Var(&o.delta, "delta", 1e-6, "the δ of the account")
		},
		bare: true,
		run:  runPlan,
	}
}

// A usesFlag is given once for each kind of charge.
type usesFlag []ahead.Use

func (u *usesFlag) String() string { return "" }

func (u *usesFlag) Type() string { return "times:loss" }

func (u *usesFlag) Set(s string) error {
	times, rest, _ := strings.Cut(s, ":")
	text, noise, _ := strings.Cut(rest, ":")
	n, err := strconv.Atoi(times)
	if err != nil {
		return errors.New("must be how often, a colon and a loss, such as 52:rho=0.0008:gaussian")
	}
	l, err := dp.ParseLoss(text)
	if err != nil {
		return err
	}
	events, err := drawn(l, noise)
	*u = append(*u, ahead.Use{Times: n, Charge: dp.Charge{Loss: l, Events: events}})
	return err
}

// drawn are the events of one number with noise of a loss, and of a selection with its δ.
func drawn(l dp.Loss, noise string) ([]dp.Event, error) {
	_, delta, rho := dp.PartsOf(l).Exact()
	switch {
	case noise == "":
		return []dp.Event{declared(l)}, nil
	case noise != "gaussian" || rho.Sign() == 0:
		return nil, fmt.Errorf("noise is %q of %v, must be gaussian, of a rho, or left out", noise, l)
	}
	events := []dp.Event{{
		Mechanism: dp.Gaussian, For: "plan", Count: 1, Sensitivity: dp.Sensitivity{L0: 1, LInf: 1},
		Scale: exact.SqrtUp(rho.Inv(rho.Mul(rho, big.NewRat(2, 1)))),
	}}
	if delta.Sign() > 0 {
		events = append(events, dp.Event{Mechanism: dp.Threshold, For: "plan", Count: 1, Delta: delta})
	}
	return events, nil
}

// A shownWay is one way to pay.
type shownWay struct {
	Rule       string   `json:"rule"` // or "reservation"
	Limit      *dp.Loss `json:"limit,omitempty"`
	EventShare float64  `json:"event_share,omitempty"`
	Epsilon    float64  `json:"epsilon,omitempty"` // of the limit at --delta, to compare by; none without a limit
	Exactly    bool     `json:"exactly,omitempty"` // some larger limit takes less
	Why        string   `json:"why_not,omitempty"`
}

func runPlan(_ context.Context, e *env) error {
	ways, err := ahead.Ways(e.delta, e.uses...)
	if err != nil {
		return usageError{err}
	}
	shown := make([]shownWay, len(ways))
	for i, w := range ways {
		shown[i] = shownWay{Rule: w.Rule.String(), EventShare: w.EventShare, Exactly: w.Exactly, Why: w.Why}
		if w.Reserved {
			shown[i].Rule = "reservation"
		}
		if w.Limit != nil {
			shown[i].Limit, shown[i].Epsilon = &w.Limit, w.Epsilon
		}
	}
	if e.json {
		return e.printJSON(shown)
	}
	return printWays(e, shown)
}

func printWays(e *env, ways []shownWay) error {
	t := &table{}
	t.row("RULE", "EVENT SHARE", fmt.Sprintf("ε AT δ=%v", e.delta), "LEAST LIMIT")
	for _, w := range ways {
		limit, share, epsilon := w.Why, "-", "-"
		if w.Limit != nil {
			limit, epsilon = dp.FormatLoss(*w.Limit), fmt.Sprintf("%.4g", w.Epsilon)
			if w.Exactly {
				limit += ", and not more"
			}
		}
		if w.EventShare > 0 {
			share = fmt.Sprint(w.EventShare)
		}
		t.row(w.Rule, share, epsilon, limit)
	}
	return t.write(e.stdout)
}
