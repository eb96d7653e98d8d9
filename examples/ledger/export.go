package main

import (
	"bytes"
	"context"
	"io"

	"github.com/spf13/pflag"

	"github.com/equipoise-dp/equipoise/budget"
)

func exportCommand() *command {
	return &command{
		name: "export", short: "write the whole account as lines of JSON, for import, backup or an auditor",
		long: `
Releases that were kept are in it. The format dp-accounting is what Google's
Python library dp_accounting reads: the mechanisms and nothing else.`,
		flags: func(o *options, f *pflag.FlagSet) {
			f.StringVar(&o.format, "format", "ledger", "the `format`: ledger or dp-accounting")
			o.output(f)
		},
		words: map[string][]string{"format": {"ledger", "dp-accounting"}},
		run:   runExport,
	}
}

func (o *options) output(f *pflag.FlagSet) {
	f.StringVar(&o.out, "out", "", "a `file`, which is replaced at once or not at all (default: standard output)")
}

func runExport(ctx context.Context, e *env) error {
	write := (*budget.Account).Export
	switch e.format {
	case "ledger":
	case "dp-accounting":
		write = (*budget.Account).ExportDPAccounting
	default:
		return usagef("export: --format is %q, must be ledger or dp-accounting", e.format)
	}
	return e.withAccount(ctx, func(a *budget.Account) error {
		return e.deliver(func(w io.Writer) error { return write(a, ctx, w) })
	})
}

// deliver writes what a command makes, all or nothing.
func (e *env) deliver(write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	if e.out == "" {
		_, err := b.WriteTo(e.stdout)
		return err
	}
	if err := replaceFile(e.out, b.Bytes()); err != nil {
		return err
	}
	if e.json {
		return e.printJSON(map[string]any{"file": e.out, "bytes": b.Len()})
	}
	e.printf("wrote %s\n", e.out)
	return nil
}
