// Service answers questions about purchases over HTTP, from one account that refuses: a
// service to start from. docs/service.md leads from here to production.
//
//	go run ./examples/service
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
)

// options are what the command line says.
type options struct {
	address, ledger, data, tokens, policy, anchors string
	from, to                                       string
	tick, nightly                                  time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "service:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to be stopped
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == "token" {
		return newToken(args[1:], stdout, stderr)
	}
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(stderr, nil))
	s, err := open(ctx, o, log)
	if err != nil {
		return err
	}
	return errors.Join(s.serve(ctx, o.address, stdout), s.close())
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("service", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.address, "address", "localhost:8080", "where to listen; other computers reach it only with -tokens")
	f.StringVar(&o.ledger, "ledger", "service.db", "the ledger: a `file`, or a postgres:// address for several instances")
	f.StringVar(&o.data, "data", "", "a CSV `file` with the columns customer, date, cds and dollars (default: the purchases of CDNOW)")
	f.StringVar(&o.from, "from", "1997-01", "the first `month` of the data")
	f.StringVar(&o.to, "to", "1998-06", "the last `month` of the data, which may be to come")
	f.StringVar(&o.tokens, "tokens", "", "a `file` of who may ask what, which \"service token\" writes (default: tokens for a try, gone at the end)")
	f.StringVar(&o.policy, "policy", "", "a `file` with the policy of a new ledger (default: the one of the example); that of an old one is changed by \"ledger policy\"")
	f.StringVar(&o.anchors, "anchors", "", "a `file` of anchors, on another disk than the ledger: an older copy of the ledger is refused then")
	f.DurationVar(&o.tick, "tick", 10*time.Second, "results appear at multiples of this time")
	f.DurationVar(&o.nightly, "nightly", 3*time.Hour, "when the series advances and the ledger is verified, after midnight UTC")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	return o, errors.Join(noMore(f), o.check())
}

func noMore(f *flag.FlagSet) error {
	if f.NArg() > 0 {
		return fmt.Errorf("%q is no flag; see -help", f.Arg(0))
	}
	return nil
}

// check returns all mistakes of the command line.
func (o *options) check() error {
	var errs []error
	if o.tick < time.Second || o.tick > time.Hour {
		errs = append(errs, fmt.Errorf("-tick is %v, must be between 1s and 1h", o.tick))
	}
	if o.nightly < 0 || o.nightly >= day {
		errs = append(errs, fmt.Errorf("-nightly is %v, must be from 0s to less than 24h", o.nightly))
	}
	if _, err := o.months(); err != nil {
		errs = append(errs, err)
	}
	if o.tokens == "" && !isLocal(o.address) {
		errs = append(errs, fmt.Errorf("-address is %q, which other computers reach; give -tokens, since the tokens for a try are printed", o.address))
	}
	return errors.Join(errs...)
}

const day = 24 * time.Hour

// months are the names of the months of the data, which are public.
func (o *options) months() ([]string, error) {
	from, err1 := aggregate.Month.Parse(o.from)
	to, err2 := aggregate.Month.Parse(o.to)
	if err1 != nil || err2 != nil || to.Before(from) || to.Sub(from) > 50*366*day {
		return nil, fmt.Errorf("-from is %q and -to is %q, must be months such as 1997-01, the first not after the last, and at most 50 years", o.from, o.to)
	}
	return aggregate.Month.Names(from, to), nil
}
