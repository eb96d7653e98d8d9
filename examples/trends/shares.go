package main

import "github.com/equipoise-dp/equipoise/aggregate"

// How the loss is shared where there is a value, in the order of the columns: units, rows,
// total, mean, median and 95th percentile. The number of units is well known with little, and
// quantiles need much. The first were chosen so that the embedded report, whose data is public, is
// about as near to its aims in all numbers; where the number of units selects what is shown, it
// needs as much as the rest.
var (
	weightsGiven    = []float64{0.2, 2, 6, 4, 5, 5}
	weightsSelected = []float64{1, 1, 3, 1, 1, 1}
)

// weigh gives the columns the weights that -for found, or those of a report with a value.
func (o *options) weigh(all *asked) {
	weights := o.weights
	switch {
	case weights != nil || o.Value == "":
	case o.selects():
		weights = weightsSelected
	default:
		weights = weightsGiven
	}
	for i, weight := range weights {
		all.columns[i] = aggregate.Weighted{AnyColumn: all.columns[i], Weight: weight}
	}
}
