package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// A shape is a series whose noise is compared: for how long, how often a unit is there, and what matters.
type shape struct {
	name    string
	step    aggregate.Step
	periods int
	most    int // periods of a unit
	atOnce  bool
	level   bool
	windows [2]int // of the rolling views; 0 for none
	weights []float64
}

// ofAYear are a year of days, mostly, with four views.
var ofAYear = []shape{
	{"a unit in one", aggregate.Day, 365, 1, false, false, [2]int{7, 28}, []float64{1, 1, 1, 1}},
	{"a unit in one, level, weights 1, 1.15, 1, 1.15", aggregate.Day, 365, 1, false, true, [2]int{7, 28}, []float64{1, 1.15, 1, 1.15}},
	{"the same, weights 1, 2, 5, 25", aggregate.Day, 365, 1, false, true, [2]int{7, 28}, []float64{1, 2, 5, 25}},
	{"a unit in six", aggregate.Day, 365, 6, false, false, [2]int{7, 28}, []float64{1, 1, 1, 1}},
	{"a unit in all, at once", aggregate.Day, 365, 365, true, false, [2]int{7, 28}, []float64{1, 1, 1, 1}},
	{"a unit in all, at once, days matter", aggregate.Day, 365, 365, true, false, [2]int{7, 28}, []float64{1, 1e-9, 1e-9, 1e-9}},
	{"30 days, a unit in all, at once, days matter", aggregate.Day, 30, 30, true, false, [2]int{7, 28}, []float64{1, 1e-9, 1e-9, 1e-9}},
}

// ofPurchases are the embedded purchases, week by week.
var ofPurchases = []shape{
	{"a customer in six weeks", aggregate.Week, 78, 6, false, false, [2]int{4, 0}, []float64{1, 1, 1}},
	{"a customer in six weeks, to date matters", aggregate.Week, 78, 6, false, false, [2]int{4, 0}, []float64{1e-9, 1e-9, 1}},
	{"a customer in all weeks, at once", aggregate.Week, 78, 78, true, false, [2]int{4, 0}, []float64{1, 1, 1}},
}

// views are those of a shape, in the order of its weights.
func (s shape) views() []aggregate.View {
	w := slices.Clone(s.weights)
	views := []aggregate.View{aggregate.EachPeriod(w[0])}
	for i, n := range s.windows {
		if n > 0 {
			views = append(views, aggregate.RollingWindow(n, w[i+1]))
		}
	}
	return append(views, aggregate.ToDate(w[len(w)-1]))
}

// question asks for what customers spent in each period, and how many they were.
func (s shape) question() (*aggregate.Query[spending, string, string], []aggregate.AnyColumn) {
	q := &aggregate.Query[spending, string, string]{
		Dataset: "purchases", UnitName: "customer", MaxGroups: s.most, MaxRowsPerGroup: math.MaxInt, Unit: func(r spending) string { return r.unit },
	}
	return q, []aggregate.AnyColumn{spent(q, aggregate.Bounds[float64]{Lower: 0, Upper: 200}).Sum(), q.Units()}
}

// prices returns the price list of the series, of revenue.
func (s shape) prices(loss dp.Loss) ([]aggregate.SeriesPrice, error) {
	q, columns := s.question()
	start := time.Date(1997, 1, 1, 0, 0, 0, 0, time.UTC)
	series := aggregate.Series[spending, string, string]{
		Query: q, Time: func(spending) time.Time { return start }, Zone: time.UTC, Step: s.step, First: start, Periods: s.periods,
		AtOnce: s.atOnce, Level: s.level, Views: s.views(),
	}
	plan, err := series.Plan(loss, columns...)
	if err != nil {
		return nil, err
	}
	return plan.Prices()[:len(s.weights)], nil
}

// A beside is the noise of a series in every view, as a share of something else.
type beside struct {
	shape
	Views []float64
	Mean  float64 // root of the mean of the squares, by weight
}

// besides returns the noise of a shape beside independent noise of all periods with the same cap.
func (s shape) besides(prices []aggregate.SeriesPrice) beside {
	b := beside{shape: s}
	sum, all := 0.0, 0.0
	for i, p := range prices {
		b.Views = append(b.Views, p.Relative)
		sum, all = sum+s.weights[i]*p.Relative*p.Relative, all+s.weights[i]
	}
	b.Mean = math.Sqrt(sum / all)
	return b
}

// times returns the noise beside something else that has so many times independent noise.
func (b beside) times(factor float64) beside {
	b.Views = slices.Clone(b.Views)
	for i := range b.Views {
		b.Views[i] /= factor
	}
	b.Mean /= factor
	return b
}

// apart returns the noise of a release of its own in every period, of the same loss in all, as
// a multiple of independent noise with the cap: such releases know nothing of each other, so a unit can be in all of them.
func (s shape) apart() float64 { return math.Sqrt(float64(s.periods) / float64(s.most)) }

// afterwards returns the noise of one report, when all is over, of all periods as groups, as
// a multiple of independent noise.
func (s shape) afterwards(loss dp.Loss, prices []aggregate.SeriesPrice) (float64, error) {
	q, columns := s.question()
	q.Group = func(r spending) string { return r.group }
	for i := range s.periods {
		q.Groups = append(q.Groups, fmt.Sprint(i))
	}
	plan, err := q.Plan(loss, columns...)
	if err != nil {
		return 0, err
	}
	return plan.Prices()[0].StdDev / (prices[0].StdDev / prices[0].Relative), nil
}

// series prints how much noise series have, which is known exactly.
func (o *options) series(w io.Writer) error {
	loss := dp.Approx{Epsilon: 1, Delta: o.Delta}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "Noise of a series beside that of independent noise in every period, for the same guarantee over the whole life: the root of\n"+
		"the mean variance over all windows. It is exact; views have equal weights where none are said. Level strategies are for streams too.\n\n")
	fmt.Fprintln(t, "365 days\teach day\tlast 7\tlast 28\tto date\tmean by weight\t")
	for _, s := range ofAYear {
		prices, err := s.prices(loss)
		if err != nil {
			return err
		}
		s.besides(prices).print(t, s.name)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nRevenue of the embedded purchases, 78 weeks, at %v in all.\n\n", loss)
	fmt.Fprintln(t, "beside\teach week\tlast 4\tto date\tmean by weight\t")
	for _, s := range ofPurchases {
		if err := s.printPurchases(t, loss); err != nil {
			return err
		}
	}
	return t.Flush()
}

// printPurchases prints the noise of a series and that beside three others.
func (s shape) printPurchases(t io.Writer, loss dp.Loss) error {
	prices, err := s.prices(loss)
	if err != nil {
		return err
	}
	all, err := s.afterwards(loss, prices)
	if err != nil {
		return err
	}
	fmt.Fprintf(t, "%s: ± at 95 %%\t", s.name)
	for _, p := range prices {
		fmt.Fprintf(t, "$%.0f\t", p.PlusMinus)
	}
	fmt.Fprintln(t, "\t")
	b := s.besides(prices)
	b.print(t, "independent noise, the same cap")
	b.times(s.apart()).print(t, "a release for each week, of the same total")
	b.times(all).print(t, "one report when all weeks are over")
	return nil
}

func (b beside) print(w io.Writer, name string) {
	fmt.Fprintf(w, "%s\t", name)
	for _, x := range b.Views {
		fmt.Fprintf(w, "%.2f\t", x)
	}
	fmt.Fprintf(w, "%.2f\t\n", b.Mean)
}
