package main

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/equipoise-dp/equipoise/budget"
)

func refundCommand() *command {
	return &command{
		name: "refund", short: "say why nothing that was paid is given back",
		flags: func(o *options, f *pflag.FlagSet) {
			f.StringVar(&o.key, "key", "", "the `key` of the request that was paid")
		},
		run: func(ctx context.Context, e *env) error {
			if e.key == "" {
				return usagef("--key is missing; name the request that was paid")
			}
			return e.withAccount(ctx, func(a *budget.Account) error { return a.Refund(ctx, e.key) })
		},
	}
}
