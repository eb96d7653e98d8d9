package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/aggregate/rows"
	"github.com/equipoise-dp/equipoise/dp"
)

// A declared is the series of -series: its plan, and the numbers of it that are shown.
type declared struct {
	*options
	plan   *aggregate.SeriesPlan[row, rows.ID, string]
	shown  []shown
	groups []string // of -by; one without a name if there is none
}

// shown is one number of the series.
type shown struct {
	quantity
	column aggregate.AnyColumn
	over   func(aggregate.Cell) dp.Estimate[float64]
	ratio  func(t *aggregate.Trend[string], of, to aggregate.Stretch[string]) (dp.Estimate[float64], error)
	smooth func(t *aggregate.Trend[string], of aggregate.Stretch[string]) ([]float64, error) // nil of means
}

// perQuarter is how many periods of a kind are compared with as many before them, and how
// many a rolling window has.
var perQuarter, perWindow = map[calendar]int{days: 91, weeks: 13, months: 3, quarters: 1}, map[calendar]int{days: 28, weeks: 4, months: 3, quarters: 4}

// mostSeries is how many periods a series may have.
const mostSeries = 3660

// usualTimes is in how many periods of a series a unit counts, if it is not said.
const usualTimes = 6

// readSeries reads -series: how many periods, and of what kind.
func (o *options) readSeries() (n int, kind calendar, ok bool) {
	number, name, _ := strings.Cut(o.Series, " ")
	n, err := strconv.Atoi(number)
	kind = calendar(strings.TrimSuffix(name, "s"))
	return n, kind, err == nil && n >= 1 && n <= mostSeries && kind.check() == nil
}

// checkSeries checks -series, and lists its periods.
func (o *options) checkSeries() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, other := range []string{"truth", "for"} {
		if o.given[other] {
			fail("-%s is not for a -series", other)
		}
	}
	n, kind, ok := o.readSeries()
	switch {
	case !ok:
		fail(`-series is %q, must be a number from 1 to %d and days, weeks, months or quarters, such as "104 weeks"`, o.Series, mostSeries)
		return errors.Join(errs...)
	case o.given["period"] && o.Period != kind:
		fail("-period is %s and -series is of %ss; leave one of them out", o.Period, kind)
		o.Period = kind
	}
	if o.By != "" && o.Groups == nil {
		fail("-series with -by needs -groups, since the groups of a series are not selected")
	}
	if o.Groups != nil && o.By == "" {
		fail("-groups needs -by, the column that they are in")
	}
	if o.Delta == 0 && o.Alert == "" {
		fail("-delta is 0, but the noise of a series needs one, such as 1e-6")
	}
	return errors.Join(append(errs, o.listSeries(n))...)
}

// listSeries lists the periods, and counts those that have ended.
func (o *options) listSeries(n int) error {
	if o.From == "" {
		return errors.New("-from is missing; say when the -series begins, as a date in its first period")
	}
	first, _, err := span(o.From)
	if err != nil {
		return fmt.Errorf("-from: %w", err)
	}
	last := time.Now().UTC().AddDate(0, 0, -1)
	if o.To != "" {
		if _, last, err = span(o.To); err != nil {
			return fmt.Errorf("-to: %w", err)
		}
	}
	t := o.Period.start(first)
	for range n {
		o.periods = append(o.periods, o.Period.name(t))
		if t = o.Period.next(t); !t.AddDate(0, 0, -1).After(last) {
			o.through = len(o.periods)
		}
	}
	if o.through == 0 && !o.Plan {
		return fmt.Errorf("no %s of the -series has ended by %s; -to says otherwise, and -plan prints what it would cost", o.Period, last.Format(time.DateOnly))
	}
	return nil
}

// declare makes the plan. It costs nothing and reads nothing.
func (o *options) declare() (*declared, error) {
	q, start := o.queryOverTime()
	d := &declared{options: o, groups: o.groupsOverTime(), shown: o.numbersOverTime(q)}
	series := &aggregate.Series[row, rows.ID, string]{
		Query: q, Time: start, Zone: time.UTC,
		Step: o.Period.step(), First: o.Period.first(o.periods[0]), Periods: len(o.periods),
		Views: []aggregate.View{aggregate.EachPeriod(1), aggregate.RollingWindow(perWindow[o.Period], 1), aggregate.ToDate(1)},
	}
	if o.Period != quarters {
		series.Views = append(series.Views, aggregate.CalendarTotals(aggregate.Quarter, 1))
	}
	series.Views = append(series.Views, aggregate.CalendarTotals(aggregate.Year, 1))
	var columns []aggregate.AnyColumn
	for _, s := range d.shown {
		columns = append(columns, s.column)
	}
	var err error
	d.plan, err = series.Plan(o.loss(), columns...)
	return d, err
}

