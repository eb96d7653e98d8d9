package main

import (
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/equipoise-dp/equipoise/aggregate/rows"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/forecast"
	"github.com/equipoise-dp/equipoise/dp"
)

// Options are what the flags say, checked.
type options struct {
	Input, Dataset, Unit                   string
	UnitName, UnitNames, RowName, RowNames string // one, and many
	Time, Value, ValueName, Currency       string
	Format                                 rows.Format // how the input is written
	By                                     string
	Groups                                 []string
	Period                                 calendar
	From, To                               string
	Epsilon, Delta, Limit, LimitDelta      float64
	MaxSlots, MaxRows                      int
	Lower, Upper, Step                     float64
	Ledger, Purpose, Asker, Key            string
	Out, CSV, JSON                         string
	Plan, Truth                            bool
	Rehearse                               *rehearsal // on what made-up rows, if it is one
	Forecast                               string     // why the rows may be looked at
	ForUnits                               int        // of the periods that -for is about
	ForMean                                float64    // what a unit has in them

	aims         []aim           // of -for
	shownFrom    int             // from how many units on cells are to be shown, if -for says so
	weights      []float64       // of the numbers of the report, if -for found them
	Times        int             // how often the report is made, if -for says so
	concentrated dp.Concentrated // the loss of one of them, if it is a ρ
	ways         []forecast.Way  // to pay for all of them
	rule         budget.Rule     // of a new ledger
	eventShare   float64

	Series   string // how many periods of what it declares, if it does
	Alert    string // on what, if only that is asked of them
	Most     int    // alerts
	AlertKey string
	through  int // periods of the series that have ended

	given     map[string]bool // flags that were on the command line
	periods   []string        // the public range, or nil
	bareGroup bool            // -groups has an empty name that is not written as ""
}

// mostDelta is the largest δ that a new ledger has by itself, unless -delta is
// larger.
const mostDelta = 1e-5

// maxCells is how many cells a report has at most.
const maxCells = 10_000

