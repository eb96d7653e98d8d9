package main

import (
	"math"
	"math/rand/v2"
)

// A sale is of one of a million customers, half of the sales of all of them alike and half
// of few; on one of 1,000 days in one of 50 countries, of which some are much larger.
type sale struct {
	customer     int64
	day, country int32
	euros        float64
}

type place struct{ Day, Country int32 }

func (s sale) place() place { return place{s.day, s.country} }

// What the private engines keep of a customer, and the bounds of an amount.
const (
	mostPlaces, mostSales = 10, 2
	mostEuros             = 500
)

func makeSales(n int) []sale {
	rng := rand.New(rand.NewPCG(1, 1))
	busy, countries := rand.NewZipf(rng, 1.1, 50, 999_999), rand.NewZipf(rng, 1.3, 1, 49)
	all := make([]sale, n)
	for i := range all {
		c := int64(busy.Uint64())
		if i%2 == 0 {
			c = rng.Int64N(1_000_000)
		}
		all[i] = sale{c, int32(rng.IntN(1000)), int32(countries.Uint64()), math.Round(100*math.Exp(3+rng.NormFloat64())) / 100}
	}
	return all
}
