package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget/forecast"
	"github.com/equipoise-dp/equipoise/dp"
)

// With -for the report is given how accurate it has to be, and not what it may cost: the
// least ε is found, and how the numbers share it. It follows from public numbers alone.

// An aim is one item of -for.
type aim struct {
	name         string
	within, part float64
}

// setAims reads -for, such as "revenue ±5 %, customers ±30, shown from 100, weekly for 52 weeks".
func (o *options) setAims(list string) error {
	if o.aims != nil || o.Times > 0 {
		return errors.New("it is given twice; name all numbers in one, with commas between them")
	}
	for item := range strings.SplitSeq(list, ",") {
		if !strings.Contains(item, "±") && (strings.Contains(item, " for ") || strings.Contains(item, " from ")) {
			if err := o.setWords(strings.TrimSpace(item)); err != nil {
				return err
			}
			continue
		}
		name, width, ok := strings.Cut(item, "±")
		a := aim{name: strings.TrimSpace(name)}
		number, percent := strings.CutSuffix(strings.TrimSpace(width), "%")
		x, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if !ok || a.name == "" || err != nil || !(x > 0 && x < 1e15) {
			return fmt.Errorf("%q must be a number of the report and how near it has to be, such as 'revenue ±5 %%' or 'customers ±30'", strings.TrimSpace(item))
		}
		if a.within = x; percent {
			a.within, a.part = 0, x/100
		}
		if slices.ContainsFunc(o.aims, func(b aim) bool { return b.name == a.name }) {
			return fmt.Errorf("%s is in it twice", a.name)
		}
		o.aims = append(o.aims, a)
	}
	if o.aims == nil {
		return errors.New("it says of no number how near it has to be, such as 'revenue ±5 %, weekly for 52 weeks'")
	}
	return nil
}

// setWords reads what is not of one number: how often, and from how many units on cells are shown.
func (o *options) setWords(item string) error {
	from, ok := strings.CutPrefix(item, "shown from ")
	if !ok {
		return o.setTimes(item)
	}
	n, err := strconv.Atoi(strings.TrimSpace(from))
	if err != nil || n < 1 || o.shownFrom > 0 {
		return fmt.Errorf("%q must say once from how many units on cells are shown, such as 'shown from 100'", item)
	}
	o.shownFrom = n
	return nil
}

// checkAims checks what goes with -for.
func (o *options) checkAims() error {
	if o.aims == nil {
		return nil
	}
	var errs []error
	if o.given["epsilon"] {
		errs = append(errs, errors.New("-for finds the ε, so -epsilon must not be given; -limit says how large it may be"))
	}
	if o.ForUnits < 1 {
		errs = append(errs, fmt.Errorf("-for-units is %d, must be at least 1", o.ForUnits))
	}
	if o.Delta == 0 {
		errs = append(errs, errors.New("-for needs a -delta"))
	}
	return errors.Join(append(errs, o.checkTimes())...)
}

// aimFor finds the ε of the report, and the weights of its numbers.
func (o *options) aimFor() error {
	if o.aims == nil {
		return nil
	}
	if o.shownFrom > 0 && !o.selects() {
		return errors.New("-for says from how many units on cells are shown, and all that are given are shown; leave it out, or leave out -from and -to, or -groups")
	}
	query, all := o.columnsAsked()
	goal := forecast.Goal{Times: max(o.Times, 1), Delta: o.deltaOfAll(), Most: o.Limit, ShownFrom: o.shownFrom, Of: aggregate.Assumed{Units: o.ForUnits, Means: map[string]float64{o.RowNames: 1}}}
	if o.Value != "" && o.ForMean != 0 {
		goal.Of.Means[o.Value] = o.ForMean
	}
	for i, q := range all.quantities {
		a := forecast.Aim{Column: all.columns[i]}
		for _, wanted := range o.aims {
			if wanted.name == q.Name || wanted.name == strings.ToLower(q.Label) {
				a.Within, a.Part = wanted.within, wanted.part
			}
		}
		goal.Aims = append(goal.Aims, a)
	}
	if err := o.checkNames(all.quantities); err != nil {
		return err
	}
	found, err := forecast.PlanFor(query, goal)
	if err != nil {
		if e, ok := errors.AsType[*forecast.ImpossibleError](err); ok && e.MaxGroups > 0 {
			return fmt.Errorf("-for: %w\n-max-periods is what Query.MaxGroups is here: try -max-periods %d, or a little more", err, e.MaxGroups)
		}
		return fmt.Errorf("-for: %w", err)
	}
	for _, c := range found.Columns {
		o.weights = append(o.weights, c.Weight)
	}
	loss := found.Plan.Charge(aggregate.Request{}).Loss
	if o.Times > 0 {
		return o.isMadeOften(loss, found.Ways)
	}
	o.Epsilon = dp.PartsOf(loss).Epsilon
	if !o.given["limit-delta"] {
		o.LimitDelta = o.usualLimitDelta()
	}
	return nil
}

// checkNames says which aims are for nothing that the report has, or need to know
// what units usually have.
func (o *options) checkNames(all []quantity) error {
	var errs []error
	for _, a := range o.aims {
		var names []string
		found := false
		for _, q := range all {
			names = append(names, q.Name)
			mine := a.name == q.Name || a.name == strings.ToLower(q.Label)
			if mine && q.Money && a.part > 0 && o.ForMean == 0 {
				errs = append(errs, fmt.Errorf("-for-mean is not given: ± %g %% of %s is how much depends on what one %s usually has in a period", 100*a.part, a.name, o.UnitName))
			}
			found = found || mine
		}
		if !found {
			errs = append(errs, fmt.Errorf("-for has %q, which the report has not; it has %s", a.name, strings.Join(names, ", ")))
		}
	}
	return errors.Join(errs...)
}
