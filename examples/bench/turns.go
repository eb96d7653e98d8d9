package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/equipoise-dp/equipoise/examples/bench/internal/contest"
)

// compare runs all cases in turn, and prints, writes and draws the medians.
func (o *options) compare(ctx context.Context, stdout io.Writer) error {
	programs, err := programs(ctx, o.asked())
	if err != nil {
		return err
	}
	defer programs.remove()
	var medians []contest.Result
	for _, rows := range o.rows {
		of, err := o.turns(ctx, programs, rows)
		if err != nil {
			return err
		}
		medians = append(medians, of...)
	}
	grown(medians)
	slices.SortStableFunc(medians, func(a, b contest.Result) int { return cmp.Compare(a.Columns, b.Columns) })
	if err := o.write(medians); err != nil {
		return err
	}
	return print(stdout, medians)
}

// turns returns the median of each case, for so many rows.
func (o *options) turns(ctx context.Context, in module, rows int) (medians []contest.Result, err error) {
	rounds := make([][]contest.Result, len(o.asked()))
	for range o.rounds {
		plain := make(map[string]float64) // of the map, in this round
		for i, c := range o.asked() {
			r, err := runAlone(ctx, in.program(c), c, contest.Input{Rows: rows, Shape: o.shape})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c, err)
			}
			if c.Engine == "map" {
				plain[c.Columns] = r.CPU
			}
			if plain[c.Columns] > 0 {
				r.Ratio = r.CPU / plain[c.Columns]
			}
			rounds[i] = append(rounds[i], r)
		}
	}
	for _, of := range rounds {
		medians = append(medians, median(of))
	}
	return medians, nil
}

// grown says of each result how many times the processors need for a row what they need where rows are fewest.
func grown(all []contest.Result) {
	first := make(map[contest.Work]float64)
	for i := range all {
		r := &all[i]
		of := contest.Work{Columns: r.Columns, Engine: r.Engine, Workers: r.Workers}
		if first[of] == 0 {
			first[of] = r.CPU
		}
		r.Growth = r.CPU / first[of]
	}
}

// runAlone runs a case in a process of its own.
func runAlone(ctx context.Context, program string, c contest.Work, in contest.Input) (r contest.Result, err error) {
	cmd := exec.CommandContext(ctx, program, "-case", c.String(), "-rows", fmt.Sprint(in.Rows), "-shape", in.Shape)
	cmd.Env = append(os.Environ(), childMark+"=1", fmt.Sprintf("GOMAXPROCS=%d", c.Workers))
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
func median(of []contest.Result) contest.Result {
	m := of[0]
	for _, field := range []func(*contest.Result) *float64{
		func(r *contest.Result) *float64 { return &r.Wall }, func(r *contest.Result) *float64 { return &r.CPU },
		func(r *contest.Result) *float64 { return &r.Speed }, func(r *contest.Result) *float64 { return &r.Ratio },
	} {
		*field(&m) = middle(of, func(r *contest.Result) float64 { return *field(r) })
	}
	m.Peak = middle(of, func(r *contest.Result) int64 { return r.Peak })
	return m
}

func middle[N cmp.Ordered](of []contest.Result, read func(*contest.Result) N) N {
	var all []N
	for i := range of {
		all = append(all, read(&of[i]))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// write writes the files that are asked for.
func (o *options) write(all []contest.Result) error {
	if o.chart != "" {
		if err := os.WriteFile(o.chart, []byte(chart(all)), 0o644); err != nil {
			return err
		}
	}
	if o.json == "" {
		return nil
	}
	text, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(o.json, append(text, '\n'), 0o644)
}

func print(to io.Writer, all []contest.Result) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "columns\tengine\tworkers\trows\tCPU ns/row\t× map\t× fewest rows\twall s\trows/s\tMB above input\t")
	for _, r := range all {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%.0f\t%.2f\t%.2f\t%.2f\t%.0f\t%.0f\t\n", r.Columns, r.Engine, r.Workers, r.Rows, r.CPU, r.Ratio, r.Growth, r.Wall, r.Speed, float64(r.Peak)/1e6)
	}
	return w.Flush()
}

// A module is the programs that run cases: this one, and one of others.
type module struct{ self, folder string }

// programs builds what cases need.
func programs(ctx context.Context, of []contest.Work) (m module, err error) {
	if m.self, err = os.Executable(); err != nil || !slices.ContainsFunc(of, isOther) {
		return m, err
	}
	if m.folder, err = os.MkdirTemp("", "bench"); err != nil {
		return m, err
	}
	if err = build(ctx, m.other()); err != nil {
		m.remove()
	}
	return m, err
}

func isOther(c contest.Work) bool { return slices.Contains(others, c.Engine) }

func (m module) other() string { return filepath.Join(m.folder, "others") }

func (m module) program(c contest.Work) string {
	if isOther(c) {
		return m.other()
	}
	return m.self
}

func (m module) remove() {
	if m.folder != "" {
		os.RemoveAll(m.folder)
	}
}

// build builds the module in others, which is found from any folder of the repository.
func build(ctx context.Context, program string) error {
	bench, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "github.com/equipoise-dp/equipoise/examples/bench").Output()
	if err != nil {
		return fmt.Errorf("looking for examples/bench/others, which has the engines %v; run bench in the repository: %w", others, err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-C", filepath.Join(string(bench[:len(bench)-1]), "others"), "-o", program, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building examples/bench/others, which has the engines %v and needs a C++ compiler: %w", others, err)
	}
	return nil
}
