package main

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/equipoise-dp/equipoise/budget"
)

func freezeCommand() *command {
	return &command{
		name: "freeze", short: "refuse everything from now on, until thaw",
		long: `
For after an incident. Results that were published before can still be shown.`,
		flags: func(o *options, f *pflag.FlagSet) { o.act(f) },
		run: func(ctx context.Context, e *env) error {
			return e.decide(ctx, "freeze", (*budget.Account).Freeze, "froze account %q")
		},
	}
}

func thawCommand() *command {
	return &command{
		name: "thaw", short: "end a freeze",
		flags: func(o *options, f *pflag.FlagSet) { o.act(f) },
		run: func(ctx context.Context, e *env) error {
			return e.decide(ctx, "thaw", (*budget.Account).Thaw, "thawed account %q")
		},
	}
}

// decide records an act of somebody.
func (e *env) decide(ctx context.Context, name string, act func(a *budget.Account, ctx context.Context, reason, by string) error, said string) error {
	if err := need(name, map[string]string{"reason": e.reason, "by": e.by}); err != nil {
		return err
	}
	return e.withAccount(ctx, func(a *budget.Account) error {
		if err := act(a, ctx, e.reason, e.by); err != nil {
			return err
		}
		return e.done(ctx, a, said, a.Terms().Dataset)
	})
}
