package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/spf13/pflag"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/policy"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/module"
)

func whatifCommand() *command {
	return &command{
		name: "whatif", short: "ask whether charges would fit, and what would be left; nothing is spent",
		long: `
The charge is taken at what it declares. A plan of package aggregate can cost the
account less, if its noise is priced better than its loss. Under a policy it is a
question that asks for the consent and keeps to the days that the purpose needs, and
reads no values and no groups; those are decided by when a plan is asked.`,
		flags: func(o *options, f *pflag.FlagSet) {
			f.Var(&o.loss, "loss", "what one charge declares, a `loss`")
			f.StringVar(&o.purpose, "purpose", "", "`why` it would be asked")
			f.StringVar(&o.who, "analyst", "", "`who` would ask")
			f.StringVar(&o.part, "part", "", "the `dataset` within the account that would be read, such as shop/eu (default: all of the account)")
			f.Var((*listFlag)(&o.periods), "period", "a `period` of the data that would be read; once for each")
			f.IntVar(&o.times, "times", 1, "how many such charges, at most 10000")
		},
		run: runWhatif,
	}
}

func runWhatif(ctx context.Context, e *env) error {
	if err := need("whatif", map[string]string{"loss": e.loss.String(), "purpose": e.purpose}); err != nil {
		return err
	}
	if e.times < 1 || e.times > 10_000 {
		return usagef("whatif: --times is %d, must be from 1 to 10000", e.times)
	}
	return e.withAccount(ctx, func(a *budget.Account) error {
		in, err := a.Policy(ctx)
		if err != nil {
			return err
		}
		charges := e.supposed(a.Terms(), in)
		st, refusals, err := a.WhatIf(ctx, charges...)
		if err != nil {
			return err
		}
		n, _, err := a.HowMany(ctx, charges[0])
		if _, refused := errors.AsType[*budget.RefusedError](err); err != nil && !refused {
			return err
		}
		return e.suppose(refusals, st, n)
	})
}

// supposed returns charges like those that are asked about, under new keys.
func (e *env) supposed(t budget.Terms, in *budget.InForce) []dp.Charge {
	charges := make([]dp.Charge, e.times)
	for i := range charges {
		charges[i] = dp.Charge{
			Dataset: cmp.Or(e.part, t.Dataset), Unit: t.Unit, Purpose: e.purpose, Key: fmt.Sprintf("what if %d", i), Analyst: e.who,
			Periods: e.periods, Loss: e.loss.Loss, Events: []dp.Event{declared(e.loss.Loss)}, States: readsLittle(in, e.purpose),
		}
	}
	return charges
}

// readsLittle states a question that reads nothing which the policy may refuse for the purpose. Without a
// policy nothing is stated.
func readsLittle(in *budget.InForce, purpose string) *dp.Statement {
	if in == nil {
		return nil
	}
	s := &dp.Statement{RetainDays: in.Policy.RetainDays, Module: module.Version()}
	if consent := in.Policy.Purposes[purpose].Consent; consent != policy.ConsentNone {
		s.Consent = consent
	}
	if modules := in.Policy.Modules; len(modules) > 0 {
		s.Module = modules[0]
	}
	return s
}

// declared is the event of which only the loss is known.
func declared(l dp.Loss) dp.Event {
	epsilon, delta, rho := dp.PartsOf(l).Exact()
	return dp.Event{Mechanism: dp.Declared, For: "what if", Count: 1, Epsilon: positive(epsilon), Delta: positive(delta), Rho: positive(rho)}
}

// positive returns nil for 0: an event has no number that its loss has not.
func positive(x *big.Rat) *big.Rat {
	if x.Sign() == 0 {
		return nil
	}
	return x
}

// A supposition is the answer.
type supposition struct {
	Fits    int          `json:"fit"` // of those that were asked about
	Asked   int          `json:"asked"`
	HowMany int          `json:"how_many_fit"`
	Refusal string       `json:"refusal,omitempty"` // of the first that does not fit
	Largest *dp.Loss     `json:"largest_that_fits,omitempty"`
	Scopes  []shownScope `json:"scopes_then"`
}

func (e *env) suppose(refusals []error, st budget.Status, howMany int) error {
	s := supposition{Asked: len(refusals), HowMany: howMany, Scopes: shownScopes(st)}
	var first error
	for _, err := range refusals {
		if err == nil {
			s.Fits++
		} else if first == nil {
			first = err
		}
	}
	if first != nil {
		s.Refusal = first.Error()
		if r, ok := errors.AsType[*budget.RefusedError](first); ok {
			s.Largest = &r.Fits
		}
	}
	if e.json {
		return errors.Join(e.printJSON(s), refusedIf(first))
	}
	return errors.Join(s.print(e), first)
}

func refusedIf(err error) error {
	if err == nil {
		return nil
	}
	return errSaid(status(err))
}

func (s supposition) print(e *env) error {
	e.printf("%d of %s would fit; like the first, %d fit in all; nothing was spent\n", s.Fits, count(s.Asked, "charge", "charges"), s.HowMany)
	e.printf("\nthen:\n")
	return printScopes(e, s.Scopes)
}