// queryOverTime says whose privacy is protected and what is counted in a period of a series, and
// when a row is.
func (o *options) queryOverTime() (q *aggregate.Query[row, rows.ID, string], start func(row) time.Time) {
	q = &aggregate.Query[row, rows.ID, string]{
		Dataset: o.Dataset, UnitName: o.UnitName, Unit: func(r row) rows.ID { return r.Unit },
		GroupName: o.groupsOfSeries(), MaxGroups: o.MaxSlots, MaxRowsPerGroup: maxRowsRead,
	}
	if o.By != "" {
		q.Groups, q.Group = o.Groups, func(r row) string { return r.Slot.Group }
	}
	starts := make(map[string]time.Time, len(o.periods))
	for _, p := range o.periods {
		starts[p] = o.Period.first(p)
	}
	return q, func(r row) time.Time { return starts[r.Slot.Period] }
}

// groupsOverTime returns the groups of -by, or one without a name.
func (o *options) groupsOverTime() []string {
	if o.By == "" {
		return []string{""}
	}
	return o.Groups
}

// numbersOverTime returns what can be told of a period.
func (o *options) numbersOverTime(q *aggregate.Query[row, rows.ID, string]) []shown {
	counts := aggregate.PerUnit(q, o.RowNames, func(row) int64 { return 1 }, aggregate.Bounds[int64]{Upper: int64(o.MaxRows)})
	all := []shown{
		total(quantity{Name: o.UnitNames, Label: title(o.UnitNames), Note: fmt.Sprintf("a %s counts once in each %s", o.UnitName, o.Period)}, q.Units()),
		total(quantity{Name: o.RowNames, Label: title(o.RowNames), Note: fmt.Sprintf("at most %s of one %s in a %s", count(o.MaxRows, o.RowName, o.RowNames), o.UnitName, o.Period)}, counts.Sum()),
	}
	if o.Value == "" {
		return all
	}
	value := aggregate.PerUnit(q, o.Value, func(r row) float64 { return r.Value }, aggregate.Bounds[float64]{Lower: o.Lower, Upper: o.Upper, Step: o.Step})
	mean := value.Mean()
	return append(all,
		total(quantity{Name: o.ValueName, Label: title(o.ValueName), Money: true, Note: fmt.Sprintf("at most %s of one %s in a %s", o.money(o.Upper, false), o.UnitName, o.Period)}, value.Sum()),
		shown{quantity: quantity{Name: o.ValueName + "_mean", Label: "Mean", Money: true, Cents: true, Note: fmt.Sprintf("%s of a %s in a %s", o.ValueName, o.UnitName, o.Period)}, column: mean, over: mean.Of, ratio: ratioOf(mean)})
}

// ratioOf compares two means, whose intervals allow for the noise that they share.
func ratioOf(mean aggregate.Column[float64]) func(*aggregate.Trend[string], aggregate.Stretch[string], aggregate.Stretch[string]) (dp.Estimate[float64], error) {
	return func(t *aggregate.Trend[string], of, to aggregate.Stretch[string]) (dp.Estimate[float64], error) {
		a, err := t.Over(of)
		if err != nil {
			return dp.Estimate[float64]{}, err
		}
		b, err := t.Over(to)
		return mean.Of(a).Over(mean.Of(b)), err
	}
}

// total shows a count or a sum.
func total[T dp.Number](q quantity, c aggregate.Column[T]) shown {
	return shown{
		quantity: q, column: c,
		over: func(cell aggregate.Cell) dp.Estimate[float64] { return c.Of(cell).Raw().Within(within(c.Of(cell))) },
		ratio: func(t *aggregate.Trend[string], of, to aggregate.Stretch[string]) (dp.Estimate[float64], error) {
			return aggregate.Ratio(t, c, of, to)
		},
		smooth: func(t *aggregate.Trend[string], of aggregate.Stretch[string]) ([]float64, error) {
			return aggregate.Smooth(t, c, of)
		},
	}
}

// within returns the range of an estimate.
func within[T dp.Number](e dp.Estimate[T]) (lo, hi float64) {
	low, high := e.Interval(1)
	f := figure{Low: float64(low), High: float64(high)}
	return f.Low, f.High
}

// groupsOfSeries says what groups are, for the ledger.
func (o *options) groupsOfSeries() string {
	if how := o.Reading(); how != "" {
		return strings.TrimSpace(o.By + "; " + how)
	}
	return o.By
}

