// Accuracy shows how far every answer is from the truth: Equipoise beside Google's
// Go library, on the same data, with the same guarantee.
//
//	go run ./examples/accuracy -quick
//	go run ./examples/accuracy -html accuracy.html -json accuracy.json
//	go run ./examples/accuracy -rows visits.csv -unit patient -group ward -value minutes -upper 240
//
// The first two use data that is made up or public. The third says what the
// accuracy of a report on a file would be, for several ε and caps.
//
// # Privacy
//
// Errors are differences from exact numbers, so this program has no privacy at all.
// Give it only rows that may be looked at: public ones, or synthetic ones that are
// like those to be reported on. Nothing is paid, since nothing is protected.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program. It returns the exit status: 0, 1 for a failure, 2 for
// flags that make no sense.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, help())
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "accuracy:", err)
		return 2
	}
	if err := o.answer(ctx, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "accuracy:", err)
		return 1
	}
	return 0
}

func (o *options) answer(ctx context.Context, stdout, stderr io.Writer) error {
	if o.Rows != "" {
		return o.forecast(ctx, stdout)
	}
	if o.Series {
		return o.series(stdout)
	}
	if o.Bounds {
		return o.bounds(ctx, stdout)
	}
	if o.Top {
		return o.tops(ctx, stdout)
	}
	if o.DataDir != "" {
		return writeData(o.DataDir, o.sizes())
	}
	results, err := o.measureAll(ctx, newProgress(stderr))
	if err != nil {
		return err
	}
	printTable(stdout, o, results)
	if err := printPeers(stdout, o, results); err != nil {
		return err
	}
	return o.writeFiles(results)
}
