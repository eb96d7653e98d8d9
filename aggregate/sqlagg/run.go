package sqlagg

import (
	"context"

	"github.com/equipoise-dp/equipoise/aggregate"
)

// Run is Plan.Run through a database: it returns the stored release if there is one; else it asks what b can
// afford, collects by [Collect], pays, adds noise, keeps and releases, in this order.
func Run[Unit, Group comparable](ctx context.Context, s Source, p *aggregate.Plan[Row, Unit, Group], b aggregate.Budget, r aggregate.Request) (*aggregate.Release[Group], error) {
	return p.RunFrom(ctx, b, r, func(ctx context.Context, p *aggregate.Plan[Row, Unit, Group]) (*aggregate.Partial[Group], error) {
		return Collect(ctx, s, p)
	})
}
