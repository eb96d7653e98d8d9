package main

import (
	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// baskets asks how large purchases are. Three purchases of a customer count.
func baskets(_ []string, c *aggregate.Consent[string]) (question, error) {
	q := &aggregate.Query[purchase, string, string]{
		Dataset: dataset, UnitName: unit, Consent: c,
		Unit:      func(p purchase) string { return p.Customer },
		MaxGroups: 1, MaxRowsPerGroup: 3,
	}
	dollars := aggregate.PerRow(q, "dollars", func(p purchase) float64 { return p.Dollars }, aggregate.Bounds[float64]{Lower: 0, Upper: 200, Step: 0.01})
	return ask("baskets", "What a purchase comes to: the median, and what nine in ten do not exceed.", dp.Pure{Epsilon: 0.1}, q, dollars.Quantile(0.5), dollars.Quantile(0.9))
}
