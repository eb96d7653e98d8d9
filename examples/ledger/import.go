package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/equipoise-dp/equipoise/budget"
)

func importCommand() *command {
	return &command{
		name: "import", args: "FILE", short: "put an exported account into a ledger that is there; - is standard input",
		long: `
The ledger must not have the account. Everything is checked before anything is
written. An export is as old as it is: what was spent since is not in it.`,
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
	return e.withStore(ctx, func(s *store) (err error) {
		defer func() { err = errors.Join(err, in.Close()) }()
		a, err := budget.Import(ctx, s, in)
		if err != nil {
			return fmt.Errorf("%s: %w", e.args[0], err)
		}
		return e.done(ctx, a, "imported account %q", a.Terms().Dataset)
	})
}

func (e *env) input(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(e.stdin), nil
	}
	return os.Open(name)
}
