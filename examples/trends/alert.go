package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/aggregate/rows"
	"github.com/equipoise-dp/equipoise/dp"
)

// With -alert nothing of a series is released but in which periods a number is on the wrong
// side of a threshold.

// checkAlert checks what goes with -alert.
func (o *options) checkAlert() error {
	if o.Alert == "" {
		if o.given["alert"] {
			return errors.New("-alert is empty; say on what, such as 'customers below 500'")
		}
		return o.checkNoAlert()
	}
	var errs []error
	if o.Series == "" {
		errs = append(errs, errors.New("-alert needs -series, which says of how many periods it is asked"))
	}
	for _, f := range []struct{ flag, why string }{
		{"out", "an -alert has no page; -csv and -json write it to files"}, {"delta", "an -alert needs none, and protects more without"},
		{"max-periods", "a customer may be there in every period of an -alert, at the same price"},
	} {
		if o.given[f.flag] {
			errs = append(errs, fmt.Errorf("-%s is given, but %s; leave it out", f.flag, strings.Replace(f.why, "customer", o.UnitName, 1)))
		}
	}
	if _, err := o.condition(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (o *options) checkNoAlert() error {
	var errs []error
	for _, flag := range []string{"most-alerts", "alert-key"} {
		if o.given[flag] {
			errs = append(errs, fmt.Errorf("-%s is for an -alert, which is not given", flag))
		}
	}
	return errors.Join(errs...)
}

// keyFile is the file with the key, if one is needed.
func (o *options) keyFile() string {
	if o.Alert == "" {
		return ""
	}
	return o.AlertKey
}

// A watched is what -alert asks: a number, and on which side of what.
type watched struct {
	name string
	when aggregate.Condition
}

// condition reads -alert, such as "customers below 500" or "revenue 20000 or more".
func (o *options) condition() (watched, error) {
	text, below := strings.TrimSpace(o.Alert), true
	name, number, ok := strings.Cut(text, " below ")
	if !ok {
		below = false
		if text, ok = strings.CutSuffix(text, " or more"); ok {
			at := strings.LastIndex(text, " ")
			name, number = text[:max(at, 0)], text[at+1:]
		}
	}
	name = strings.TrimSpace(name)
	threshold, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !ok || err != nil || name == "" {
		return watched{}, fmt.Errorf("-alert is %q, must be a number of the series and when, such as '%s below 500' or '%s 500 or more'", o.Alert, o.UnitNames, o.UnitNames)
	}
	if below {
		return watched{name, aggregate.Below(threshold)}, nil
	}
	return watched{name, aggregate.Above(threshold)}, nil
}

// A watch is an -alert that was declared.
type watch struct {
	*options
	of   quantity
	plan *aggregate.AlertPlan[row, rows.ID, string]
}

// declareAlert makes the plan. It costs nothing and reads nothing.
func (o *options) declareAlert() (*watch, error) {
	asked, err := o.condition()
	if err != nil {
		return nil, err
	}
	q, start := o.queryOverTime()
	q.MaxGroups = len(o.groupsOverTime())
	number, err := asked.among(o.numbersOverTime(q))
	if err != nil {
		return nil, usage{err}
	}
	alert := &aggregate.Alert[row, rows.ID, string]{
		Query: q, Time: start, Zone: time.UTC, Step: o.Period.step(), First: o.Period.first(o.periods[0]), Periods: len(o.periods),
		When: asked.when, Most: o.Most,
	}
	plan, err := alert.Plan(dp.Pure{Epsilon: o.Epsilon}, number.column)
	return &watch{o, number.quantity, plan}, err
}

// among finds the number that is asked about. A mean is none: one unit can move it from any side
// of a threshold to the other.
func (w watched) among(all []shown) (shown, error) {
	var names []string
	for _, s := range all {
		if s.smooth == nil {
			continue
		}
		if names = append(names, s.Name); s.Name == w.name || strings.ToLower(s.Label) == w.name {
			return s, nil
		}
	}
	return shown{}, fmt.Errorf("-alert is on %q, must be on %s", w.name, strings.Join(names, " or "))
}

// answerAlert is the whole run: it declares the alert, or asks about what is new, and shows all
// that were given.
func (o *options) answerAlert(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) (err error) {
	w, err := o.declareAlert()
	if err != nil {
		return err
	}
	for _, w := range append(o.warnings(), o.notes()...) {
		fmt.Fprintf(stderr, "trends: %s\n", w)
	}
	if o.Plan {
		request := w.request()
		fmt.Fprintf(stdout, "%v%s", w.plan, o.standing(ctx, request, w.plan.Charge(request)))
		return nil
	}
	files, err := stageAll(o.formsOfAlerts(), len(o.periods)*len(o.groupsOverTime()))
	defer func() { err = errors.Join(err, files.discard()) }()
	if err != nil {
		return err
	}
	g, err := w.ask(ctx, stdin, stderr)
	if err != nil {
		return err
	}
	err = publish(files, o.formsOfAlerts(), g, func() error { return g.writeTerminal(stdout) }, stdout, stderr, "")
	return keptOverTime(err)
}

func (w *watch) request() aggregate.Request {
	return w.requestOverTime("alert-", w.plan.Charge(aggregate.Request{}).Plan)
}

// ask asks about the periods that have ended and were not asked about.
func (w *watch) ask(ctx context.Context, stdin io.Reader, stderr io.Writer) (*given, error) {
	request := w.request()
	g := &given{watch: w}
	var err error
	g.left, err = w.overTime(ctx, stdin, stderr, request, dp.Pure{Epsilon: w.Epsilon}, func(l *ledger, in iter.Seq2[row, error]) error {
		key, err := keyIn(w.AlertKey)
		if err == nil {
			g.alerts, err = aggregate.Watch(ctx, w.plan, l.account, key, request, w.through, in)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}
