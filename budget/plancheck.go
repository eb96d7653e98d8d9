package budget

import (
	"fmt"

	"github.com/equipoise-dp/equipoise/dp"
)

// checkPlan returns nil if the loss of a reservation holds for its events.
func checkPlan(c *dp.Charge) error {
	p := priceOf(c, nil)
	switch l := c.Loss.(type) {
	case dp.Pure:
		if p.events.delta.Sign() == 0 && p.events.pure != nil && p.events.pure.Cmp(l.Exact()) <= 0 {
			return nil
		}
	case dp.Concentrated:
		if p.events.delta.Sign() == 0 && p.events.rho != nil && p.events.rho.Cmp(l.Exact()) <= 0 {
			return nil
		}
	case dp.Approx:
		epsilon, delta := l.Exact()
		if p.events.pure != nil && p.events.pure.Cmp(epsilon) <= 0 && p.events.delta.Cmp(delta) <= 0 {
			return nil
		}
	}
	return fmt.Errorf("budget: the events of the reservation are not %v; declare a larger loss", c.Loss)
}
