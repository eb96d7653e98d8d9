// Ledger is the privacy officer's command: it shows what a ledger holds, checks
// it, and writes the transparency statement for the people in the data. It works
// on any ledger of package budget, in a SQLite file or a PostgreSQL database:
//
//	go run ./examples/ledger show -ledger trends.db
//
// # Privacy
//
// Everything comes from the ledger, which holds what was asked, why, and at what
// price. It holds no rows and nobody's name but those of who asked and decided.
// No command draws noise, and none but init, freeze, thaw, raise and import
// writes to the ledger.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	e := &env{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, now: time.Now}
	code := e.main(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// An env is all that a command may touch.
type env struct {
	options
	args           []string // what follows the flags
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	now            func() time.Time
}

// main runs a command and returns the exit status.
func (e *env) main(ctx context.Context, args []string) int {
	err := e.dispatch(ctx, args)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	code, message := verdict(err)
	if message != "" {
		fmt.Fprintln(e.stderr, message)
	}
	return code
}

func (e *env) dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		fmt.Fprint(e.stderr, help())
		return usagef("a command is missing")
	}
	name := args[0]
	if isHelp(name) {
		return e.help(args[1:])
	}
	c := find(name)
	if c == nil {
		return usagef("%q is not a command; ledger -help lists them", name)
	}
	if err := e.parse(c, args[1:]); err != nil {
		return err
	}
	return c.run(ctx, e)
}

func (e *env) help(args []string) error {
	if len(args) == 0 {
		fmt.Fprint(e.stdout, help())
		return nil
	}
	c := find(args[0])
	if c == nil {
		return usagef("%q is not a command; ledger -help lists them", args[0])
	}
	fmt.Fprint(e.stdout, c.help())
	return nil
}

func isHelp(s string) bool { return s == "-h" || s == "-help" || s == "--help" || s == "help" }
