package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// Options are what the flags say, checked.
type options struct {
	Input, Dataset, Unit, UnitName, RowName string
	Time, TimeLayout                        string
	Value, ValueName, Currency              string
	By                                      string
	Groups                                  []string
	Period                                  calendar
	From, To                                string
	Epsilon, Delta, Limit, LimitDelta       float64
	MaxSlots, MaxRows                       int
	Lower, Upper, Step                      float64
	Ledger, Purpose, Key                    string
	Out, CSV, JSON                          string
	Plan, Truth                             bool

	given   map[string]bool // flags that were on the command line
	periods []string        // the public range, or nil
}

// maxCells is how many cells a report has at most.
const maxCells = 10_000

func (o *options) flags() *flag.FlagSet {
	f := flag.NewFlagSet("trends", flag.ContinueOnError)
	f.SetOutput(io.Discard)

	f.StringVar(&o.Input, "input", "", "a CSV `file` with a header, compressed if it ends in .gz; - is standard input\n(default: the embedded purchases of the music shop CDNOW, 1997 to 1998)")
	f.StringVar(&o.Unit, "unit", "customer", "the `column` that says whose row it is: all rows of one unit are protected together")
	f.StringVar(&o.Time, "time", "date", "the `column` that says when it was")
	f.StringVar(&o.TimeLayout, "time-layout", "", "how times are written, as `layout` of Go's package time, such as 01/02/2006\n(default: 2006-01-31, 20060131, 2006/01/31, 31.01.2006, with or without time of day, RFC 3339)")
	f.StringVar(&o.Value, "value", "", "the `column` of amounts; without one, only units and rows are reported\n(default for the embedded data: dollars)")
	f.StringVar(&o.By, "by", "", "a `column` to group by, beside the period")
	f.Func("groups", "the groups of -by to report, as `a,b,c`, if they are public; without them they are\nselected privately", o.setGroups)
	f.StringVar((*string)(&o.Period), "period", string(months), "`day`, week (from Monday), month or quarter")
	f.StringVar(&o.From, "from", "", "the first period to report, as a `date` in it; with -to, every period of the range\nis reported. Without them, periods are selected privately")
	f.StringVar(&o.To, "to", "", "the last period to report, as a `date` in it")

	f.Float64Var(&o.Epsilon, "epsilon", 1, "the loss ε of this report: smaller protects more and is noisier")
	f.Float64Var(&o.Delta, "delta", 1e-6, "the loss δ of this report; 0 is pure ε, with much more noise")
	f.IntVar(&o.MaxSlots, "max-periods", 18, "in how many periods (times groups) one unit counts; of a unit with more, so many are\nchosen at random")
	f.IntVar(&o.MaxRows, "max-rows", 5, "how many rows of one unit count in one period")
	f.Float64Var(&o.Lower, "lower", 0, "the least total value of one unit in one period; what is below counts as this")
	f.Float64Var(&o.Upper, "upper", 0, "the largest total value of one unit in one period; what is above counts as this.\nIt must be known without looking at the rows (default for the embedded data: 250 in a month)")

	f.Float64Var(&o.Step, "step", 0, "the grid that totals of one unit are rounded to: a coarser one makes quantiles less noisy\n(default: about a 250th of the way from -lower to -upper)")

	f.Float64Var(&o.Limit, "limit", 3, "the ε that all reports under one ledger may cost together, for a new ledger")
	f.Float64Var(&o.LimitDelta, "limit-delta", 0, "the δ that they may cost together, for a new ledger (default: -delta × -limit / -epsilon)")
	f.StringVar(&o.Ledger, "ledger", "trends.db", "the `file` that keeps account; it is created if it is missing")
	f.StringVar(&o.Purpose, "purpose", "trend report", "why it is asked, for the ledger")
	f.StringVar(&o.Key, "key", "", "the `name` of this request: under the same name the same report is shown again,\nat no cost (default: made from the question and the name of the input)")

	f.StringVar(&o.Out, "out", "trends.html", "the `file` for the report; empty for none")
	f.StringVar(&o.CSV, "csv", "", "a `file` for the numbers as CSV")
	f.StringVar(&o.JSON, "json", "", "a `file` for everything as JSON")
	f.BoolVar(&o.Plan, "plan", false, "print the price list and stop: reads no rows, spends nothing")
	f.BoolVar(&o.Truth, "truth", false, "also show the exact values; only for the embedded data, which is public")

	f.StringVar(&o.Dataset, "dataset", "", "the `name` of the dataset in the ledger (default: the name of the input)")
	f.StringVar(&o.UnitName, "unit-name", "customer", "what a unit is, in a `word`")
	f.StringVar(&o.RowName, "row-name", "purchase", "what a row is, in a `word`")
	f.StringVar(&o.ValueName, "value-name", "revenue", "what the total value is, in a `word`")
	f.StringVar(&o.Currency, "currency", "", "a `sign` before amounts (default for the embedded data: $)")
	return f
}

