package aggregate

import (
	"fmt"
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/normal"
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
	if each < leastTail {
		return nil, fmt.Errorf("aggregate: delta for each of %d groups is %.3g, must be at least %g for a threshold; use a larger delta or a smaller MaxKeys", l0, each, leastTail)
	}
	one := int64(1) << units.shift
	return &threshold{one + tailAt(units.law, each), units.shift, delta, units.law}, nil
}

// leastTail is the smallest probability for which tailAt is right: below, floats
// lose their digits and then become 0.
const leastTail = 1e-300

// tailAt returns t with P(X ≥ t) at most p. For Laplace P(X ≥ t) = q^t/(1+q)
// with q = exp(-1/scale); for Gaussian P(X ≥ t) is at most that of the
// continuous law beyond t-1, since the density falls and the normaliser of the
// discrete law is at least that of the continuous one.
func tailAt(l *core.Law, p float64) int64 {
	scale := exact.FloatUp(l.Scale)
	const up = 1 + 1e-9 // more than all the rounding below
	if l.Family == core.Laplace {
		const lost = 1e-15 // where p is near ½ the two logarithms cancel
		t := scale * (lost - math.Log(p) - math.Log1p(math.Exp(-1/scale))) * up
		return int64(math.Ceil(max(t, 1)))
	}
	return int64(math.Ceil(scale*max(normal.Beyond(math.Log(p)), 0)*up)) + 1
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
