package filter_test

import (
	"math/big"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/filter"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// No mechanism is free in a composition: one event is felt, two are felt more, and a
// composition at the event's own loss has at most its δ.
func TestEveryMechanismIsComposed(t *testing.T) {
	one := big.NewRat(1, 1)
	box := dp.Sensitivity{L0: 1, LInf: 1}
	for _, e := range []dp.Event{
		{Mechanism: dp.DiscreteLaplace, Sensitivity: box, Scale: one},
		{Mechanism: dp.DiscreteLaplaceVector, Sensitivity: box, Scale: one},
		{Mechanism: dp.Laplace, Sensitivity: box, Scale: one},
		{Mechanism: dp.DiscreteGaussian, Sensitivity: box, Scale: one},
		{Mechanism: dp.Gaussian, Sensitivity: box, Scale: one},
		{Mechanism: dp.BoundedRange, Epsilon: one},
		{Mechanism: dp.PermuteAndFlip, Epsilon: one},
		{Mechanism: dp.Declared, Epsilon: one},
		{Mechanism: dp.Declared, Epsilon: one, Rho: big.NewRat(1, 10)},
		{Mechanism: dp.AboveThreshold, Sensitivity: box, Scale: big.NewRat(2, 1), Epsilon: one},
		{Mechanism: dp.TruncatedGeometric, Epsilon: one, Delta: big.NewRat(1, 1000)},
		{Mechanism: dp.Threshold, Delta: big.NewRat(1, 1000)},
	} {
		e.Count = 1
		var once, twice pld.Composition
		filter.Compose(&once, &dp.Charge{Events: []dp.Event{e}})
		filter.Compose(&twice, &dp.Charge{Events: []dp.Event{e, e}})
		d1, d2 := once.Delta(0.25), twice.Delta(0.25)
		if !(d1 > 0) || !(d2 > d1) {
			t.Errorf("%s: δ at ε = 1/4 is %v for one event and %v for two", e.Mechanism, d1, d2)
		}
		e.Count = 2
		var counted pld.Composition
		filter.Compose(&counted, &dp.Charge{Events: []dp.Event{e}})
		if e.Mechanism == dp.AboveThreshold { // its count is of answers, of one use
			d2 = d1
		}
		if d := counted.Delta(0.25); d != d2 {
			t.Errorf("%s: δ at ε = 1/4 is %v for a count of two, and %v for two events", e.Mechanism, d, d2)
		}
	}
}
