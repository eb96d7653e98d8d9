package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Options are what the flags say.
type options struct {
	Quick    bool
	Runs     int
	Epsilons numbers
	Delta    float64
	Tasks    words
	JSON     string
	HTML     string
	DataDir  string
	Bounds   bool
	Series   bool
	Top      bool // likewise, of the largest groups

	Rows         string
	Unit, Value  string
	Group, Month string
	Lower, Upper float64
	MaxGroups    numbers
	MaxRows      int
}

// numbers is a list of positive numbers, with commas between them.
type numbers []float64

func (n *numbers) String() string {
	var s []string
	for _, x := range *n {
		s = append(s, strconv.FormatFloat(x, 'g', -1, 64))
	}
	return strings.Join(s, ",")
}

func (n *numbers) Set(text string) error {
	*n = nil
	for field := range strings.SplitSeq(text, ",") {
		x, err := strconv.ParseFloat(strings.TrimSpace(field), 64)
		if err != nil || !(x > 0 && x <= 1e6) {
			return fmt.Errorf("%q is not a number above 0 and up to 1000000", field)
		}
		*n = append(*n, x)
	}
	return nil
}

type words []string

func (w *words) String() string { return strings.Join(*w, ",") }

func (w *words) Set(text string) error {
	*w = nil
	for field := range strings.SplitSeq(text, ",") {
		*w = append(*w, strings.TrimSpace(field))
	}
	return nil
}

func (o *options) flags() *flag.FlagSet {
	f := flag.NewFlagSet("accuracy", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.BoolVar(&o.Quick, "quick", false, "fewer sizes, losses and runs: under a minute")
	f.IntVar(&o.Runs, "runs", 0, "how often each answer is drawn; 0 is 200, and 20 with -quick")
	o.Epsilons = numbers{0.1, 0.5, 1, 2, 5}
	f.Var(&o.Epsilons, "epsilon", "losses, with commas between them")
	f.Float64Var(&o.Delta, "delta", 1e-6, "δ of every release")
	f.Var(&o.Tasks, "tasks", "only these tasks: "+strings.Join(taskNames(), ", "))
	f.StringVar(&o.JSON, "json", "", "write every figure to this file")
	f.StringVar(&o.HTML, "html", "", "write a page with charts to this file")
	f.StringVar(&o.DataDir, "write-data", "", "write the data sets to this folder, for peers.py, and do nothing else")
	f.BoolVar(&o.Bounds, "bounds", false, "measure what it costs to find bounds that nobody knows, and do nothing else")
	f.BoolVar(&o.Series, "series", false, "say how much noise series have, beside independent noise and other ways, and do nothing else")
	f.BoolVar(&o.Top, "top", false, "measure which share of the largest groups is found, and do nothing else")
	f.StringVar(&o.Rows, "rows", "", "say what the accuracy of a report on this CSV file would be; its rows may be looked at")
	f.StringVar(&o.Unit, "unit", "", "with -rows: the column of who is protected")
	f.StringVar(&o.Value, "value", "", "with -rows: the column of a number, or none")
	f.StringVar(&o.Group, "group", "", "with -rows: the column to group by, or none")
	f.StringVar(&o.Month, "month", "", "with -rows: group by the month of this column of dates such as 2026-01-31")
	f.Float64Var(&o.Lower, "lower", 0, "with -value: what a unit's total in a group is at least")
	f.Float64Var(&o.Upper, "upper", 0, "with -value: what it is at most")
	o.MaxGroups = numbers{1, 2, 4}
	f.Var(&o.MaxGroups, "max-groups", "with -rows: caps on the groups of a unit to try")
	f.IntVar(&o.MaxRows, "max-rows", 1, "with -rows: cap on the rows of a unit in a group")
	return f
}

// parse reads flags and reports every mistake in them.
func parse(args []string) (*options, error) {
	o := new(options)
	f := o.flags()
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if o.Quick && !given(f, "epsilon") {
		o.Epsilons = numbers{0.2, 1, 5}
	}
	if o.Runs == 0 {
		o.Runs = 200
		if o.Quick {
			o.Runs = 20
		}
	}
	return o, errors.Join(slices.Concat(o.mistakes(), o.unused(f), extra(f))...)
}

func given(f *flag.FlagSet, name string) bool {
	found := false
	f.Visit(func(g *flag.Flag) { found = found || g.Name == name })
	return found
}

// unused names flags that say something about what is not done.
func (o *options) unused(f *flag.FlagSet) []error {
	why, flags := "says something about a file; name it with -rows", []string{"unit", "value", "group", "month", "lower", "upper", "max-groups", "max-rows"}
	switch {
	case o.Rows != "":
		why, flags = "is not for -rows, which prints a table", []string{"json", "html", "tasks", "bounds", "write-data"}
	case o.Bounds || o.DataDir != "":
		why, flags = "is not for -bounds or -write-data, which do nothing else", append(flags, "json", "html", "tasks")
	}
	var errs []error
	for _, name := range flags {
		if given(f, name) {
			errs = append(errs, fmt.Errorf("-%s %s", name, why))
		}
	}
	return errs
}

func extra(f *flag.FlagSet) []error {
	if f.NArg() > 0 {
		return []error{fmt.Errorf("%q is not a flag; -rows names a file", f.Arg(0))}
	}
	return nil
}

func (o *options) mistakes() []error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.Runs < 2 || o.Runs > 1e6 {
		fail("-runs is %d, must be 2 to 1000000", o.Runs)
	}
	if !(o.Delta > 0 && o.Delta < 1) {
		fail("-delta is %v, must be above 0 and below 1", o.Delta)
	}
	for _, t := range o.Tasks {
		if !slices.Contains(taskNames(), t) {
			fail("-tasks has %q, must be of %s", t, strings.Join(taskNames(), ", "))
		}
	}
	if o.Rows != "" {
		errs = append(errs, o.rowsMistakes()...)
	}
	return errs
}

func (o *options) rowsMistakes() []error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.Unit == "" {
		fail("-rows needs -unit, the column of who is protected")
	}
	if o.Group != "" && o.Month != "" {
		fail("-group and -month are both given; a row has one group")
	}
	if o.Value != "" && !(o.Lower < o.Upper) {
		fail("-value needs -lower below -upper, which are %v and %v", o.Lower, o.Upper)
	}
	if o.MaxRows < 1 {
		fail("-max-rows is %d, must be at least 1", o.MaxRows)
	}
	for _, k := range o.MaxGroups {
		if k != float64(int(k)) {
			fail("-max-groups has %v, must be whole numbers", k)
		}
	}
	return errs
}

func (o *options) sizes() []int {
	if o.Quick {
		return []int{1000}
	}
	return []int{1000, 10000}
}

// crowdSize is how many units are in the groups of which some are shown.
func (o *options) crowdSize() int {
	if o.Quick {
		return 20_000
	}
	return 60_000
}

func (o *options) wants(task string) bool {
	return len(o.Tasks) == 0 || slices.Contains(o.Tasks, task)
}

func help() string {
	var b bytes.Buffer
	fmt.Fprint(&b, "How far every answer is from the truth, beside Google's Go library, with the same guarantee.\n\n")
	f := new(options).flags()
	f.SetOutput(&b)
	f.PrintDefaults()
	return b.String()
}

func writeFile(name string, write func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
