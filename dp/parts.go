package dp

import (
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// Parts are the numbers of a loss. Those that its kind does not have are 0.
type Parts struct{ Epsilon, Delta, Rho float64 }

// PartsOf returns the numbers of a loss. Those of nil, which is nothing, are 0.
func PartsOf(l Loss) Parts {
	if l == nil {
		return Parts{}
	}
	return l.parts()
}

func (l Pure) parts() Parts         { return Parts{Epsilon: l.Epsilon} }
func (l Approx) parts() Parts       { return Parts{Epsilon: l.Epsilon, Delta: l.Delta} }
func (l Concentrated) parts() Parts { return Parts{Rho: l.Rho, Delta: l.Delta} }

// Loss returns the loss with these parts: a [Concentrated] if there is a ρ, an
// [Approx] if there is a δ, else a [Pure]. It returns nil, which is nothing, if
// all parts are 0, and if a ρ stands beside an ε, which is no loss.
//
// An amount such as what was spent may have a δ and no ε. That is an Approx too,
// which can be shown and not be spent.
func (p Parts) Loss() Loss {
	switch {
	case p == Parts{}, p.Rho != 0 && p.Epsilon != 0:
		return nil
	case p.Rho != 0:
		return Concentrated{Rho: p.Rho, Delta: p.Delta}
	case p.Delta != 0:
		return Approx{p.Epsilon, p.Delta}
	}
	return Pure{p.Epsilon}
}

// Exact returns the parts as the rationals that were written. They are nil where
// the parts are not finite.
func (p Parts) Exact() (epsilon, delta, rho *big.Rat) {
	return exact.Decimal(p.Epsilon), exact.Decimal(p.Delta), exact.Decimal(p.Rho)
}

// Approx returns the (ε, δ) that the loss implies at a δ in (0, 1), with ε
// rounded up (Canonne, Kamath, Steinke 2020, Proposition 12; proof:
// docs/proofs/accounting-conversions.md). Of δ, what exceeds Delta is for ρ; if nothing
// does, ε is infinite. Where that ε is 0 or infinite, the result does not pass its Check.
func (l Concentrated) Approx(delta float64) Approx {
	if !(delta > l.Delta) { // written so that NaN fails
		return Approx{math.Inf(1), delta}
	}
	rest := new(big.Rat).Sub(exact.Decimal(delta), exact.Decimal(l.Delta))
	// RhoEpsilon has room for the half unit in the last place between Rho and
	// the decimal that it stands for.
	return Approx{pld.RhoEpsilon(l.Rho, exact.FloatDown(rest)), delta}
}