// setGroups reads -groups. A field of CSV may hold spaces around it, and so may
// a group here.
func (o *options) setGroups(list string) error {
	o.Groups = nil
	for g := range strings.SplitSeq(list, ",") {
		o.Groups = append(o.Groups, strings.TrimSpace(g))
	}
	return nil
}

// parse reads and checks the flags. Every mistake is reported, joined.
func parse(args []string) (*options, error) {
	o := &options{given: make(map[string]bool)}
	f := o.flags()
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, err
		}
		return nil, usage{fmt.Errorf("%w; -help lists all flags", err)}
	}
	if f.NArg() > 0 {
		return nil, usage{fmt.Errorf("argument %q is not a flag; an input is given as -input %s", f.Arg(0), f.Arg(0))}
	}
	f.Visit(func(g *flag.Flag) { o.given[g.Name] = true })
	o.fill()
	if err := o.check(); err != nil {
		return nil, usage{err}
	}
	return o, nil
}

func (o *options) embedded() bool { return o.Input == "" }

// fill sets what depends on the input.
func (o *options) fill() {
	fallback := func(name string, field *string, value string) {
		if !o.given[name] {
			*field = value
		}
	}
	if o.embedded() {
		fallback("value", &o.Value, "dollars")
		fallback("currency", &o.Currency, "$")
		if !o.given["upper"] {
			o.Upper = map[calendar]float64{days: 150, weeks: 200, months: 250, quarters: 500}[o.Period]
		}
		if !o.given["max-rows"] && o.Period == quarters {
			o.MaxRows = 10
		}
		if !o.given["from"] && !o.given["to"] {
			o.From, o.To = "1997-01-01", "1998-06-30"
		}
	}
	if !o.given["step"] && o.Upper > o.Lower {
		o.Step = stepFor(o.Upper - o.Lower)
	}
	fallback("dataset", &o.Dataset, datasetOf(o.Input))
	if !o.given["limit-delta"] && o.Epsilon > 0 {
		o.LimitDelta = round(o.Delta * o.Limit / o.Epsilon)
	}
}

// stepFor returns 1, 2 or 5 times a power of ten, so that a value of this width
// has at most 255 steps: four levels of a tree with four branches, in which a
// quantile is found with half the noise that a grid of cents would have.
func stepFor(width float64) float64 {
	power := math.Pow10(int(math.Floor(math.Log10(width / 255))))
	for _, m := range []float64{1, 2, 5} {
		if width/(m*power) <= 255 {
			return round(m * power)
		}
	}
	return round(10 * power)
}

// datasetOf names the dataset of an input by its file.
func datasetOf(input string) string {
	switch input {
	case "":
		return "cdnow"
	case "-":
		return "stdin"
	}
	base := filepath.Base(input)
	name, _, _ := strings.Cut(base, ".")
	if name == "" {
		return base
	}
	return name
}

// round returns x as a decimal of at most 12 digits, so that three times 1e-6 is
// 3e-6.
func round(x float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 12, 64), 64)
	return r
}

// inputName is how errors and reports call the input.
func (o *options) inputName() string {
	switch o.Input {
	case "":
		return "the embedded data"
	case "-":
		return "standard input"
	}
	return o.Input
}

