package aggregate_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// Order is a row of the examples of series.
type Order struct {
	Customer int64
	Country  string
	At       time.Time
	Cents    int64
}

func weekly() (*aggregate.Query[Order, int64, string], *aggregate.Series[Order, int64, string]) {
	q := &aggregate.Query[Order, int64, string]{
		Dataset: "orders", UnitName: "customer",
		Unit:  func(o Order) int64 { return o.Customer },
		Group: func(o Order) string { return o.Country }, GroupName: "country",
		Groups: []string{"AT", "CH"}, MaxGroups: 6, MaxRowsPerGroup: 1,
	}
	return q, &aggregate.Series[Order, int64, string]{
		Query: q,
		Time:  func(o Order) time.Time { return o.At }, Zone: time.UTC,
		Step: aggregate.Week, First: time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), Periods: 104,
		Views: []aggregate.View{aggregate.EachPeriod(1), aggregate.RollingWindow(4, 1), aggregate.ToDate(1), aggregate.CalendarTotals(aggregate.Quarter, 1)},
	}
}

// What every number of two years will be like is known before anything is paid.
func ExampleSeries() {
	q, series := weekly()
	plan, err := series.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Units())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(plan)
	// Output:
	// orders of customer: ε=1 δ=1e-06 for all of 104 weeks, 2026-W02 to 2027-W52, released one by one
	// each customer counts in at most 6 pairs of a group and a week, with at most 1 row in each
	//
	// column  view            ± at 95 %  beside independent noise
	// units   each period     21.2       1.05 ((1-z)^-0.05 1.08, independent noise 1.00)
	// units   last 4 periods  41.46      1.03 ((1-z)^-0.05 1.03, independent noise 1.00)
	// units   to date         118.1      0.80 ((1-z)^-0.05 0.90, independent noise 1.00)
	// units   each quarter    72.05      0.99 ((1-z)^-0.05 0.97, independent noise 1.00)
	// noise of units: fading sums [0 0 0 52 0 0]/4096
}

// Week after week one more period is released. The first call pays for all of them.
func ExampleAdvance() {
	ctx := context.Background()
	account, err := budget.Create(ctx, budget.Memory(), budget.Terms{
		Dataset: "orders", Unit: "customer", Limit: dp.Approx{Epsilon: 1, Delta: 1e-6}})
	if err != nil {
		log.Fatal(err)
	}
	q, series := weekly()
	units := q.Units()
	plan, err := series.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, units)
	if err != nil {
		log.Fatal(err)
	}
	orders := []Order{{1, "AT", time.Date(2026, 1, 6, 12, 0, 0, 0, time.UTC), 999}}
	request := aggregate.Request{Key: "weekly report", Purpose: "planning"}
	for week := 1; week <= 8; week++ {
		trend, err := aggregate.Advance(ctx, plan, account, request, week, aggregate.Slice(orders))
		if err != nil {
			log.Fatal(err)
		}
		if week < 8 {
			continue
		}
		now := aggregate.Stretch[string]{From: 4, To: 8}
		before := aggregate.Stretch[string]{From: 0, To: 4}
		cell, err1 := trend.Over(now)
		change, err2 := aggregate.Difference(trend, units, now, before)
		ratio, err3 := aggregate.Ratio(trend, units, now, before)
		fmt.Println(trend.Periods()[7], len(trend.Receipts()), "releases", err1, err2, err3)
		_, _, _ = units.Of(cell), change, ratio // numbers with intervals
	}
	status, err := account.Status(ctx)
	fmt.Println("left:", status.Whole.Left, err)
	// Output:
	// 2026-W09 8 releases <nil> <nil> <nil>
	// left: <nil> <nil>
}
