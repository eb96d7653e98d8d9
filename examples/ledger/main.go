// Ledger is the privacy officer's command: it shows what a ledger holds, checks
// it, and writes the transparency statement for the people in the data. It works
// on any ledger of package budget, in a SQLite file or a PostgreSQL database:
//
//	go run ./examples/ledger show --ledger trends.db
//
// # Privacy
//
// Everything comes from the ledger, which holds what was asked, why, and at what
// price. It holds no rows and nobody's name but those of who asked and decided.
// No command draws noise, and none but init, freeze, thaw, raise, policy, outside, incident
// with --freeze, and import writes to the ledger.
package main

import (
	"context"
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
	ran            bool     // the command line was understood
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	now            func() time.Time
}

// main runs a command and returns the exit status.
func (e *env) main(ctx context.Context, args []string) int {
	root := e.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if !e.ran {
		err = usageError{err}
	}
	code, message := verdict(err)
	if message != "" {
		fmt.Fprintln(e.stderr, message)
	}
	return code
}
