// Others runs engines of examples/bench that bring large libraries: Equipoise from Parquet files, and
// DuckDB. It is a module of its own, and run by examples/bench.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/equipoise-dp/equipoise/examples/bench/internal/contest"
	"github.com/equipoise-dp/equipoise/internal/sales"
)

func main() {
	rows := flag.Int("rows", 1_000_000, "how many rows there are")
	shape := flag.String("shape", sales.Busy, "how sales are spread over customers")
	name := flag.String("case", "", "the case: columns, engine and workers")
	flag.Parse()
	if err := run(context.Background(), *name, contest.Input{Rows: *rows, Shape: *shape}); err != nil {
		fmt.Fprintln(os.Stderr, "others:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name string, in contest.Input) error {
	w, err := named(name)
	if err != nil {
		return err
	}
	return contest.Measure(ctx, os.Stdout, w, in, prepare)
}

// named returns the work of a name.
func named(name string) (w contest.Work, err error) {
	parts := strings.Split(name, "/")
	if len(parts) != 3 {
		return w, fmt.Errorf("-case is %q, must be columns/engine/workers", name)
	}
	w = contest.Work{Columns: parts[0], Engine: parts[1]}
	w.Workers, err = strconv.Atoi(parts[2])
	if w.Columns != contest.Sums && w.Columns != contest.Quantiles || w.Workers < 1 || err != nil {
		return w, fmt.Errorf("-case is %q, must have the columns %q or %q, and workers from 1 on", name, contest.Sums, contest.Quantiles)
	}
	return w, nil
}

// prepare returns an engine of this module.
func prepare(w contest.Work, in contest.Input, rows []sales.Sale, dir string) (contest.Answer, error) {
	switch w.Engine {
	case "parquet":
		return fromParquet(w, in, rows, dir)
	case "duckdb":
		return inDuckDB(w, rows)
	}
	return nil, fmt.Errorf("the engine is %q, must be parquet or duckdb", w.Engine)
}
