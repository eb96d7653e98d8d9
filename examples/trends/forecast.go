package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/equipoise-dp/equipoise/aggregate"
)

// With -forecast the rows may be looked at, because they are public, made up or published
// already. What is printed of them is exact, says so, and is no release: nobody pays for it,
// no file is written, and there is no receipt.

func (o *options) checkForecast() error {
	switch {
	case o.given["forecast"] && strings.TrimSpace(o.Forecast) == "":
		return errors.New("-forecast is empty; say why the rows may be looked at: what is printed of them is exact")
	case o.Forecast == "":
		return nil
	case o.Plan:
		return errors.New("-forecast reads rows and -plan reads none; leave one of them out")
	case o.Series != "":
		return errors.New("-forecast is of one report; leave -series out")
	}
	var errs []error
	for _, flag := range []string{"out", "csv", "json", "truth"} {
		if o.given[flag] {
			errs = append(errs, fmt.Errorf("-%s is not for a -forecast, which writes to the terminal alone; leave it out", flag))
		}
	}
	return errors.Join(errs...)
}

// forecast says what the report would be like on the rows.
func (o *options) forecast(ctx context.Context, q *question, stdin io.Reader, stdout, stderr io.Writer) error {
	in, err := o.open(ctx, stdin, stderr)
	if err != nil {
		return err
	}
	seen, err := q.plan.ForecastOn(ctx, o.Forecast, in.rows)
	in.done()
	if err != nil {
		return err
	}
	request := o.request(q)
	_, err = io.WriteString(stdout, o.forecastText(q, seen)+o.standing(ctx, request, q.plan.Charge(request)))
	return err
}

func (o *options) forecastText(q *question, seen *aggregate.Seen[slot]) string {
	var b strings.Builder
	fmt.Fprintf(&b, "FORECAST, no release: exact numbers about rows of %s, which no noise protects\nthey may be looked at, because: %s\n\n", o.inputName(), seen.Source)
	fmt.Fprintf(&b, "a report at %v would show %.1f of %s, in the mean of all draws of noise\n", o.loss(), seen.Shown, count(len(seen.Groups), "cell", "cells"))
	fmt.Fprintf(&b, "caps leave out %s of the cells that %s are in, and %s of the %s\n", share(seen.Units), o.UnitNames, share(seen.Rows), o.RowNames)
	for _, name := range slices.Sorted(maps.Keys(seen.Cut)) {
		cut := seen.Cut[name]
		fmt.Fprintf(&b, "bounds of %s cut off %s of its values, and move their sum by %s\n", name, share(cut.Values), share(cut.Sum))
	}
	b.WriteString("\n")
	o.writeForecasts(&b, q, seen)
	b.WriteString("\n± is half of a 95 % interval; nothing was spent, and no file was written\n")
	return b.String()
}

// writeForecasts writes one line for each cell that anybody is in. What quantiles would be is
// not forecast.
func (o *options) writeForecasts(b *strings.Builder, q *question, seen *aggregate.Seen[slot]) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	head := []string{o.Period.PeriodTitle(), "shows"}
	for _, x := range q.quantities {
		if !x.Quantile {
			head = append(head, x.Label)
		}
	}
	fmt.Fprintln(w, strings.Join(head, "\t"))
	cells := slices.SortedFunc(maps.Keys(seen.Groups), func(a, b slot) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Period, b.Period))
	})
	for _, s := range cells {
		line := []string{strings.TrimSpace(s.Group + " " + o.Period.short(s.Period)), share(seen.Groups[s].Shown)}
		for i, c := range seen.Groups[s].Columns {
			if x := q.quantities[i]; !x.Quantile {
				line = append(line, o.write(x, c.Value)+" ± "+o.write(x, c.PlusMinus))
			}
		}
		fmt.Fprintln(w, strings.Join(line, "\t"))
	}
	w.Flush()
}

// share writes a part of 1 in percent.
func share(x float64) string {
	if math.IsNaN(x) {
		return "nothing"
	}
	return strings.Replace(fmt.Sprintf("%.1f %%", 100*x), "-", minus, 1)
}
