package main

import (
	"math"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// byWeekday asks how many customers bought on each day of the week. A customer counts on
// all of them.
func byWeekday(_ []string, c *aggregate.Consent[string]) (question, error) {
	q := &aggregate.Query[purchase, string, string]{
		Dataset: dataset, UnitName: unit, GroupName: "day of the week of purchase", Consent: c,
		Unit:  func(p purchase) string { return p.Customer },
		Group: func(p purchase) string { return p.time().Weekday().String() },
		Groups: []string{time.Monday.String(), time.Tuesday.String(), time.Wednesday.String(), time.Thursday.String(),
			time.Friday.String(), time.Saturday.String(), time.Sunday.String()},
		MaxGroups: 7, MaxRowsPerGroup: math.MaxInt,
	}
	return ask("weekdays", "Customers who bought on each day of the week.", dp.Pure{Epsilon: 0.1}, q, q.Units())
}
