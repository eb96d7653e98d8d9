// Bench says what collecting and releasing cost, beside a plain Go map that protects
// nobody and beside Google's Go library used by hand.
//
//	go run ./examples/bench -rows 1000000
//	go run ./examples/bench -rows 10000000 -engines map,ours -json bench.json
//
// Rows are sales of a million customers on 1,000 days in 50 countries, made up before the
// clock runs; the engine csv reads them from files of CSV, of which there is one for each worker, and tenth has a tenth of the memory that its
// plan needs, or the least that does, and writes the rest to a file. Every engine answers in turn, in a process of its own, with the same columns:
// count, sum and mean of each day and country, or these with a median and a 95th percentile.
// The private ones keep of each customer ten groups and two rows in each. What is compared is
// the time of all processors, as a multiple of that of the map in the same round; the
// median of all rounds is shown.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"text/tabwriter"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// A result is one engine on one workload.
type result struct {
	Engine  string  `json:"engine"`
	Columns string  `json:"columns"`
	Rows    int     `json:"rows"`
	Workers int     `json:"workers"`
	Wall    float64 `json:"wall_s"`
	CPU     float64 `json:"cpu_ns_row"`
	Speed   float64 `json:"rows_s"`
	Peak    int64   `json:"peak_rss_bytes"` // above that of the rows
	Ratio   float64 `json:"ratio"`          // of CPU, to the map of the same columns
}

type options struct {
	rows, rounds   int
	engines, child string
	json           string
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := new(options)
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.rows, "rows", 1_000_000, "how many rows there are")
	flags.IntVar(&o.rounds, "rounds", 3, "how often every engine runs")
	flags.StringVar(&o.engines, "engines", "map,ours,tenth,csv,google", "which engines run, separated by commas")
	flags.StringVar(&o.json, "json", "", "a file to write results to")
	flags.StringVar(&o.child, "case", "", "the one case that this process runs; for bench itself")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if o.rows < 1 || o.rounds < 1 || flags.NArg() > 0 {
		return nil, fmt.Errorf("-rows is %d and -rounds is %d, must be at least 1 and followed by nothing", o.rows, o.rounds)
	}
	for _, name := range strings.Split(o.engines, ",") {
		if !slices.ContainsFunc(cases, func(c work) bool { return c.engine == name }) {
			return nil, fmt.Errorf("-engines has %q, must be of map, ours, tenth, csv and google", name)
		}
	}
	return o, nil
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

// compare runs all cases in turn, and prints and writes the medians.
func (o *options) compare(ctx context.Context, stdout io.Writer) error {
	rounds := make(map[string][]result)
	for range o.rounds {
		plain := make(map[string]float64) // of the map, in this round
		for _, c := range cases {
			if !slices.Contains(strings.Split(o.engines, ","), c.engine) {
				continue
			}
			r, err := o.runAlone(ctx, c)
			if err != nil {
				return fmt.Errorf("%s: %w", c, err)
			}
			if c.engine == "map" {
				plain[c.columns] = r.CPU
			}
			if plain[c.columns] > 0 {
				r.Ratio = r.CPU / plain[c.columns]
			}
			rounds[c.String()] = append(rounds[c.String()], r)
		}
	}
	var medians []result
	for _, c := range cases {
		if of := rounds[c.String()]; len(of) > 0 {
			medians = append(medians, median(of))
		}
	}
	if err := o.write(medians); err != nil {
		return err
	}
	return print(stdout, medians)
}

// runAlone runs a case in a process of its own.
func (o *options) runAlone(ctx context.Context, c work) (r result, err error) {
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, self, "-case", c.String(), "-rows", fmt.Sprint(o.rows))
	cmd.Env = append(os.Environ(), childMark+"=1", fmt.Sprintf("GOMAXPROCS=%d", c.workers))
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(text, &r)
}

// childMark is set in the environment of processes that run one case.
const childMark = "EQUIPOISE_BENCH_CASE"

// median returns the median of every number.
func median(of []result) result {
	m := of[0]
	for _, field := range []func(*result) *float64{
		func(r *result) *float64 { return &r.Wall }, func(r *result) *float64 { return &r.CPU },
		func(r *result) *float64 { return &r.Speed }, func(r *result) *float64 { return &r.Ratio },
	} {
		var xs []float64
		for i := range of {
			xs = append(xs, *field(&of[i]))
		}
		slices.Sort(xs)
		*field(&m) = xs[len(xs)/2]
	}
	var peaks []int64
	for _, r := range of {
		peaks = append(peaks, r.Peak)
	}
	slices.Sort(peaks)
	m.Peak = peaks[len(peaks)/2]
	return m
}

func (o *options) write(all []result) error {
	if o.json == "" {
		return nil
	}
	text, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(o.json, append(text, '\n'), 0o644)
}

func print(to io.Writer, all []result) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "columns\tengine\tworkers\trows\tCPU ns/row\t× map\twall s\trows/s\tMB above rows\t")
	for _, r := range all {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%.0f\t%.2f\t%.2f\t%.0f\t%.0f\t\n", r.Columns, r.Engine, r.Workers, r.Rows, r.CPU, r.Ratio, r.Wall, r.Speed, float64(r.Peak)/1e6)
	}
	return w.Flush()
}
