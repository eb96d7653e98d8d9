package main

import (
	"math"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// byMonth asks how many customers bought in each month, and for how much. A customer counts
// in six months.
func byMonth(months []string, c *aggregate.Consent[string]) (question, error) {
	q := &aggregate.Query[purchase, string, string]{
		Dataset: dataset, UnitName: unit, GroupName: "month of purchase", Consent: c,
		Unit:   func(p purchase) string { return p.Customer },
		Group:  func(p purchase) string { return aggregate.Month.Name(p.time()) },
		Groups: months, MaxGroups: min(6, len(months)), MaxRowsPerGroup: math.MaxInt,
	}
	spent := aggregate.PerUnit(q, "dollars", func(p purchase) float64 { return p.Dollars }, aggregate.Bounds[float64]{Lower: 0, Upper: 200, Step: 0.01})
	return ask("months", "Customers who bought in each month, and what they spent.", dp.Pure{Epsilon: 0.2}, q, q.Units(), spent.Sum())
}
