package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"github.com/equipoise-dp/equipoise/budget"
)

func importCommand() *command {
	return &command{
		name: "import", args: "FILE", short: "put an exported account into a ledger, which is made if there is none; - is standard input",
		long: `
The ledger must not have the account. Everything is checked before anything is
written; give --anchor, as verify printed it where the export was made, so that also
the last entry is. An export is as old as it is: what was spent since is not in it.`,
		flags: func(o *options, f *pflag.FlagSet) {
			f.Var(&o.anchors, "anchor", "an `anchor` that the export must have; once for each")
		},
		run: runImport,
	}
}

func runImport(ctx context.Context, e *env) error {
	if len(e.args) != 1 {
		return usagef("import: a file is missing, or there are several; - is standard input")
	}
	in, err := e.input(e.args[0])
	if err != nil {
		return err
	}
	if err := e.tryImport(ctx, in); err != nil { // before a ledger is made
		return fmt.Errorf("%s: %w", e.args[0], err)
	}
	s, err := openOrCreate(ctx, e.ledger)
	if err != nil {
		return err
	}
	return s.use(func(s *store) error {
		a, err := budget.Import(ctx, s, bytes.NewReader(in))
		if err != nil {
			return fmt.Errorf("%s: %w", e.args[0], err)
		}
		return e.done(ctx, a, "imported account %q", a.Terms().Dataset)
	})
}

// tryImport imports into memory and verifies that.
func (e *env) tryImport(ctx context.Context, in []byte) error {
	a, err := budget.Import(ctx, budget.Memory(), bytes.NewReader(in))
	if err != nil {
		return err
	}
	_, err = a.Verify(ctx, e.anchors...)
	return err
}

func (e *env) input(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(e.stdin)
	}
	return os.ReadFile(name)
}
