// Mutants changes single lines of the library and asks whether a test notices.
//
//	go run ./internal/mutants -n 500 -seed 1 ./dp/... ./aggregate/... ./internal/...
//
// A mutant is one small change: a comparison that lets equality in or out, a
// condition negated, an operator or a constant another one, a statement dropped,
// an error not returned, an argument 0 or nil. Nothing in the working tree is
// written: changed files are given to the go command as an overlay. All mutants
// are in one build of a package's tests, and a variable of the environment says
// which of them it is; only those of constants and variables of a package are
// built one by one.
//
// The tests that reach the changed line, found by running every test by itself
// for its coverage (and remembered, in the user's cache directory, until their
// program changes), run until one fails: those of the package first, quick ones
// before slow ones, then those of packages that depend on it. A mutant that none
// of them kills lives. It is printed, unless it stands in equivalent.txt with a
// reason. The exit status is 1 if of the others a smaller share died than -least
// says. The same seed chooses the same mutants of the same code, and a larger -n
// more of them.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"time"
)

// Options are what the flags say.
type options struct {
	n        int
	least    float64
	seed     int64
	workers  int
	slowest  time.Duration
	list     bool
	only     string
	without  string
	patterns []string
}

func main() {
	var o options
	flag.IntVar(&o.n, "n", 100, "how many mutants to try, of those that compile")
	flag.Float64Var(&o.least, "least", 1, "which share of them must die, without those that are known to be equivalent")
	flag.Int64Var(&o.seed, "seed", 1, "which mutants are chosen")
	flag.IntVar(&o.workers, "p", 2, "how many to try at a time")
	flag.DurationVar(&o.slowest, "slowest", time.Minute, "leave out tests that take the processor longer than this")
	flag.BoolVar(&o.list, "list", false, "print the chosen mutants and stop; they may not compile")
	flag.StringVar(&o.without, "without", "budget/postgres", "leave out the tests of packages whose path this regular `expression` matches;\nthose of stores on a server start one each")
	flag.StringVar(&o.only, "file", "", "only mutants of files whose path has this in it")
	flag.Parse()
	o.patterns = flag.Args()
	if len(o.patterns) == 0 {
		o.patterns = []string{"./dp", "./aggregate", "./internal/..."}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	share, err := o.run(ctx, os.Stdout)
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(2)
	case share < o.least:
		os.Exit(1)
	}
}

// run returns the share of mutants that died, without those that are known to be
// equivalent.
func (o options) run(ctx context.Context, out io.Writer) (died float64, err error) {
	m, err := loadModule(ctx)
	if err != nil {
		return 0, err
	}
	targets, err := m.match(ctx, o.patterns)
	if err != nil {
		return 0, err
	}
	all, err := sitesOf(m, targets)
	if err != nil {
		return 0, err
	}
	known, err := readEquivalent(equivalentText)
	if err != nil {
		return 0, err
	}
	chosen := shuffled(all, o.seed, o.only)
	if o.list {
		for _, s := range chosen[:min(o.n, len(chosen))] {
			fmt.Fprintln(out, s)
		}
		return 1, nil
	}
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	without, err := regexp.Compile(o.without)
	if err != nil {
		return 0, fmt.Errorf("-without: %w", err)
	}
	h := &hunt{module: m, dir: dir, slowest: o.slowest, without: without, out: out}
	fmt.Fprintf(out, "%d mutants in %d packages; measuring what each test reaches\n", len(all), len(targets))
	if err := h.survey(ctx, targets, o.workers); err != nil {
		return 0, err
	}
	c, err := newChecker(ctx, m, targets)
	if err != nil {
		return 0, err
	}
	if chosen, err = c.compiling(ctx, chosen, o.n); err != nil {
		return 0, err
	}
	results, err := h.tryAll(ctx, chosen, o.workers)
	if err != nil {
		return 0, err
	}
	lived, excused := report(out, results, known)
	return 1 - float64(lived)/float64(max(len(results)-excused, 1)), nil
}
