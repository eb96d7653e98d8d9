package forecast

import "github.com/equipoise-dp/equipoise/aggregate"

// NextCheaper returns the plan that PlanFor returns with the next smaller loss, shared
// in the same way.
func NextCheaper[Row any, Unit, Group comparable](q *aggregate.Query[Row, Unit, Group], g Goal) (*aggregate.Plan[Row, Unit, Group], error) {
	s := &solver[Row, Unit, Group]{query: q, goal: g}
	best := s.best()
	return s.query.Plan(best.kind(losses.size(best.rung-1)), s.columns(best.weights)...)
}
