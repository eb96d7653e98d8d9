package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// printTable prints, for each task, the ratio of our error to the peer's: the
// geometric mean over the data sets.
func printTable(w io.Writer, o *options, results []result) {
	fmt.Fprintf(w, "Error of Equipoise as a share of that of Google's Go library v2.1.0 with the better of its two noises,\n"+
		"at the same ε and δ = %v: the geometric mean over the data sets, %d runs of each. Below 1 is more accurate.\n"+
		"Of groups that are shown it is how many more: above 1 is better.\n\n", o.Delta, o.Runs)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	o.printRatios(t, results)
	t.Flush()
	for _, l := range lines(results) {
		if why := l.above(); why != "" {
			fmt.Fprintf(w, "\n%s, n = %d: more than 97.5 %% cover, since: %s", l.Task, l.N, why)
		}
	}
	fmt.Fprintln(w)
	for _, r := range results {
		if r.Refuted {
			fmt.Fprintf(w, "\n%s of %s, n = %d, ε = %v: %.1f %% of %d intervals cover, which refutes 95 %%\n", r.Task, r.Data, r.N, r.Epsilon, 100**r.Coverage, r.Intervals)
		}
	}
}

// printRatios prints a line for each task, size and cap.
func (o *options) printRatios(t io.Writer, results []result) {
	fmt.Fprint(t, "task\tn\tgroups of a unit\t")
	for _, e := range o.Epsilons {
		fmt.Fprintf(t, "ε = %v\t", e)
	}
	fmt.Fprintln(t, "95 % intervals that cover\t")
	for _, line := range lines(results) {
		fmt.Fprintf(t, "%s\t%d\t%d\t", line.Task, line.N, line.L0)
		for _, e := range o.Epsilons {
			fmt.Fprintf(t, "%s\t", line.ratio(e))
		}
		fmt.Fprintf(t, "%s\t\n", line.coverage())
	}
}

// A line is what the table says of one task, size and cap.
type line struct {
	Task  string
	N, L0 int
	of    []result
}

// lines gathers results that stand on one line, in their order.
func lines(results []result) []*line {
	var list []*line
	index := map[place]*line{}
	for _, r := range results {
		k := place{r.Task, r.N, r.L0}
		if index[k] == nil {
			index[k] = &line{Task: r.Task, N: r.N, L0: r.L0}
			list = append(list, index[k])
		}
		index[k].of = append(index[k].of, r)
	}
	return list
}

type place struct {
	task  string
	n, l0 int
}

// ratio is the mean over the data sets at an ε, as text.
func (l *line) ratio(epsilon float64) string {
	var at []result
	for _, r := range l.of {
		if r.Epsilon == epsilon {
			at = append(at, r)
		}
	}
	if len(at) == 0 {
		return "–"
	}
	return strconv.FormatFloat(geometric(at, func(r result) float64 { return r.Ratio }), 'f', 2, 64)
}

// share is how many of all intervals of the line contain the truth; there may be none.
func (l *line) share() (share float64, ok bool) {
	covered, all := 0.0, 0
	for _, r := range l.of {
		if r.Coverage != nil {
			covered, all = covered+*r.Coverage*float64(r.Intervals), all+r.Intervals
		}
	}
	return covered / float64(max(all, 1)), all > 0
}

// coverage is over all data sets and ε.
func (l *line) coverage() string {
	share, ok := l.share()
	if !ok {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*share)
}

// above names why more than 97.5 % of the intervals of a line contain the truth, or those of some
// result if that is no chance.
func (l *line) above() string {
	var reasons []string
	if unsaid(l.of) {
		reasons = append(reasons, "nothing that is known")
	}
	share, _ := l.share()
	for _, r := range l.of {
		if r.Above != "" && (r.Wide || share > 0.975 && *r.Coverage > 0.975) {
			reasons = append(reasons, strings.Split(r.Above, ", ")...)
		}
	}
	slices.Sort(reasons)
	return strings.Join(slices.Compact(reasons), ", ")
}

func (o *options) writeFiles(results []result) error {
	err := writeFile(o.JSON, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(results)
	})
	if err != nil {
		return err
	}
	return writeFile(o.HTML, func(w io.Writer) error { return writePage(w, o, results) })
}
