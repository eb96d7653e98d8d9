package main

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/equipoise-dp/equipoise/budget"
)

func raiseCommand() *command {
	return &command{
		name: "raise", short: "give an account a larger limit; it is recorded, and never undone",
		long: `
What was spent stays spent. The people in the data are promised the largest limit
that was ever given; the transparency statement names every raise, who decided it
and why.`,
		flags: func(o *options, f *pflag.FlagSet) {
			f.Var(&o.limit, "limit", "the new limit, a `loss` of the same kind")
			o.act(f)
		},
		run: runRaise,
	}
}

func runRaise(ctx context.Context, e *env) error {
	if err := need("raise", map[string]string{"limit": e.limit.String(), "reason": e.reason, "by": e.by}); err != nil {
		return err
	}
	return e.decide(ctx, "raise", func(a *budget.Account, ctx context.Context, reason, by string) error {
		return a.Raise(ctx, e.limit.Loss, reason, by)
	}, "raised the limit of account %q")
}
