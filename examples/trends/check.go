package main

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
)

// check returns every mistake in the flags, joined. A question that makes no
// sense is found here, before anything is read or paid for.
func (o *options) check() error {
	return errors.Join(o.checkLoss(), o.checkAims(), o.checkRange(), o.checkBounds(), o.checkWords(), o.checkGroups(), o.checkFiles(), o.checkForecast(), o.checkAlert(), o.checkRehearsal(), o.Format.Check(called))
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
	if o.Series != "" {
		return o.checkSeries()
	}
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
	from, _, errFrom := span(o.From)
	if errFrom != nil {
		errFrom = fmt.Errorf("-from: %w", errFrom)
	}
	_, to, errTo := span(o.To)
	if errTo != nil {
		errTo = fmt.Errorf("-to: %w", errTo)
	}
	if err := errors.Join(errFrom, errTo); err != nil {
		return err
	}
	if to.Before(from) {
		return fmt.Errorf("-to is %s, must not be before -from, which is %s", o.To, o.From)
	}
	if o.periods = o.Period.between(o.Period.start(from), o.Period.start(to), maxCells); o.periods == nil {
		return fmt.Errorf("-from and -to span more than %d periods; choose a longer -period", maxCells)
	}
	return nil
}

func (o *options) checkBounds() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.given["max-periods"] && o.MaxSlots < 1 {
		fail("-max-periods is %d, must be at least 1", o.MaxSlots)
	}
	if o.given["max-rows"] && (o.MaxRows < 1 || o.MaxRows > mostRows) {
		fail("-max-rows is %d, must be from 1 to %d", o.MaxRows, mostRows)
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
	if o.Input == standard && o.Key == "" {
		errs = append(errs, errors.New("-key is not given; standard input has no name by which a repeated question could be told from a new one, so name the request"))
	}
	if o.Key == "" && o.given["key"] {
		errs = append(errs, errors.New("-key is empty; leave it out, or give the request a name"))
	}
	return errors.Join(errs...)
}

// checkGroups checks what is grouped by.
func (o *options) checkGroups() error {
	var errs []error
	for i, g := range o.Groups {
		if slices.Contains(o.Groups[:i], g) {
			errs = append(errs, fmt.Errorf("-groups has %q twice", g))
		}
	}
	if o.bareGroup {
		errs = append(errs, errors.New(`-groups has an empty name; write it as "" if the rows are meant whose field is blank`))
	}
	for _, c := range o.columns()[1:] {
		if c.name == o.Unit {
			errs = append(errs, fmt.Errorf("%s and -unit are both %q, must be different columns", c.flag, c.name))
		}
	}
	return errors.Join(errs...)
}

// checkFiles keeps one file from being written over another.
func (o *options) checkFiles() error {
	if o.Truth && !o.embedded() {
		return errors.New("-truth shows exact values, and is only for the embedded data, which is public; leave it or -input out")
	}
	seen := make(map[string]string)
	for _, f := range []columnFlag{{"-input", o.Input}, {"-ledger", o.Ledger}, {"-out", o.Out}, {"-csv", o.CSV}, {"-json", o.JSON}, {"-alert-key", o.keyFile()}} {
		if f.name == "" || f.name == standard && f.flag == "-input" {
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
