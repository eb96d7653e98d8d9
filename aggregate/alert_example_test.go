package aggregate_test

import (
	"context"
	"crypto/hpke"
	"fmt"
	"log"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// dailyAlert asks of every day of a year whether fewer than 200 customers bought in a country.
func dailyAlert() (*aggregate.AlertPlan[Order, int64, string], error) {
	q := &aggregate.Query[Order, int64, string]{
		Dataset: "orders", UnitName: "customer",
		Unit:  func(o Order) int64 { return o.Customer },
		Group: func(o Order) string { return o.Country }, GroupName: "country",
		Groups: []string{"AT", "CH"}, MaxGroups: 2, MaxRowsPerGroup: 1,
	}
	alert := &aggregate.Alert[Order, int64, string]{
		Query: q, Time: func(o Order) time.Time { return o.At }, Zone: time.UTC,
		Step: aggregate.Day, First: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Periods: 365,
		When: aggregate.Below(200), Most: 3,
	}
	return alert.Plan(dp.Pure{Epsilon: 1}, q.Units())
}

// How near to the threshold alerts will be is known before anything is paid. People may be
// there on every day: independent noise for every day would have a scale of 730 at this loss.
func ExampleAlert() {
	plan, err := dailyAlert()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(plan)
	// Output:
	// orders of customer: ε=1 for all of 365 days, 2026-01-01 to 2026-12-31
	// at most 3 alerts: units below 200 in a day, in any of 2 groups
	// none at all, at 95 %, while every number is 36 or more away on the right side
	// one for certain, at 95 %, where a number is 12 or more away on the wrong side
}

// Day after day one more period is asked about. The first call pays for all of them; the key
// is kept from the first call to the last.
func ExampleWatch() {
	ctx := context.Background()
	account, err1 := budget.Create(ctx, budget.Memory(), budget.Terms{Dataset: "orders", Unit: "customer", Limit: dp.Pure{Epsilon: 1}})
	plan, err2 := dailyAlert()
	key, err3 := hpke.MLKEM768X25519().GenerateKey()
	if err1 != nil || err2 != nil || err3 != nil {
		log.Fatal(err1, err2, err3)
	}
	var orders []Order // both countries do well on the first day, and on the second nobody buys
	for customer := range int64(1000) {
		for _, country := range []string{"AT", "CH"} {
			orders = append(orders, Order{customer, country, time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), 999})
		}
	}
	request := aggregate.Request{Key: "watch customers", Purpose: "operations"}
	for day := 1; day <= 2; day++ {
		alerts, err := aggregate.Watch(ctx, plan, account, key, request, day, aggregate.Slice(orders))
		if err != nil {
			log.Fatal(err)
		}
		for _, a := range alerts.Given {
			fmt.Println(alerts.Periods[day-1], "alert:", a.Group, a.Period)
		}
	}
	status, err := account.Status(ctx)
	fmt.Println("left:", status.Whole.Left, err)
	// Output:
	// 2026-01-02 alert: AT 2026-01-02
	// 2026-01-02 alert: CH 2026-01-02
	// left: <nil> <nil>
}
