// Trends writes a private trend report of any CSV file: a table in the terminal
// and one HTML file. Without flags it reports on the purchase history that is
// embedded in it:
//
//	go run ./examples/trends
//
// # Privacy
//
// One customer's rows, all together, are protected; -unit and -unit-name say who
// else is. Everything in a report but the account of what is left was released by
// a plan of package aggregate, under the loss that -epsilon and -delta say. The
// flags are public, and so must be the bounds and the range in them. A line that
// cannot be read is an error that names the line and never its content; such an
// error is seen by the operator, who holds the file, and by no reader of a report.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// collectAfter is by how many percent memory grows before garbage is looked for: there is
// hardly any while rows are read, and what they take is kept until all are there.
const collectAfter = 20

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAfter)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// The exit statuses. They are documented in -help.
const (
	exitDone = iota
	exitError
	exitUsage
	exitRefused
)

// run is the program. It returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, help())
		return exitDone
	}
	if err == nil {
		err = o.answer(ctx, stdin, stdout, stderr)
	}
	code, message := verdict(err)
	if message != "" {
		fmt.Fprintln(stderr, message)
	}
	return code
}
