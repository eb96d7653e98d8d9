package googledp

import (
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// Charge returns the charge of one release that consists of the events. Its loss
// is their sum (basic composition; Dwork, Roth 2014, Theorem 3.16), in exact
// decimals. Unit, Analyst and Periods are for the caller to set.
//
// The events are those of this package. With none, or with others, the charge
// has no loss, and an account refuses it.
func Charge(dataset, purpose, key string, events ...dp.Event) dp.Charge {
	return dp.Charge{Dataset: dataset, Purpose: purpose, Key: key, Loss: composed(events), Events: events}
}

// composed returns the sum of the events, or nil if one has no ε and δ.
func composed(events []dp.Event) dp.Loss {
	epsilon, delta := new(big.Rat), new(big.Rat)
	for _, e := range events {
		if e.Rho != nil || e.Mechanism != dp.Declared && e.Mechanism != dp.Threshold {
			return nil
		}
		addTimes(epsilon, e.Epsilon, e.Count)
		addTimes(delta, e.Delta, e.Count)
	}
	switch {
	case epsilon.Sign() == 0:
		return nil
	case delta.Sign() == 0:
		return dp.Pure{Epsilon: exact.DecimalUp(epsilon)}
	}
	return dp.Approx{Epsilon: exact.DecimalUp(epsilon), Delta: exact.DecimalUp(delta)}
}

func addTimes(sum, x *big.Rat, n int) {
	if x != nil {
		sum.Add(sum, new(big.Rat).Mul(x, big.NewRat(int64(n), 1)))
	}
}

// answer returns the events of an answer, if its options were ok.
func (c *checker) answer(name string, n noisy) ([]dp.Event, error) {
	return c.events(declared(name, n.epsilon, n.delta))
}

// declared is the event of an aggregator.
func declared(name string, epsilon, delta float64) dp.Event {
	e := dp.Event{Mechanism: dp.Declared, For: name, Epsilon: exact.Decimal(epsilon), Count: 1}
	if delta > 0 {
		e.Delta = exact.Decimal(delta)
	}
	return e
}

func threshold(name string, delta float64) dp.Event {
	return dp.Event{Mechanism: dp.Threshold, For: name, Delta: exact.Decimal(delta), Count: 1}
}
