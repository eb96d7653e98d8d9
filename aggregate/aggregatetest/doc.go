// Package aggregatetest audits plans: it runs a whole plan on neighbouring inputs and
// tries to refute the loss that the plan claims.
//
//	func TestOrdersArePrivate(t *testing.T) {
//		aggregatetest.AuditPlan(t, plan, aggregatetest.Catalogue[Order]{
//			Row:   func(unit, key int, x float64) Order { return Order{ID(unit), days[key%7], x} },
//			Lower: 0, Upper: 100, Runs: 20_000, Alpha: 1e-6,
//		})
//	}
//
// AuditSeries does the same for a series, whose neighbours are a unit's whole history.
//
// What an audit says, and what it does not say, is in package dptest, which audits
// any mechanism and takes noise away for the duration of a test.
package aggregatetest
