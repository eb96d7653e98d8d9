package filter

import (
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
)

// A Filter holds one limit. What it accepted never exceeds the limit, however
// charges were chosen; the proof is named at each implementation.
type Filter interface {
	// Decide says how the filter would take a charge, or Refused.
	Decide(*Price) Way

	// Add takes a charge in the given way, without asking whether it fits:
	// what was decided once is not decided again. n copies are taken.
	Add(p *Price, w Way, n int64)

	Clone() Filter

	// Raise returns the filter with another limit of the same kind, at least as
	// large, and all that was added.
	Raise(dp.Loss) Filter

	Limit() dp.Loss

	// Spent is the least limit that would have sufficed, rounded up; nil for
	// nothing.
	Spent() dp.Loss

	// Left is a loss such that a charge that declares it fits, rounded down;
	// nil for nothing.
	Left() dp.Loss

	// leftRho is the same for a charge that declares a dp.Concentrated: its ρ and its δ.
	leftRho() (rho, delta *big.Rat)

	// Binds returns the numbers of the limit that are too small for a charge that
	// is refused: some of "epsilon", "delta" and "rho".
	Binds(*Price) []string

	// Lacks says why a charge can never fit, or returns "".
	Lacks(*Price) string

	// state returns what was added; restore adds it to a filter that is new.
	state() State
	restore(*reading)
}