// sameRows says what the rows of a file must be where units have a cap: nothing that is kept knows who
// counted in the periods before.
func (o *options) sameRows(groups int) []string {
	if o.embedded() || o.MaxSlots >= len(o.periods)*groups {
		return nil
	}
	return []string{fmt.Sprintf("note: every run must read all rows since %s as they were; where rows of periods that were released have gone since, or come, one %s may count more often than was paid for", o.From, o.UnitName)}
}

// answerSeries is the whole run of a series: it declares it, or adds what is new, and
// shows the whole.
func (o *options) answerSeries(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) (err error) {
	d, err := o.declare()
	if err != nil {
		return err
	}
	for _, w := range slices.Concat(o.warnings(), o.notes(), o.sameRows(len(d.groups))) {
		fmt.Fprintf(stderr, "trends: %s\n", w)
	}
	if o.Plan {
		request := d.request()
		fmt.Fprintf(stdout, "%v%s", d.plan, o.standing(ctx, request, d.plan.Charge(request)))
		return nil
	}
	files, err := stageAll(o.formsOfSeries(), len(o.periods)*len(d.groups))
	defer func() { err = errors.Join(err, files.discard()) }()
	if err != nil {
		return err
	}
	p, err := d.advance(ctx, stdin, stderr)
	if err != nil {
		return err
	}
	err = publish(files, o.formsOfSeries(), p, func() error { return p.writeTerminal(stdout) }, stdout, stderr, "")
	return keptOverTime(err)
}

// keptOverTime says that what could not be written is not lost.
func keptOverTime(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w\nwhat is released is paid for and kept: run again, at no cost", err)
}

func (d *declared) request() aggregate.Request {
	return d.requestOverTime("series-", d.plan.Charge(aggregate.Request{}).Plan)
}

// advance releases what is new, and returns the page of the whole.
func (d *declared) advance(ctx context.Context, stdin io.Reader, stderr io.Writer) (*seriesPage, error) {
	request := d.request()
	var trend *aggregate.Trend[string]
	left, err := d.overTime(ctx, stdin, stderr, request, d.loss(), func(l *ledger, in iter.Seq2[row, error]) (err error) {
		trend, err = aggregate.Advance(ctx, d.plan, l.account, request, d.through, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return d.page(trend, left)
}

// overTime opens the input and the ledger for what releases the periods that are new, and returns what is
// left of the limit. The first run pays a loss for all periods.
func (o *options) overTime(ctx context.Context, stdin io.Reader, stderr io.Writer, request aggregate.Request, pays dp.Loss, release func(*ledger, iter.Seq2[row, error]) error) (left dp.Loss, err error) {
	in, err := o.open(ctx, stdin, stderr)
	if err != nil {
		return nil, err
	}
	l, err := o.ledgerOverTime(ctx, stderr)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	_, before := l.account.Payment(ctx, request.Key)
	err = release(l, in.rows)
	in.done()
	if err != nil {
		return nil, err
	}
	if before != nil {
		fmt.Fprintf(stderr, "paid %v for all of %s, once; later runs with this ledger pay nothing more\n", pays, o.Series)
	}
	status, err := l.account.Status(context.WithoutCancel(ctx))
	return status.Whole.Left, err
}

// ledgerOverTime opens the ledger, or creates it.
func (o *options) ledgerOverTime(ctx context.Context, stderr io.Writer) (*ledger, error) {
	l, err := o.openLedger(ctx)
	if l != nil || err != nil {
		return l, err
	}
	if err := o.checkLimit(); err != nil {
		return nil, usage{err}
	}
	if l, err = o.createLedger(ctx); err == nil {
		fmt.Fprintf(stderr, "created ledger %s: all reports on dataset %q together may cost %s\n", o.Ledger, o.Dataset, o.limitWords())
	}
	return l, err
}

// requestOverTime names what is asked over time by its declaration.
func (o *options) requestOverTime(kind, plan string) aggregate.Request {
	key := o.Key
	if key == "" {
		key = kind + plan[:12]
	}
	return aggregate.Request{Key: key, Purpose: o.Purpose, Analyst: o.Asker}
}

// stretch is the stretch of all groups, or of one.
func (d *declared) stretch(group string, from, to int) aggregate.Stretch[string] {
	s := aggregate.Stretch[string]{From: from, To: to}
	if d.By != "" && slices.Contains(d.groups, group) {
		s.Groups = []string{group}
	}
	return s
}