func (o *options) flags() *flag.FlagSet {
	f := flag.NewFlagSet("trends", flag.ContinueOnError)
	f.SetOutput(io.Discard)

	f.StringVar(&o.Input, "input", "", "a `file`: CSV with a header, or lines of JSON, which gzip or Zstandard may have compressed; - is standard input\n(default: the embedded purchases of the music shop CDNOW, 1997 to 1998)")
	f.StringVar(&o.Unit, "unit", "customer", "the `column` that says whose row it is: all rows of one unit are protected together")
	f.StringVar(&o.Time, "time", "date", "the `column` that says when it was")
	f.StringVar(&o.Value, "value", "", "the `column` of amounts; without one, only units and rows are reported\n(default for the embedded data: dollars)")
	f.StringVar(&o.By, "by", "", "a `column` to group by, beside the period")
	f.Func("groups", "the groups of -by to report, as `a,b,c`, if they are public; without them they are\nselected privately. It is a line of CSV: a name with a comma in it is quoted, as in\n'\"Smith, Inc\",Acme', and \"\" is the group of rows whose field is blank", o.setGroups)
	f.StringVar((*string)(&o.Period), "period", string(months), "the `kind` of period: day, week (from Monday), month or quarter")
	f.StringVar(&o.Series, "series", "", "declare a series, such as `'104 weeks'` from -from on: it is paid for once, its noise is shared over\nthe whole time, and every later run with the same ledger adds what is new, up to -to (default:\nyesterday) and shows the whole. -plan says before what every number will be like. Every run must read\nall rows since -from as they were: who counts how often is found out from them again")
	f.StringVar(&o.Alert, "alert", "", "ask but one thing of every period of the -series, and group: whether a number is on the wrong side of\na threshold, such as `'customers below 500'` or 'revenue 20000 or more'. Nothing else is released, for\none price, and each period is asked about once. -plan says how near to the threshold alerts are")
	f.IntVar(&o.Most, "most-alerts", 3, "how many alerts there will be at most; after them nothing more is asked. Noise grows with it")
	f.StringVar(&o.AlertKey, "alert-key", "", "the `file` with the key that seals what must stay secret between two runs of an -alert; it is created,\nand to be kept as the rows are (default: the ledger's name and .key)")
	f.StringVar(&o.From, "from", "", "the first period to report, as a `date` in it: a day, or the name of a month, week,\nquarter or year, such as 2026-01; with -to, every period of the range is reported.\nWithout them, periods are selected privately")
	f.StringVar(&o.To, "to", "", "the last period to report, as a `date` in it")

	o.formatFlags(f)

	f.Float64Var(&o.Epsilon, "epsilon", 1, "the loss ε of this report: smaller protects more and is noisier")
	f.Func("for", "how near to the truth, in place of -epsilon: `'revenue ±5 %, customers ±30'` finds the\nsmallest ε for which 95 % intervals are as narrow in periods of -for-units. With ', weekly for 52 weeks'\nit is for so many reports under one ledger: a new one has the rule and the limit that take all of them,\nof at most -limit, and -plan shows what each rule needs. With ', shown from 100' cells that are selected\nshow from so many units on, 95 % of the time", o.setAims)
	f.IntVar(&o.ForUnits, "for-units", 1000, "how many units are in the periods that -for is about\n(default for the embedded data: 2000)")
	f.Float64Var(&o.ForMean, "for-mean", 0, "what a unit has in them, of the amounts of -value, after clamping\n(default for the embedded data: 45)")
	f.Float64Var(&o.Delta, "delta", 1e-6, "the loss δ of this report; 0 is pure ε, with much more noise")
	f.IntVar(&o.MaxSlots, "max-periods", 0, "in how many periods (times groups) one unit counts; of a unit with more, so many are\nchosen at random, and with -series the first (default: 6 with -series, otherwise all of\n-from to -to, as far as the noise on the number of units stays within ±150/√ε)")
	f.IntVar(&o.MaxRows, "max-rows", 0, "how many rows of one unit count in one period (default: for ε=1 2 in a day, 2 in a\nweek, 4 in a month, 7 in a quarter, otherwise √ε times that)")
	f.Float64Var(&o.Lower, "lower", 0, "the least total value of one unit in one period; what is below counts as this")
	f.Float64Var(&o.Upper, "upper", 0, "the largest total value of one unit in one period; what is above counts as this.\nIt must be known without looking at the rows (default for the embedded data: 280·√ε in a month)")

	f.Float64Var(&o.Step, "step", 0, "the grid that totals of one unit are rounded to: a coarser one makes quantiles less noisy\n(default: about a 250th of the way from -lower to -upper)")

	f.Float64Var(&o.Limit, "limit", 3, "the ε that all reports under one ledger may cost together, for a new ledger")
	f.Float64Var(&o.LimitDelta, "limit-delta", 0, "the δ that they may cost together, for a new ledger (default: -delta × -limit / -epsilon, up to 1e-5)")
	f.StringVar(&o.Ledger, "ledger", "trends.db", "the `file` that keeps account; it is created if it is missing")
	f.StringVar(&o.Purpose, "purpose", "trend report", "why it is asked, for the ledger")
	f.StringVar(&o.Asker, "asker", "", "`who` asks, for the ledger: a policy says who may, and a limit per analyst counts by it. It\nstands in the report's receipt; nobody is taken from the system")
	f.StringVar(&o.Key, "key", "", "the `name` of this request: under the same name the same report is shown again,\nat no cost (default: made from the question and the name of the input)")

	f.StringVar(&o.Out, "out", "trends.html", "the `file` for the report; empty for none. Of -out, -csv and -json one may be -, which\nis standard output in place of the table")
	f.StringVar(&o.CSV, "csv", "", "a `file` for the numbers as CSV; a name that a spreadsheet would take for a formula has\nan apostrophe before it")
	f.StringVar(&o.JSON, "json", "", "a `file` for everything as JSON")
	f.BoolVar(&o.Plan, "plan", false, "print the price list and stop: reads no rows, spends nothing")
	f.StringVar(&o.Forecast, "forecast", "", "forecast the report on rows of -input that may be looked at, and say `why` they may: they are public,\nmade up, or of an older year that was published as it is. Prints exact numbers about them, which\nno noise protects: how many periods would show, how near the numbers would be, and what caps and\nbounds cut off. Spends nothing and writes no file")
	f.Func("rehearse", "make the whole report of made-up rows, of a `shape` such as 'units=2000, each=3, rows=2, mean=40, skew=1':\nhow many units, in how many cells each, with how many rows in each, what a row is worth (some are\nworth far more, and cut off), and how unequal cells are, as 1/n^skew. Where the report selects them:\nperiods=12, groups=5. Reads no input, opens no ledger, spends nothing; all that is written is marked", o.setRehearsal)
	f.BoolVar(&o.Truth, "truth", false, "also show the exact values; only for the embedded data, which is public")

	f.StringVar(&o.Dataset, "dataset", "", "the `name` of the dataset in the ledger (default: the name of the input)")
	f.StringVar(&o.UnitName, "unit-name", "customer", "what a unit is, in a `word`; if its plural is unusual, both, as in ox/oxen")
	f.StringVar(&o.RowName, "row-name", "purchase", "what a row is, in a `word`, with its plural likewise")
	f.StringVar(&o.ValueName, "value-name", "revenue", "what the total value is, in a `word`")
	f.StringVar(&o.Currency, "currency", "", "a `sign` before amounts in the report, and perhaps in the input (default for the\nembedded data: $)")
	return f
}