// A columnFlag is a flag that names a column of the input.
type columnFlag struct{ flag, name string }

func (o *options) columns() []columnFlag {
	all := []columnFlag{{"-unit", o.Unit}, {"-time", o.Time}, {"-value", o.Value}, {"-by", o.By}}
	return slices.DeleteFunc(all, func(c columnFlag) bool {
		return c.name == "" && (c.flag == "-value" || c.flag == "-by")
	})
}

func (o *options) columnNames() []string {
	var names []string
	for _, c := range o.columns() {
		names = append(names, c.name)
	}
	return names
}

func (o *options) column(flag string) string {
	i := slices.IndexFunc(o.columns(), func(c columnFlag) bool { return c.flag == flag })
	return o.columns()[i].name
}

// selects reports whether the cells of the report are selected privately.
func (o *options) selects() bool { return o.periods == nil || o.By != "" && o.Groups == nil }

// loss returns what the report may reveal.
func (o *options) loss() dp.Loss { return lossOf(o.Epsilon, o.Delta) }

// limit returns what a new ledger may reveal in all.
func (o *options) limit() dp.Loss { return lossOf(o.Limit, o.LimitDelta) }

func lossOf(epsilon, delta float64) dp.Loss {
	if delta == 0 {
		return dp.Pure{Epsilon: epsilon}
	}
	return dp.Approx{Epsilon: epsilon, Delta: delta}
}

func (o *options) check() error {
	return errors.Join(o.checkLoss(), o.checkRange(), o.checkBounds(), o.checkWords(), o.checkFiles())
}

// checkLoss checks numbers so that NaN fails.
func (o *options) checkLoss() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	positive := func(flag string, x float64) bool {
		ok := x > 0 && !math.IsInf(x, 1)
		if !ok {
			fail("%s is %v, must be positive and finite, such as 1", flag, x)
		}
		return ok
	}
	positive("-epsilon", o.Epsilon)
	if !(o.Delta >= 0 && o.Delta < 1) {
		fail("-delta is %v, must be at least 0 and below 1; 1e-6 is usual, far below one in the number of units", o.Delta)
	}
	if errs == nil && positive("-limit", o.Limit) && (o.given["limit"] || o.given["limit-delta"]) {
		errs = append(errs, o.checkLimit())
	}
	return errors.Join(errs...)
}

// checkLimit checks that a new ledger can pay for the report.
func (o *options) checkLimit() error {
	switch {
	case o.Limit < o.Epsilon:
		return fmt.Errorf("-limit is %v, must be at least -epsilon, which is %v; raise the one or lower the other", o.Limit, o.Epsilon)
	case !(o.LimitDelta >= o.Delta && o.LimitDelta < 1):
		return fmt.Errorf("-limit-delta is %v, must be at least -delta, which is %v, and below 1", o.LimitDelta, o.Delta)
	}
	return nil
}

// checkRange checks the calendar and lists the periods of the public range.
func (o *options) checkRange() error {
	if err := o.Period.check(); err != nil {
		return err
	}
	if (o.From == "") != (o.To == "") {
		return errors.New("-from and -to must be given together, or neither, to select periods privately")
	}
	if o.From != "" {
		if err := o.listPeriods(); err != nil {
			return err
		}
	}
	switch {
	case o.Groups != nil && o.By == "":
		return errors.New("-groups needs -by, the column that they are in")
	case o.Groups != nil && o.periods == nil:
		return errors.New("-groups needs -from and -to; without them, groups are selected privately together with periods")
	case o.selects() && o.Delta == 0:
		return errors.New("-delta is 0, but what is reported is to be selected privately, which needs a delta; give -from and -to, with -by also -groups")
	case len(o.periods)*max(len(o.Groups), 1) > maxCells:
		return fmt.Errorf("-groups times periods is %d cells, must be at most %d; choose a longer -period", len(o.periods)*len(o.Groups), maxCells)
	}
	return nil
}

