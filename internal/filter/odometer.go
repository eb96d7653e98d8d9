package filter

import (
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
)

// An odometer adds up and has no limit, so it refuses only what its rule has no sum for.
// The sums of Basic and ZCDP are the same under every limit; those of the other rules are
// not. What may be read off it: docs/proofs/odometer.md.
type odometer struct{ Filter }

// beyond is more than any sum that charges come to.
var beyond = new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 1<<12))

func newOdometer(r Rule) Filter {
	switch r {
	case Basic:
		return odometer{&basicFilter{epsilon: beyond, delta: beyond, sumE: zero, sumD: zero}}
	case ZCDP:
		return odometer{&zcdpFilter{rho: rhoMeter{limit: beyond, sum: zero}, failures: zero, delta: zero}}
	}
	panic("budget: internal error: an odometer of another rule was let through")
}

func (o odometer) Clone() Filter { return odometer{o.Filter.Clone()} }

func (o odometer) Limit() dp.Loss { return nil }
func (o odometer) Left() dp.Loss  { return nil }

// Lacks says why a charge has no sum.
func (o odometer) Lacks(p *Price) string {
	switch _, basic := o.Filter.(*basicFilter); {
	case o.Decide(p) != Refused:
		return ""
	case basic:
		return "an odometer of rule basic adds up ε and δ, and has no δ at which a ρ becomes an ε; use rule zcdp, or a dp.Approx"
	}
	return "an odometer of rule zcdp adds up ρ, and takes no charge with a δ of its own; use rule basic"
}

// Raise is not reached: there is no limit to raise.
func (o odometer) Raise(dp.Loss) Filter { return o }