// setGroups reads -groups. A field of the input may have spaces around it, and so
// may a group here.
func (o *options) setGroups(list string) error {
	r := csv.NewReader(strings.NewReader(list))
	r.TrimLeadingSpace = true
	groups, err := r.Read()
	if errors.Is(err, io.EOF) {
		groups, err = []string{""}, nil
	}
	if err == nil {
		if _, next := r.Read(); !errors.Is(next, io.EOF) {
			err = errors.New("it has several lines")
		}
	}
	if err != nil {
		return fmt.Errorf("it must be one line of CSV, with names in quotes that have a comma or a quote in them, as in '\"Smith, Inc\",Acme': %w", errors.Unwrap(err))
	}
	o.Groups = nil
	for _, g := range groups {
		o.Groups = append(o.Groups, rows.Tidy(g))
	}
	o.bareGroup = slices.Contains(o.Groups, "") && !strings.Contains(list, `""`)
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
	if err := errors.Join(o.fillCaps(), o.aimFor()); err != nil {
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
	if _, kind, ok := o.readSeries(); ok && !o.given["period"] {
		o.Period = kind // before the defaults that follow it
	}
	if o.embedded() {
		fallback("value", &o.Value, "dollars")
		fallback("currency", &o.Currency, "$")
		if !o.given["for-units"] {
			o.ForUnits = 2000
		}
		if !o.given["for-mean"] {
			o.ForMean = 45
		}
		if !o.given["upper"] {
			o.Upper = o.embeddedUpper()
		}
		if !o.given["from"] && !o.given["to"] {
			o.From, o.To = "1997-01-01", "1998-06-30"
		} else if o.Series != "" && !o.given["from"] {
			o.From = "1997-01-01" // a series is declared whole, and -to says how far it has come
		}
	}
	if !o.given["step"] && o.Upper > o.Lower {
		o.Step = stepFor(o.Upper - o.Lower)
	}
	fallback("alert-key", &o.AlertKey, o.Ledger+".key")
	if o.Rehearse != nil {
		fallback("out", &o.Out, rehearsed+".html")
	}
	o.Format.Currency = o.Currency
	o.UnitName, o.UnitNames = bothNumbers(o.UnitName)
	o.RowName, o.RowNames = bothNumbers(o.RowName)
	fallback("dataset", &o.Dataset, datasetOf(o.Input))
	if !o.given["limit-delta"] && o.Epsilon > 0 {
		o.LimitDelta = o.usualLimitDelta()
	}
}

// usualLimitDelta is enough for as many reports like this one as the ε of the limit is
// enough for.
func (o *options) usualLimitDelta() float64 {
	return max(o.Delta, min(round(o.Delta*o.Limit/o.Epsilon), mostDelta))
}

// mostSteps is how many steps a value has: so many that rounding is nothing beside noise.
const mostSteps = 1023

// stepFor returns 1, 2 or 5 times a power of ten, so that a value of this width
// has at most mostSteps steps.
func stepFor(width float64) float64 {
	power := math.Pow10(int(math.Floor(math.Log10(width / mostSteps))))
	for _, m := range []float64{1, 2, 5} {
		if width/(m*power) <= mostSteps {
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

// selects reports whether the cells of the report are selected privately.
func (o *options) selects() bool { return o.periods == nil || o.By != "" && o.Groups == nil }

// loss returns what the report may reveal.
func (o *options) loss() dp.Loss {
	if o.concentrated.Rho > 0 {
		return o.concentrated
	}
	return lossOf(o.Epsilon, o.Delta)
}

// limit returns what a new ledger may reveal in all.
func (o *options) limit() dp.Loss { return lossOf(o.Limit, o.LimitDelta) }

func lossOf(epsilon, delta float64) dp.Loss {
	if delta == 0 {
		return dp.Pure{Epsilon: epsilon}
	}
	return dp.Approx{Epsilon: epsilon, Delta: delta}
}
