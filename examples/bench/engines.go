package main

import (
	"context"
	"iter"

	"github.com/google/differential-privacy/go/v2/dpagg"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/examples/bench/internal/contest"
	"github.com/equipoise-dp/equipoise/internal/sales"
)

const (
	sums      = contest.Sums
	quantiles = contest.Quantiles
)

// cases are what engines do, in their turns. Of two workers each reads half of the rows.
var cases = []contest.Work{
	{Columns: sums, Engine: "map", Workers: 1}, {Columns: sums, Engine: "ours", Workers: 1}, {Columns: sums, Engine: "ours", Workers: 2},
	{Columns: sums, Engine: contest.Tenth, Workers: 1}, {Columns: sums, Engine: "csv", Workers: 1}, {Columns: sums, Engine: "csv", Workers: 2},
	{Columns: sums, Engine: "parquet", Workers: 1}, {Columns: sums, Engine: "parquet", Workers: 2},
	{Columns: sums, Engine: "duckdb", Workers: 1}, {Columns: sums, Engine: "duckdb", Workers: 2}, {Columns: sums, Engine: "google", Workers: 1},
	{Columns: quantiles, Engine: "map", Workers: 1}, {Columns: quantiles, Engine: "ours", Workers: 1}, {Columns: quantiles, Engine: "ours", Workers: 2},
	{Columns: quantiles, Engine: contest.Tenth, Workers: 1}, {Columns: quantiles, Engine: "csv", Workers: 1},
	{Columns: quantiles, Engine: "parquet", Workers: 1}, {Columns: quantiles, Engine: "duckdb", Workers: 1}, {Columns: quantiles, Engine: "duckdb", Workers: 2},
	{Columns: quantiles, Engine: "google", Workers: 1},
}

// others are engines of the module examples/bench/others.
var others = []string{"parquet", "duckdb"}

// prepare returns an engine of this module.
func prepare(w contest.Work, in contest.Input, rows []sales.Sale, dir string) (contest.Answer, error) {
	switch w.Engine {
	case "ours", contest.Tenth:
		sources := slicesOf(contest.Parts(w, rows))
		return func(ctx context.Context) (int, error) { return w.Ours(ctx, in, sources) }, nil
	case "csv":
		files, err := writeFiles(dir, contest.Parts(w, rows))
		return func(ctx context.Context) (int, error) { return fromFiles(ctx, w, in, files) }, err
	case "google":
		return func(context.Context) (int, error) { return google(rows, w.Columns == quantiles) }, nil
	}
	return func(context.Context) (int, error) { return sales.ByMap(rows, w.Columns == quantiles), nil }, nil
}

func slicesOf(parts [][]sales.Sale) (sources []iter.Seq2[sales.Sale, error]) {
	for _, part := range parts {
		sources = append(sources, aggregate.Slice(part))
	}
	return sources
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
func google(rows []sales.Sale, quantiles bool) (int, error) {
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
			if g, err = newHand(quantiles); err != nil {
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

func newHand(quantiles bool) (g *hand, err error) {
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
	if quantiles {
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
