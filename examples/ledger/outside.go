package main

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/equipoise-dp/equipoise/budget"
)

func outsideCommand() *command {
	return &command{
		name: "outside", short: "record a release of the same data that was made elsewhere",
		long: `
What was published with another program, or before there was a ledger, adds to what
can be learnt, and no account paid for it. It costs nothing here; the statement, check
and incident show it. Without --loss it had no guarantee at all.`,
		flags: func(o *options, f *pflag.FlagSet) {
			f.StringVar(&o.what, "what", "", "`what` was published, in a sentence")
			f.StringVar(&o.publisher, "published-by", "", "`who` published it")
			f.StringVar(&o.on, "on", "", "the `day`, such as 2026-05-31")
			f.Var(&o.loss, "loss", "its guarantee, a `loss`; without it there is none")
			o.act(f)
		},
		run: runOutside,
	}
}

func runOutside(ctx context.Context, e *env) error {
	o := budget.Outside{What: e.what, By: e.publisher, On: e.on, Loss: e.loss.Loss}
	return e.decide(ctx, "outside", func(a *budget.Account, ctx context.Context, reason, by string) error {
		return a.RecordOutside(ctx, o, reason, by)
	}, "recorded an outside release in account %q")
}

// guarantee says what an outside release promises.
func guarantee(o *budget.Outside) string {
	if o.Loss == nil {
		return "no guarantee"
	}
	return o.Loss.String()
}
