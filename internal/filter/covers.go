package filter

import (
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// planFits says whether the loss that a charge declares holds for its events,
// by exact sums or by their privacy loss distributions
// (docs/proofs/filter-plan.md). Without it a program that declares too little
// would be charged too little.
func planFits(c *dp.Charge, p *Part) bool {
	epsilon, delta, rho := dp.PartsOf(c.Loss).Exact()
	switch {
	case rho.Sign() > 0:
		return p.delta.Cmp(delta) <= 0 && p.rho != nil && p.rho.Cmp(rho) <= 0
	case p.pure != nil && p.pure.Cmp(epsilon) <= 0 && p.delta.Cmp(delta) <= 0:
		return true
	case delta.Sign() == 0:
		return false
	}
	var whole pld.Composition
	Compose(&whole, c)
	return whole.Delta(exact.FloatDown(epsilon)) <= exact.FloatDown(delta)
}