func (o *options) listPeriods() error {
	from, errFrom := o.Period.parse(o.From)
	if errFrom != nil {
		errFrom = fmt.Errorf("-from: %w", errFrom)
	}
	to, errTo := o.Period.parse(o.To)
	if errTo != nil {
		errTo = fmt.Errorf("-to: %w", errTo)
	}
	if err := errors.Join(errFrom, errTo); err != nil {
		return err
	}
	if to.Before(from) {
		return fmt.Errorf("-to is %s, must not be before -from, which is %s", o.To, o.From)
	}
	if o.periods = o.Period.between(from, to, maxCells); o.periods == nil {
		return fmt.Errorf("-from and -to span more than %d periods; choose a longer -period", maxCells)
	}
	return nil
}

func (o *options) checkBounds() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.MaxSlots < 1 {
		fail("-max-periods is %d, must be at least 1", o.MaxSlots)
	}
	if o.MaxRows < 1 || o.MaxRows > maxRowsRead {
		fail("-max-rows is %d, must be from 1 to %d", o.MaxRows, maxRowsRead)
	}
	switch finite := !math.IsNaN(o.Lower+o.Upper) && !math.IsInf(o.Lower, 0) && !math.IsInf(o.Upper, 0); {
	case o.Value == "":
	case !o.embedded() && !o.given["upper"]:
		fail("-upper is missing; with -value, say the largest total value of one %s in one %s that shall count, from what is known without looking at the rows", o.UnitName, o.Period)
	case !finite || !(o.Lower < o.Upper):
		fail("-lower is %v and -upper is %v, must be finite and -lower below -upper", o.Lower, o.Upper)
	case o.given["step"] && !(o.Step > 0 && o.Step <= o.Upper-o.Lower):
		fail("-step is %v, must be positive and at most -upper minus -lower", o.Step)
	}
	return errors.Join(errs...)
}

func (o *options) checkWords() error {
	var errs []error
	for _, w := range []columnFlag{
		{"-unit", o.Unit}, {"-time", o.Time}, {"-dataset", o.Dataset}, {"-unit-name", o.UnitName}, {"-row-name", o.RowName},
		{"-value-name", o.ValueName}, {"-purpose", o.Purpose}, {"-ledger", o.Ledger},
	} {
		if w.name == "" {
			errs = append(errs, fmt.Errorf("%s is empty, must be given", w.flag))
		}
	}
	if o.Input == "-" && o.Key == "" {
		errs = append(errs, errors.New("-key is not given; standard input has no name by which a repeated question could be told from a new one, so name the request"))
	}
	if o.Key == "" && o.given["key"] {
		errs = append(errs, errors.New("-key is empty; leave it out, or give the request a name"))
	}
	for i, g := range o.Groups {
		if slices.Contains(o.Groups[:i], g) {
			errs = append(errs, fmt.Errorf("-groups has %q twice", g))
		}
	}
	if o.TimeLayout != "" && time.Date(2006, 1, 2, 0, 0, 0, 0, time.UTC).Format(o.TimeLayout) == time.Date(2007, 3, 4, 0, 0, 0, 0, time.UTC).Format(o.TimeLayout) {
		errs = append(errs, fmt.Errorf("-time-layout is %q, must be the time Mon Jan 2 15:04:05 2006 as the column would have it, such as 01/02/2006", o.TimeLayout))
	}
	return errors.Join(errs...)
}

// checkFiles keeps one file from being written over another.
func (o *options) checkFiles() error {
	if o.Truth && !o.embedded() {
		return errors.New("-truth shows exact values, and is only for the embedded data, which is public; leave it or -input out")
	}
	seen := make(map[string]string)
	for _, f := range []columnFlag{{"-input", o.Input}, {"-ledger", o.Ledger}, {"-out", o.Out}, {"-csv", o.CSV}, {"-json", o.JSON}} {
		if f.name == "" || f.name == "-" && f.flag == "-input" {
			continue
		}
		path, err := filepath.Abs(f.name)
		if err != nil {
			return fmt.Errorf("%s: %w", f.flag, err)
		}
		if other := seen[path]; other != "" {
			return fmt.Errorf("%s and %s are both %s; they must differ", other, f.flag, f.name)
		}
		seen[path] = f.flag
	}
	return nil
}
