package main

import (
	"context"
	"errors"

	"github.com/spf13/pflag"

	"github.com/equipoise-dp/equipoise/budget"
)

func initCommand() *command {
	return &command{
		name: "init", short: "create an account, and the ledger if there is none",
		long: `
An account is what one dataset may ever cost. Its terms never change; a limit can
be raised later, by an act of its own that is recorded. For example:

    ledger init --ledger shop.db --account orders --unit customer \
        --limit epsilon=3,delta=1e-6 --purpose "opening hours:epsilon=1,delta=1e-7" \
        --purpose "assortment:epsilon=2,delta=5e-7"`,
		flags: func(o *options, f *pflag.FlagSet) {
			f.StringVar(&o.unit, "unit", "", "who is protected, in a `word` such as customer")
			f.Var(&o.limit, "limit", "what everything together may cost, a `loss`")
			f.BoolVar(&o.odometer, "odometer", false, "there is no limit: everything is added up, by rule basic or zcdp, and nothing is refused for its\namount but by the limits of parts, purposes, periods and analysts")
			f.Var(&o.parts, "part", "a dataset within the account and what it may cost, as `name:loss`, where names are paths such as\nshop/eu; once for each. A charge counts in its part, in those it is within and in those within it")
			f.Var(&o.purposes, "purpose", "a purpose and what it may cost, as `name:loss`; once for each. Without any, every\npurpose is allowed")
			f.Var(&o.period, "period", "what may be spent on each period of the data, a `loss`")
			f.Var(&o.analyst, "analyst", "what each analyst may spend, a `loss`")
			f.StringVar(&o.rule, "rule", budget.Default.String(), "the `rule` by which charges are added up: default, basic, gdp or zcdp")
			f.Float64Var(&o.share, "event-share", 0, "the `part` of the limit's δ, below 1, that is kept for mechanisms with a δ of their own, such as\nthresholds; the rest turns Rényi divergence into ε. 0 stands for 1/4 under rule default; under gdp and\nzcdp it refuses such mechanisms; under basic it means nothing")
			f.IntVar(&o.refusals, "refusals", 0, "how many requests that were refused are kept between two payments, a `number` up to 1000; 0 keeps none")
		},
		words: map[string][]string{"rule": {"default", "basic", "gdp", "zcdp"}},
		run:   runInit,
	}
}

func runInit(ctx context.Context, e *env) (err error) {
	required := map[string]string{"account": e.account, "unit": e.unit, "limit": e.limit.String()}
	if e.odometer {
		delete(required, "limit")
	}
	if err := need("init", required); err != nil {
		return err
	}
	terms, err := e.terms()
	if err != nil {
		return usageError{err}
	}
	s, err := openOrCreate(ctx, e.ledger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	a, err := budget.Create(ctx, s, terms)
	if err != nil {
		return err
	}
	if terms.Odometer {
		return e.done(ctx, a, "created account %q, an odometer without a limit", terms.Dataset)
	}
	return e.done(ctx, a, "created account %q with the limit %v", terms.Dataset, terms.Limit)
}

// terms checks the terms before anything is created.
func (e *env) terms() (budget.Terms, error) {
	rule, err := budget.ParseRule(e.rule)
	if err != nil {
		return budget.Terms{}, err
	}
	t := budget.Terms{
		Dataset: e.account, Unit: e.unit, Limit: e.limit.Loss, Odometer: e.odometer, Parts: e.parts, Rule: rule, Purposes: e.purposes,
		Period: e.period.Loss, Analyst: e.analyst.Loss, EventShare: e.share, Refusals: e.refusals,
	}
	return t, t.Check()
}

// done says what was written, and the anchor that proves it.
func (e *env) done(ctx context.Context, a *budget.Account, format string, args ...any) error {
	anchor, err := a.Anchor(ctx)
	if err != nil {
		return err
	}
	if e.json {
		return e.printJSON(map[string]any{"account": anchor.Account, "entries": anchor.Seq + 1, "anchor": anchor.String()})
	}
	e.printf(format+"\nanchor: %s\n", append(args, anchor)...)
	return nil
}
