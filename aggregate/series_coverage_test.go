package aggregate_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// reserver affords a series, and keeps it for as long as a run.
type reserver struct{}

func (reserver) Reserve(context.Context, dp.Charge) (*purse, error) { return newPurse(), nil }

// Every number that is made of a series holds the truth as often as its interval says: single
// periods, windows, totals, differences, changes against the period before and against one long ago,
// shares, means and how they changed; and all numbers of a page, and all of its sentences, hold together as often as dp.Jointly says. Bounds are 6.2 standard
// deviations away, which is a false alarm in 10⁹ at most for so many runs; -long takes 5,000 series of each kind of strategy, and of quotients of means every tenth.
func TestEveryNumberMadeOfASeriesCovers(t *testing.T) {
	coverOf(t, "fading", func(*aggregate.Series[Order, int64, string]) {})
	if *long {
		coverOf(t, "level", func(s *aggregate.Series[Order, int64, string]) { s.Level = true })
		coverOf(t, "centred", func(s *aggregate.Series[Order, int64, string]) { s.AtOnce, s.Query.MaxGroups = true, 2*s.Periods })
	}
}

func coverOf(t *testing.T, strategy string, change func(*aggregate.Series[Order, int64, string])) {
	runs := 60
	if *long {
		runs = 5000
	}
	const days = 28
	q := &aggregate.Query[Order, int64, string]{
		Dataset: "orders", UnitName: "customer", Unit: func(o Order) int64 { return o.Customer },
		Group: func(o Order) string { return o.Country }, Groups: []string{"AT", "CH"}, MaxGroups: 1, MaxRowsPerGroup: 1,
	}
	start := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	series := &aggregate.Series[Order, int64, string]{
		Query: q, Time: func(o Order) time.Time { return o.At }, Zone: time.UTC, Step: aggregate.Day, First: start, Periods: days,
		Views: []aggregate.View{aggregate.EachPeriod(1), aggregate.RollingWindow(7, 1), aggregate.ToDate(1)},
	}
	change(series)
	units := q.Units()
	paid := aggregate.PerUnit(q, "paid", func(o Order) float64 { return float64(o.Cents) }, aggregate.Bounds[float64]{Lower: 0, Upper: 8, Step: 0.25})
	columns, means := []aggregate.AnyColumn{units, paid.Sum()}, strategy != "centred" // a mean has two parts, and no such strategy
	if means {
		columns = append(columns, paid.Mean())
	}
	plan, err := series.Plan(dp.Approx{Epsilon: 4, Delta: 1e-3}, columns...)
	if err != nil {
		t.Fatal(err)
	}
	if got := plan.Prices()[0].Strategy; !strings.HasPrefix(got, strategy) {
		t.Fatalf("the strategy is %s, must be %s", got, strategy)
	}
	var rows []Order
	for day := range days {
		for i := range 40 + day {
			rows = append(rows, Order{int64(len(rows)), q.Groups[i%3%2], start.AddDate(0, 0, day), int64(i % 8)})
		}
	}
	truth := func(s aggregate.Stretch[string]) (n, sum float64) {
		for _, o := range rows {
			if day := int(o.At.Sub(start).Hours() / 24); day >= s.From && day < s.To && (s.Groups == nil || s.Groups[0] == o.Country) {
				n, sum = n+1, sum+float64(o.Cents)
			}
		}
		return n, sum
	}
	at := []string{"AT"}
	stretches := map[string]aggregate.Stretch[string]{
		"a day": {Groups: at, From: 9, To: 10}, "a week": {Groups: at, From: 14, To: 21}, "to date": {From: 0, To: 28}, "all of a day": {From: 3, To: 4},
	}
	pairs := map[string][2]aggregate.Stretch[string]{
		"week against week before": {{Groups: at, From: 21, To: 28}, {Groups: at, From: 14, To: 21}}, "week against long ago": {{From: 21, To: 28}, {From: 0, To: 7}},
		"share of all": {{Groups: at, From: 0, To: 28}, {From: 0, To: 28}}, "share of a week": {{Groups: at, From: 7, To: 14}, {From: 7, To: 14}}, "overlapping windows": {{From: 8, To: 15}, {From: 7, To: 14}},
	}
	covered, seen, float := map[string]int{}, map[string]int{}, map[string]bool{}
	holds := func(name string, lo, hi, x float64, isFloat bool) {
		seen[name]++
		if float[name] = isFloat; lo <= x && x <= hi {
			covered[name]++
		} else {
			covered[name] += 0
		}
	}
	ofPage, ofSentences := dp.Jointly(0.95, 2*days), dp.Jointly(0.95, 3*len(pairs))
	for run := range runs {
		trend, err := aggregate.Advance(t.Context(), plan, reserver{}, aggregate.Request{Key: "k", Purpose: "test"}, days, aggregate.Slice(rows))
		if err != nil {
			t.Fatal(err)
		}
		for name, s := range stretches {
			cell, err := trend.Over(s)
			if err != nil {
				t.Fatal(err)
			}
			n, sum := truth(s)
			lo, hi := units.Of(cell).Interval(0.95)
			holds("units, "+name, float64(lo), float64(hi), n, false)
			from, to := paid.Sum().Of(cell).Interval(0.95)
			holds("sum, "+name, from, to, sum, true)
			if means {
				from, to = paid.Mean().Of(cell).Interval(0.95)
				holds("mean, "+name, from, to, sum/n, false)
			}
		}
		said := 0
		for name, p := range pairs {
			na, _ := truth(p[0])
			nb, _ := truth(p[1])
			_, a := truth(p[0])
			_, b := truth(p[1])
			d, err1 := aggregate.Difference(trend, paid.Sum(), p[0], p[1])
			r, err2 := aggregate.Ratio(trend, paid.Sum(), p[0], p[1])
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			lo, hi := d.Interval(0.95)
			holds("difference, "+name, lo, hi, a-b, true)
			lo, hi = r.Interval(0.95)
			holds("ratio, "+name, lo, hi, a/b, true)
			if !means || run%10 > 0 { // a quotient of means takes long
				continue
			}
			one, err1 := trend.Over(p[0])
			two, err2 := trend.Over(p[1])
			u, err3 := aggregate.Ratio(trend, units, p[0], p[1])
			if err := errors.Join(err1, err2, err3); err != nil {
				t.Fatal(err)
			}
			m := paid.Mean().Of(one).Over(paid.Mean().Of(two))
			lo, hi = m.Interval(0.95)
			holds("change of the mean, "+name, lo, hi, a/na/(b/nb), false)
			for _, c := range []struct {
				e dp.Estimate[float64]
				x float64
			}{{r, a / b}, {u, na / nb}, {m, a / na / (b / nb)}} {
				if lo, hi := c.e.Interval(ofSentences); lo <= c.x && c.x <= hi {
					said++
				}
			}
		}
		sentences := 0.0
		if said == 3*len(pairs) {
			sentences = 1
		}
		if means && run%10 == 0 {
			holds("all sentences of a page", 1, 1, sentences, false)
		}
		all := 0
		for day := range days {
			for _, g := range q.Groups {
				s := aggregate.Stretch[string]{Groups: []string{g}, From: day, To: day + 1}
				cell, err := trend.Over(s)
				if err != nil {
					t.Fatal(err)
				}
				_, sum := truth(s)
				if lo, hi := paid.Sum().Of(cell).Interval(ofPage); lo <= sum && sum <= hi {
					all++
				}
			}
		}
		page := 0.0
		if all == 2*days {
			page = 1
		}
		holds("all of a page", 1, 1, page, false)
	}
	if want := 3*len(stretches) + 3*len(pairs) + 2; len(covered) != want && (means || len(covered) != want-len(stretches)-len(pairs)-1) {
		t.Fatal("not every number was looked at: ", covered)
	}
	for name, n := range covered {
		margin := 6.2 * math.Sqrt(0.95*0.05/float64(seen[name]))
		share := float64(n) / float64(seen[name])
		if share < 0.95-margin || float[name] && share > 0.95+margin {
			t.Errorf(strategy+", %s: %.4f of the intervals hold, must be 0.95 up to %.4f", name, share, margin)
		}
		if *long {
			t.Logf("%-8s %-40s %.4f", strategy, name, share)
		}
	}
}
