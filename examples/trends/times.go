package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/forecast"
	"github.com/equipoise-dp/equipoise/dp"
)

// With -for '..., weekly for 52 weeks' a report is one of many under its ledger. Which noise,
// which loss and which rule are cheapest follows from how often it is made: a loss may be a ρ,
// and a new ledger has the rule and the limit with which all of them fit.

// inAYear is how often something happens in a year.
var inAYear = map[string]float64{"daily": 365, "weekly": 52, "monthly": 12, "quarterly": 4, "yearly": 1,
	"day": 365, "week": 52, "month": 12, "quarter": 4, "year": 1}

// mostOften is how often a report can be made.
const mostOften = 1_000_000

// setTimes reads how often, and for how long.
func (o *options) setTimes(item string) error {
	if o.Times > 0 {
		return errors.New("it says twice how often")
	}
	often, long, _ := strings.Cut(item, " for ")
	number, unit, _ := strings.Cut(strings.TrimSpace(long), " ")
	n, err := strconv.Atoi(number)
	each, of := inAYear[strings.TrimSpace(often)], inAYear[strings.TrimSuffix(strings.TrimSpace(unit), "s")]
	if err != nil || n < 1 || n > mostOften || !strings.HasSuffix(strings.TrimSpace(often), "ly") || each == 0 || of == 0 || strings.HasSuffix(unit, "ly") {
		return fmt.Errorf("%q must say how often and for how long, such as 'weekly for 52 weeks' or 'monthly for 2 years'", item)
	}
	times := float64(n) * each / of
	if !(times >= 2 && times <= mostOften) {
		return fmt.Errorf("%q is %g reports, must be 2 to %d; leave it out for one", item, times, mostOften)
	}
	o.Times = int(times)
	return nil
}

func (o *options) checkTimes() error {
	if o.Times == 0 {
		return nil
	}
	var errs []error
	if o.given["delta"] {
		errs = append(errs, errors.New("-for finds the δ of each report, so -delta must not be given; -limit-delta is that of all of them"))
	}
	if o.Series != "" {
		errs = append(errs, errors.New("-for says how often, and a -series is paid for once; leave one of them out"))
	}
	return errors.Join(errs...)
}

// deltaOfAll is that of all the reports for which -for finds a loss.
func (o *options) deltaOfAll() float64 {
	switch {
	case o.Times == 0:
		return o.Delta
	case o.given["limit-delta"]:
		return o.LimitDelta
	}
	return mostDelta
}

// isMadeOften takes the loss of each report, and the best account that a report can say what is
// left of: its limit is an ε and a δ.
func (o *options) isMadeOften(loss dp.Loss, ways []forecast.Way) error {
	i := slices.IndexFunc(ways, func(w forecast.Way) bool {
		limit := dp.PartsOf(w.Limit)
		return limit.Epsilon > 0 && limit.Delta > 0 && !w.Reserved
	})
	if i < 0 {
		return errors.New("-for: no account of an ε and a δ takes so many reports; ask for less, or less often")
	}
	limit := dp.PartsOf(ways[i].Limit)
	if limit.Epsilon > o.Limit {
		return fmt.Errorf("-for: %s such reports need a ledger of %v, by rule %v, and -limit is %v; raise it, ask for less, or less often", grouped(float64(o.Times), 0), ways[i].Limit, ways[i].Rule, o.Limit)
	}
	o.ways, o.rule, o.eventShare = ways, ways[i].Rule, ways[i].EventShare
	o.Limit, o.LimitDelta = limit.Epsilon, limit.Delta
	one := dp.PartsOf(loss)
	o.Epsilon, o.Delta = one.Epsilon, one.Delta
	if one.Rho > 0 { // what it protects is said of the ε that it is
		o.concentrated = dp.Concentrated{Rho: one.Rho, Delta: one.Delta}
		o.Epsilon, o.Delta = o.concentrated.Approx(limit.Delta).Epsilon, limit.Delta
	}
	return nil
}

// terms are those of a new ledger.
func (o *options) terms() budget.Terms {
	return budget.Terms{Dataset: o.Dataset, Unit: o.UnitName, Limit: o.limit(), Rule: o.rule, EventShare: o.eventShare}
}

// limitWords says what all reports under a new ledger may cost.
func (o *options) limitWords() string {
	if o.Times == 0 {
		return fmt.Sprint(o.limit())
	}
	return fmt.Sprintf("%v by rule %v, for %s such reports", o.limit(), o.rule, grouped(float64(o.Times), 0))
}

// writeWays writes what each kind of account needs for as many reports as -for says.
func (o *options) writeWays(b *strings.Builder) {
	if o.Times == 0 {
		return
	}
	fmt.Fprintf(b, "\nwhat a ledger has to hold for %s such reports, by its rule (the best is the first):\n", grouped(float64(o.Times), 0))
	for _, w := range o.ways {
		fmt.Fprintf(b, "  %v\n", w)
	}
}
