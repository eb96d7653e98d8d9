package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate/rows"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/forecast"
)

// With -rehearse the program makes up rows and makes the whole report of them: caps, noise,
// selection, charts and files. No input is read, no ledger is opened or charged, nothing is
// kept under a request key, and whatever is written says that it is a rehearsal.

// A rehearsal is what made-up rows are like.
type rehearsal struct {
	counts map[string]int // units, each, rows, periods, groups
	sizes  map[string]float64
}

// setRehearsal reads -rehearse, such as "units=2000, each=3".
func (o *options) setRehearsal(list string) error {
	o.Rehearse = &rehearsal{map[string]int{"each": 1, "rows": 1}, map[string]float64{}}
	for item := range strings.SplitSeq(list, ",") {
		name, text, _ := strings.Cut(strings.TrimSpace(item), "=")
		switch name {
		case "units", "each", "rows", "periods", "groups":
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 || n > mostRows {
				return fmt.Errorf("%s is %q, must be a number from 1 to %d", name, text, mostRows)
			}
			o.Rehearse.counts[name] = n
		case "skew", "mean":
			x, err := strconv.ParseFloat(text, 64)
			if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
				return fmt.Errorf("%s is %q, must be a number", name, text)
			}
			o.Rehearse.sizes[name] = x
		default:
			return fmt.Errorf("%q is none of units, each, rows, periods, groups, skew and mean, as in 'units=2000, each=3'", name)
		}
	}
	return nil
}

// mostMadeUp is how many rows are made up at most.
const mostMadeUp = 20_000_000

// rehearsed is what files of a rehearsal have in their names.
const rehearsed = "rehearsal"

func (o *options) checkRehearsal() error {
	if o.Rehearse == nil {
		return nil
	}
	var errs []error
	for flag, given := range map[string]bool{"plan": o.Plan, "forecast": o.Forecast != "", "series": o.Series != "", "alert": o.Alert != "", "truth": o.Truth} {
		if given {
			errs = append(errs, fmt.Errorf("-rehearse is of one report on made-up rows; leave -%s out", flag))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	for _, f := range o.forms() {
		if f.path != "" && f.path != standard && !strings.Contains(filepath.Base(f.path), rehearsed) {
			errs = append(errs, fmt.Errorf("%s is %s, must have %q in its name, so that nobody takes it for a release", f.flag, f.path, rehearsed))
		}
	}
	return errors.Join(append(errs, o.Rehearse.check(o))...)
}

func (h *rehearsal) check(o *options) error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf("-rehearse "+format, args...)) }
	if h.counts["units"] == 0 {
		fail("has no units; say how many there are, as in 'units=2000'")
	}
	for name, open := range map[string]bool{"periods": o.periods == nil, "groups": o.By != "" && o.Groups == nil} {
		switch given := h.counts[name] > 0; {
		case open && !given:
			fail("has no %s; the report selects them, so say how many are made up, as in '%s=12'", name, name)
		case given && !open:
			fail("has %s, which the report is given or has none of; leave it out", name)
		}
	}
	if n := float64(h.counts["units"]) * float64(h.counts["each"]) * float64(h.counts["rows"]); n > mostMadeUp {
		fail("makes %.3g rows, units × each × rows, must be at most %d; a tenth of the units shows how the report is as well", n, mostMadeUp)
	}
	if _, given := h.sizes["mean"]; given && o.Value == "" {
		fail("has a mean, and the report has no -value; leave it out")
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

// cells are those that made-up rows are in.
func (h *rehearsal) cells(o *options) (all []slot) {
	periods, groups := o.periods, o.Groups
	if periods == nil {
		for at := o.Period.start(time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)); len(periods) < h.counts["periods"]; at = o.Period.next(at) {
			periods = append(periods, o.Period.name(at))
		}
	}
	for n := range h.counts["groups"] {
		groups = append(groups, fmt.Sprintf("made up %d", n+1))
	}
	if o.By == "" {
		groups = []string{""}
	}
	for _, g := range groups {
		for _, p := range periods {
			all = append(all, slot{p, g})
		}
	}
	return all
}

// shape is that of the rows. Their values fall off exponentially, so that some are beyond
// what the report lets count.
func (h *rehearsal) shape(o *options) forecast.Shape[row] {
	cells, mean := h.cells(o), h.mean(o)
	return forecast.Shape[row]{
		Units: h.counts["units"], Groups: len(cells), Each: h.counts["each"], Rows: h.counts["rows"], Skew: h.sizes["skew"],
		Row: func(unit, group int, x float64) row {
			var who rows.ID
			binary.BigEndian.PutUint64(who[:], uint64(unit))
			return row{who, cells[group], mean * -math.Log1p(-x)}
		},
	}
}

// mean is that of the value of a row: without another, a quarter of what may count of a unit
// is what it has in a cell.
func (h *rehearsal) mean(o *options) float64 {
	if mean, given := h.sizes["mean"]; given {
		return mean
	}
	return (o.Lower + (o.Upper-o.Lower)/4) / float64(h.counts["rows"])
}

// rehearse makes the whole report of made-up rows.
func (o *options) rehearse(ctx context.Context, q *question, stdout, stderr io.Writer) (err error) {
	files, err := stageAll(o.forms(), len(o.Rehearse.cells(o)))
	defer func() { err = errors.Join(err, files.discard()) }()
	if err != nil {
		return err
	}
	if err := o.checkLimit(); err != nil {
		return usage{err}
	}
	left, err := o.wouldLeave(ctx, q)
	if err != nil {
		return err
	}
	released, err := forecast.Rehearse(ctx, q.plan, o.Rehearse.shape(o))
	if err != nil {
		return usage{fmt.Errorf("-rehearse: %w", err)}
	}
	r, err := o.report(q, released, left, false)
	if err != nil {
		return err
	}
	return publish(files, o.forms(), r, func() error { return r.writeTerminal(stdout, isTerminal(stdout)) }, stdout, stderr, ", which is a rehearsal")
}

// wouldLeave returns what a new ledger would have left, from one in memory that ends with
// the program.
func (o *options) wouldLeave(ctx context.Context, q *question) (balance, error) {
	account, err := budget.Create(ctx, budget.Memory(), o.terms())
	if err != nil {
		return balance{}, err
	}
	charge := q.plan.Charge(o.request(q))
	if _, err := account.Spend(ctx, charge); err != nil {
		return balance{}, err
	}
	return (&ledger{account: account}).balance(ctx, charge)
}

// Mark is what a rehearsal is marked with, wherever it is shown; it is empty for a release.
func (o *options) Mark() string {
	if o.Rehearse == nil {
		return ""
	}
	return forecast.Rehearsed
}
