package contest

import (
	"context"
	"iter"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/sales"
)

// Tenth is the engine that has a tenth of the memory that it would need, or the least that does.
const Tenth = "tenth"

// Ours is Equipoise, from rows to a release that is paid for. It returns how many groups are shown.
func (w Work) Ours(ctx context.Context, in Input, sources []iter.Seq2[sales.Sale, error]) (int, error) {
	loss := dp.Approx{Epsilon: 5, Delta: 1e-5}
	plan, err := w.plan(loss, in)
	if err != nil {
		return 0, err
	}
	account, err := budget.Create(ctx, budget.Memory(), budget.Terms{Dataset: "sales", Unit: "customer", Limit: loss})
	if err != nil {
		return 0, err
	}
	part, err := plan.Collect(ctx, sources...)
	if err != nil {
		return 0, err
	}
	release, err := plan.Release(ctx, account, aggregate.Request{Key: "bench", Purpose: "bench"}, part)
	if err != nil {
		return 0, err
	}
	return release.Len(), nil
}

// plan returns what is asked.
func (w Work) plan(loss dp.Loss, in Input) (*aggregate.Plan[sales.Sale, int64, sales.Place], error) {
	plan, err := sales.Plan(loss, w.Columns == Quantiles)
	if err != nil || w.Engine != Tenth {
		return plan, err
	}
	customers := min(in.Rows, sales.Customers(in.Rows, in.Shape))
	need, err := plan.Needs(aggregate.Size{Rows: in.Rows, Units: customers, Pairs: min(in.Rows, customers*sales.MostPlaces), Groups: 50_000, Sources: w.Workers})
	if err != nil {
		return nil, err
	}
	return plan.Within(aggregate.Memory{Most: max(need.Memory/10, need.Least)})
}
