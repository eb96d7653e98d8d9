package budget

import (
	"fmt"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// checkCovered returns nil if the loss that a charge declares holds for its
// events, by exact sums or by their privacy loss distributions
// (docs/proofs/filter-plan.md). Without it a program that declares too little
// would be charged too little.
func checkCovered(c *dp.Charge, p *price) error {
	if p.covered {
		return nil
	}
	return fmt.Errorf("budget: the events of the charge under key %q cost more than %v, which it declares; declare a larger loss", c.Key, c.Loss)
}

func planFits(c *dp.Charge, p *part) bool {
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
		compose(&whole, c)
		return whole.Delta(exact.FloatDown(epsilon)) <= exact.FloatDown(delta)
	}
	return false
}
