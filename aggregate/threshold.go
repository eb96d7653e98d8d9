package aggregate

import (
	"fmt"
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/calibrate"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// A threshold selects groups: those whose noisy number of units reaches it are
// released.
//
// A group that only one unit is in has one unit; it is released with
// probability P(1 + X ≥ T). A unit is alone in at most L0 groups, so the
// probability that any of them is released is at most L0·P(X ≥ T-1) ≤ δ.
// Proof: docs/proofs/threshold.md (Korolova, Kenthapadi, Mishra, Ntoulas 2009,
// Theorem 1).
type threshold struct {
	at    int64 // in steps of the noisy count of units
	shift uint
	delta *big.Rat
	law   *core.Law
}

func newThreshold(units *measure, l0 int64, delta *big.Rat) (*threshold, error) {
	each := exact.FloatDown(new(big.Rat).Quo(delta, big.NewRat(l0, 1)))
	if each < calibrate.LeastTail {
		return nil, fmt.Errorf("aggregate: delta for each of %d groups is %.3g, must be at least %g for a threshold; use a larger delta or a smaller MaxGroups", l0, each, calibrate.LeastTail)
	}
	one := int64(1) << units.shift
	return &threshold{at: one + calibrate.Tail(units.law, each), shift: units.shift, delta: delta, law: units.law}, nil
}

// atLeast returns a threshold of at least so many units: what is not shown then is a
// function of what was.
func (t *threshold) atLeast(units int) *threshold {
	if t == nil {
		return nil
	}
	higher := *t
	higher.at = max(t.at, min(int64(units), math.MaxInt64>>t.shift)<<t.shift)
	return &higher
}

// Units returns the threshold as a number of units.
func (t *threshold) units() float64 { return math.Ldexp(float64(t.at), -int(t.shift)) }

// shows returns from how many units on a group is released with the given
// probability.
func (t *threshold) shows(probability float64) float64 {
	return math.Ceil(t.units() + math.Ldexp(t.law.HalfWidth(2*probability-1), -int(t.shift)))
}

func (t *threshold) event() dp.Event {
	return dp.Event{Mechanism: dp.Threshold, For: "selection of groups", Delta: t.delta, Count: 1}
}
