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
	switch l := c.Loss.(type) {
	case dp.Pure:
		return p.delta.Sign() == 0 && p.pure != nil && p.pure.Cmp(l.Exact()) <= 0
	case dp.Concentrated:
		return p.delta.Sign() == 0 && p.rho != nil && p.rho.Cmp(l.Exact()) <= 0
	case dp.Approx:
		epsilon, delta := l.Exact()
		if p.pure != nil && p.pure.Cmp(epsilon) <= 0 && p.delta.Cmp(delta) <= 0 {
			return true
		}
		var whole pld.Composition
		Compose(&whole, c)
		return whole.Delta(exact.FloatDown(epsilon)) <= exact.FloatDown(delta)
	}
	return false
}
