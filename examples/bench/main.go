// Bench says what collecting and releasing cost, beside a plain Go map that protects
// nobody, Google's Go library used by hand, and DuckDB.
//
//	go run ./examples/bench -rows 1000000
//	go run ./examples/bench -rows 10000000 -engines map,ours -json bench.json
//	go run ./examples/bench -rows 100000,1000000,10000000,30000000 -engines map,ours,parquet,duckdb -chart bench.svg
//	go run ./examples/bench -rows 20000000 -shape alone -engines map,ours
//
// Rows are sales of a million customers on 1,000 days in 50 countries, or with -shape of as many customers as sales or of a
// thousand, made up before the clock runs. Every engine answers in turn, in a process of its own, with the same columns:
// count, sum and mean of each day and country, or these with a median and a 95th percentile.
//
//	map      a plain Go map of all rows, which sorts all amounts of a group for quantiles
//	ours     Equipoise, from rows in memory to a release that is paid for
//	tenth    the same with a tenth of the memory that the plan needs, or the least that does: the rest goes to a file
//	csv      Equipoise, from files of CSV, of which there is one for each worker
//	parquet  Equipoise, from Parquet files likewise
//	duckdb   DuckDB in memory, which limits what it keeps of a customer in SQL, and adds no noise
//	google   Google's library by hand
//
// The last two and ours keep of each customer ten groups and two rows in each. Engines parquet and duckdb are built from
// the module in others, with cgo, when they are asked for. What is compared is
// the time of all processors, as a multiple of that of the map in the same round, and, of several numbers of rows, of that on the
// fewest; the median of all rounds is shown.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"

	"github.com/equipoise-dp/equipoise/examples/bench/internal/contest"
	"github.com/equipoise-dp/equipoise/internal/sales"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

type options struct {
	rows           []int
	rounds         int
	engines, child string
	json, chart    string
	shape          string
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := new(options)
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	rows := flags.String("rows", "1000000", "how many rows there are; several numbers, separated by commas, show growth")
	flags.IntVar(&o.rounds, "rounds", 3, "how often every engine runs")
	flags.StringVar(&o.engines, "engines", "map,ours,tenth,csv,google", "which engines run, separated by commas; also parquet and duckdb")
	flags.StringVar(&o.shape, "shape", sales.Busy, "how sales are spread: busy, over a million customers; alone, each of another; few, over a thousand customers")
	flags.StringVar(&o.json, "json", "", "a file to write results to")
	flags.StringVar(&o.chart, "chart", "", "an SVG file to draw results in")
	flags.StringVar(&o.child, "case", "", "the one case that this process runs; for bench itself")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	for _, text := range strings.Split(*rows, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-rows has %q, must be numbers from 1 on, separated by commas", text)
		}
		o.rows = append(o.rows, n)
	}
	slices.Sort(o.rows)
	o.rows = slices.Compact(o.rows)
	if !slices.Contains(sales.Shapes, o.shape) {
		return nil, fmt.Errorf("-shape is %q, must be one of %v", o.shape, sales.Shapes)
	}
	if o.rounds < 1 || flags.NArg() > 0 {
		return nil, fmt.Errorf("-rounds is %d, must be at least 1 and followed by nothing", o.rounds)
	}
	return o, o.checkEngines()
}

func (o *options) checkEngines() error {
	for _, name := range strings.Split(o.engines, ",") {
		if !slices.ContainsFunc(cases, func(c contest.Work) bool { return c.Engine == name }) {
			return fmt.Errorf("-engines has %q, must be of map, ours, tenth, csv, parquet, duckdb and google", name)
		}
	}
	return nil
}

// asked returns the cases of the engines that are asked for.
func (o *options) asked() []contest.Work {
	return slices.DeleteFunc(slices.Clone(cases), func(c contest.Work) bool { return !slices.Contains(strings.Split(o.engines, ","), c.Engine) })
}

// run is the program. It returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 2
	}
	answer := o.compare
	if o.child != "" {
		answer = o.runCase
	}
	if err := answer(ctx, stdout); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

// runCase measures one case in this process.
func (o *options) runCase(ctx context.Context, stdout io.Writer) error {
	i := slices.IndexFunc(cases, func(c contest.Work) bool { return c.String() == o.child })
	if i < 0 || slices.Contains(others, cases[i].Engine) {
		return fmt.Errorf("there is no case %q", o.child)
	}
	return contest.Measure(ctx, stdout, cases[i], contest.Input{Rows: o.rows[0], Shape: o.shape}, prepare)
}
