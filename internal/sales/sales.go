// Package sales is the work that the benchmarks of aggregate and the program examples/bench
// measure: made-up sales, a plan for them, and a plain map of the same columns.
package sales

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// A Sale is of one of a million customers, half of the sales of all of them alike and half
// of few; on one of 1,000 days in one of 50 countries, of which some are much larger.
type Sale struct {
	Customer     int64
	Day, Country int32
	Euros        float64
}

// A Place is where and when something was sold.
type Place struct{ Day, Country int32 }

// Place returns the group of a sale.
func (s Sale) Place() Place { return Place{s.Day, s.Country} }

// What is kept of a customer, and the bounds of an amount.
const (
	MostPlaces, MostSales = 10, 2
	MostEuros             = 500
)

// Make returns n sales, the same ones every time.
func Make(n int) []Sale {
	rng := rand.New(rand.NewPCG(1, 1))
	busy, countries := rand.NewZipf(rng, 1.1, 50, 999_999), rand.NewZipf(rng, 1.3, 1, 49)
	all := make([]Sale, n)
	for i := range all {
		c := int64(busy.Uint64())
		if i%2 == 0 {
			c = rng.Int64N(1_000_000)
		}
		all[i] = Sale{c, int32(rng.IntN(1000)), int32(countries.Uint64()), math.Round(100*math.Exp(3+rng.NormFloat64())) / 100}
	}
	return all
}

// The shapes that sales can have.
const (
	Busy  = "busy"  // a million customers, as Make makes them
	Alone = "alone" // each sale is of another customer
	Few   = "few"   // a thousand customers
)

// Shapes are all of them.
var Shapes = []string{Busy, Alone, Few}

// Shaped returns n sales of a shape.
func Shaped(n int, shape string) []Sale {
	all := Make(n)
	for i := range all {
		switch shape {
		case Alone:
			all[i].Customer = int64(i)
		case Few:
			all[i].Customer %= few
		}
	}
	return all
}

const few = 1000

// Customers returns how many there are at most.
func Customers(n int, shape string) int {
	switch shape {
	case Alone:
		return n
	case Few:
		return few
	}
	return 1_000_000
}

// Plan asks for the count, sum and mean of every place, and for two quantiles.
func Plan(loss dp.Loss, quantiles bool) (*aggregate.Plan[Sale, int64, Place], error) {
	q := &aggregate.Query[Sale, int64, Place]{
		Dataset: "sales", UnitName: "customer", MaxGroups: MostPlaces, MaxRowsPerGroup: MostSales,
		Unit: func(s Sale) int64 { return s.Customer }, Group: Sale.Place,
	}
	euros := aggregate.PerRow(q, "euros", func(s Sale) float64 { return s.Euros }, aggregate.Bounds[float64]{Lower: 0, Upper: MostEuros, Step: 0.01})
	columns := []aggregate.AnyColumn{q.Count(), euros.Sum(), euros.Mean()}
	if quantiles {
		columns = append(columns, euros.Quantile(0.5), euros.Quantile(0.95))
	}
	return q.Plan(loss, columns...)
}

// ByMap adds up the same columns, protects nobody, and returns how many places there are.
// For quantiles it sorts all amounts of a place.
func ByMap(rows []Sale, quantiles bool) int {
	type sums struct {
		n       int64
		euros   float64
		amounts []float64
	}
	places := make(map[Place]*sums)
	for _, r := range rows {
		p := places[r.Place()]
		if p == nil {
			p = new(sums)
			places[r.Place()] = p
		}
		p.n++
		p.euros += r.Euros
		if quantiles {
			p.amounts = append(p.amounts, r.Euros)
		}
	}
	for _, p := range places {
		slices.Sort(p.amounts)
	}
	return len(places)
}
