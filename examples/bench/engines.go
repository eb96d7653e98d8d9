package main

import (
	"context"
	"fmt"
	"iter"

	"github.com/google/differential-privacy/go/v2/dpagg"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/sales"
)

// A work is one engine on one set of columns. Of two workers each reads half of the rows.
type work struct {
	columns, engine string
	workers         int
}

const (
	sums      = "count, sum, mean"
	quantiles = "count, sum, mean, p50, p95"
)

var cases = []work{
	{sums, "map", 1}, {sums, "ours", 1}, {sums, "ours", 2}, {sums, "tenth", 1}, {sums, "csv", 1}, {sums, "csv", 2}, {sums, "google", 1},
	{quantiles, "map", 1}, {quantiles, "ours", 1}, {quantiles, "ours", 2}, {quantiles, "csv", 1}, {quantiles, "google", 1},
}

func (w work) String() string { return fmt.Sprintf("%s/%s/%d", w.columns, w.engine, w.workers) }

// prepare returns what reads all rows, answers, and returns how many groups it shows. What
// it needs beforehand is made in a folder.
func (w work) prepare(rows []sales.Sale, dir string) (answer func(context.Context) (int, error), err error) {
	switch w.engine {
	case "ours", "tenth":
		return func(ctx context.Context) (int, error) { return w.ours(ctx, len(rows), slicesOf(w.parts(rows))) }, nil
	case "csv":
		files, err := writeFiles(dir, w.parts(rows))
		return func(ctx context.Context) (int, error) { return w.fromFiles(ctx, len(rows), files) }, err
	case "google":
		return func(context.Context) (int, error) { return w.google(rows) }, nil
	}
	return func(context.Context) (int, error) { return sales.ByMap(rows, w.columns == quantiles), nil }, nil
}

// parts gives each worker its rows.
func (w work) parts(rows []sales.Sale) (parts [][]sales.Sale) {
	for i := range w.workers {
		parts = append(parts, rows[i*len(rows)/w.workers:(i+1)*len(rows)/w.workers])
	}
	return parts
}

func slicesOf(parts [][]sales.Sale) (sources []iter.Seq2[sales.Sale, error]) {
	for _, part := range parts {
		sources = append(sources, aggregate.Slice(part))
	}
	return sources
}

// ours is Equipoise, from rows to a release that is paid for.
func (w work) ours(ctx context.Context, rows int, sources []iter.Seq2[sales.Sale, error]) (int, error) {
	loss := dp.Approx{Epsilon: 5, Delta: 1e-5}
	plan, err := w.plan(loss, rows)
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

// plan returns what is asked. The engine tenth has a tenth of the memory that it would need, or the
// least that does.
func (w work) plan(loss dp.Loss, rows int) (*aggregate.Plan[sales.Sale, int64, sales.Place], error) {
	plan, err := sales.Plan(loss, w.columns == quantiles)
	if err != nil || w.engine != "tenth" {
		return plan, err
	}
	need, err := plan.Needs(aggregate.Size{Rows: rows, Units: min(rows, 1_000_000), Pairs: min(rows, 1_000_000*sales.MostPlaces), Groups: 50_000, Sources: w.workers})
	if err != nil {
		return nil, err
	}
	return plan.Within(aggregate.Memory{Most: max(need.Memory/10, need.Least)})
}

// A hand is what a program has of a group that uses Google's library by hand.
type hand struct {
	count     *dpagg.Count
	sum       *dpagg.BoundedSumFloat64
	mean      *dpagg.BoundedMean
	quantiles *dpagg.BoundedQuantiles
	selected  *dpagg.PreAggSelectPartition
}

// google is Google's library with Laplace noise and ε = 1 for each answer. What a customer
// may contribute is left to the program: the first rows are kept, which is the cheapest way, and
// as good as any where rows come in no order.
func (w work) google(rows []sales.Sale) (int, error) {
	type visit struct {
		customer int64
		place    sales.Place
	}
	visits, places, groups := make(map[visit]int), make(map[int64]int), make(map[sales.Place]*hand)
	for _, r := range rows {
		v := visit{r.Customer, r.Place()}
		n := visits[v]
		if n == sales.MostSales || n == 0 && places[r.Customer] == sales.MostPlaces {
			continue
		}
		if visits[v]++; n == 0 {
			places[r.Customer]++
		}
		g := groups[v.place]
		if g == nil {
			var err error
			if g, err = w.hand(); err != nil {
				return 0, err
			}
			groups[v.place] = g
		}
		if err := g.add(r.Euros, n == 0); err != nil {
			return 0, err
		}
	}
	shown := 0
	for _, g := range groups {
		ok, err := g.release()
		if err != nil {
			return 0, err
		}
		if ok {
			shown++
		}
	}
	return shown, nil
}

func (w work) hand() (g *hand, err error) {
	g = new(hand)
	if g.selected, err = dpagg.NewPreAggSelectPartition(&dpagg.PreAggSelectPartitionOptions{Epsilon: 1, Delta: 1e-5, MaxPartitionsContributed: sales.MostPlaces}); err != nil {
		return nil, err
	}
	if g.count, err = dpagg.NewCount(&dpagg.CountOptions{Epsilon: 1, MaxPartitionsContributed: sales.MostPlaces * sales.MostSales}); err != nil {
		return nil, err
	}
	if g.sum, err = dpagg.NewBoundedSumFloat64(&dpagg.BoundedSumFloat64Options{Epsilon: 1, MaxPartitionsContributed: sales.MostPlaces * sales.MostSales, Lower: 0, Upper: sales.MostEuros}); err != nil {
		return nil, err
	}
	if g.mean, err = dpagg.NewBoundedMean(&dpagg.BoundedMeanOptions{Epsilon: 1, MaxPartitionsContributed: sales.MostPlaces, MaxContributionsPerPartition: sales.MostSales, Lower: 0, Upper: sales.MostEuros}); err != nil {
		return nil, err
	}
	if w.columns == quantiles {
		g.quantiles, err = dpagg.NewBoundedQuantiles(&dpagg.BoundedQuantilesOptions{Epsilon: 1, MaxPartitionsContributed: sales.MostPlaces, MaxContributionsPerPartition: sales.MostSales, Lower: 0, Upper: sales.MostEuros})
	}
	return g, err
}

func (g *hand) add(euros float64, firstOfCustomer bool) error {
	if firstOfCustomer {
		if err := g.selected.Increment(); err != nil {
			return err
		}
	}
	if g.quantiles != nil {
		if err := g.quantiles.Add(euros); err != nil {
			return err
		}
	}
	if err := g.count.Increment(); err != nil {
		return err
	}
	if err := g.sum.Add(euros); err != nil {
		return err
	}
	return g.mean.Add(euros)
}

// release draws every answer, and reports whether the group is shown.
func (g *hand) release() (bool, error) {
	ok, err := g.selected.ShouldKeepPartition()
	if err != nil || !ok {
		return false, err
	}
	if _, err = g.count.Result(); err != nil {
		return false, err
	}
	if _, err = g.sum.Result(); err != nil {
		return false, err
	}
	if _, err = g.mean.Result(); err != nil || g.quantiles == nil {
		return true, err
	}
	for _, rank := range []float64{0.5, 0.95} {
		if _, err = g.quantiles.Result(rank); err != nil {
			return false, err
		}
	}
	return true, nil
}
