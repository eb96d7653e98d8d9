//go:build unix

package aggregate_test

import (
	"flag"
	"fmt"
	"iter"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/sales"
)

func benchmarked(b *testing.B, n int) (*aggregate.Plan[order, customerID, int], []order) {
	q := &aggregate.Query[order, customerID, int]{
		Dataset: "orders", UnitName: "customer", MaxGroups: 3, MaxRowsPerGroup: 2,
		Unit: func(o order) customerID { return o.customer }, Group: func(o order) int { return int(o.cents % 1000) },
	}
	euros := aggregate.PerRow(q, "euros", func(o order) float64 { return o.euros }, aggregate.Bounds[float64]{Lower: 0, Upper: 200, Step: 0.01})
	plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Count(), q.Units(), euros.Mean())
	if err != nil {
		b.Fatal(err)
	}
	rows := make([]order, n)
	for i := range rows {
		rows[i] = order{customer: customerID(i / 4), cents: int64(i * 7919), euros: float64(i % 300)}
	}
	return plan, rows
}

var benchRows = flag.Int("rows", 1_000_000, "how many rows the benchmarks of Collect have")

var rowsOfSales = sync.OnceValue(func() []sales.Sale { return sales.Make(*benchRows) })

// BenchmarkCollect compares Collect with a plain map of the same columns that protects
// nobody, and with columns that are fed to the engine without an iterator. Of two sources each has half of the rows.
func BenchmarkCollect(b *testing.B) {
	for _, name := range []string{"sums", "quantiles"} {
		quantiles := name == "quantiles"
		b.Run(name+"/map", func(b *testing.B) { perRow(b, func() { sales.ByMap(rowsOfSales(), quantiles) }) })
		b.Run(name+"/columns", func(b *testing.B) { perRow(b, columnsOfSales(b, quantiles)) })
		for _, sources := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/sources=%d", name, sources), func(b *testing.B) {
				plan, err := sales.Plan(dp.Approx{Epsilon: 5, Delta: 1e-6}, quantiles)
				if err != nil {
					b.Fatal(err)
				}
				perRow(b, func() {
					all, n := rowsOfSales(), *benchRows/sources
					var rows []iter.Seq2[sales.Sale, error]
					for i := range sources {
						rows = append(rows, aggregate.Slice(all[i*n:(i+1)*n]))
					}
					if _, err := plan.Collect(b.Context(), rows...); err != nil {
						b.Fatal(err)
					}
				})
			})
		}
	}
}

// columnsOfSales returns what collects sales column by column.
func columnsOfSales(b *testing.B, quantiles bool) func() {
	plan, err := sales.Plan(dp.Approx{Epsilon: 5, Delta: 1e-6}, quantiles)
	if err != nil {
		b.Fatal(err)
	}
	var customers []int64
	var places []sales.Place
	for _, s := range rowsOfSales() {
		customers, places = append(customers, s.Customer), append(places, s.Place())
	}
	return func() {
		if _, err := aggregate.CollectColumns(b.Context(), plan, customers, places, rowsOfSales()); err != nil {
			b.Fatal(err)
		}
	}
}

// perRow reports the time that all processors spent on a row.
func perRow(b *testing.B, run func()) {
	rowsOfSales()
	cpu := processTime(b)
	for b.Loop() {
		run()
	}
	b.ReportMetric(float64((processTime(b)-cpu).Nanoseconds())/float64(b.N)/float64(*benchRows), "cpu-ns/row")
}

func processTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// One operation is a release of 1,000 groups with 4 noisy sums each.
func BenchmarkRelease(b *testing.B) {
	plan, rows := benchmarked(b, 100_000)
	part, err := plan.Collect(b.Context(), aggregate.Slice(rows))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := plan.Release(b.Context(), newPurse(), aggregate.Request{Key: "k", Purpose: "p"}, part); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCollectShards compares one process that reads all rows with eight that read the
// shards of them, one after the other.
func BenchmarkCollectShards(b *testing.B) {
	const of, secret = 8, "env:SHARDS"
	b.Setenv("SHARDS", "bench bench bench bench bench bench")
	plan, err := sales.Plan(dp.Approx{Epsilon: 5, Delta: 1e-6}, false)
	if err != nil {
		b.Fatal(err)
	}
	shardOf, err := plan.ShardOf(secret, of)
	if err != nil {
		b.Fatal(err)
	}
	parts := make([][]sales.Sale, of)
	for _, s := range rowsOfSales() {
		parts[shardOf(s.Customer)] = append(parts[shardOf(s.Customer)], s)
	}
	b.Run("one", func(b *testing.B) {
		perRow(b, func() {
			if _, err := plan.Collect(b.Context(), aggregate.Slice(rowsOfSales())); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("shards=8", func(b *testing.B) {
		perRow(b, func() {
			for i, rows := range parts {
				if _, err := plan.CollectShard(b.Context(), aggregate.Shard{Number: i, Of: of, Secret: secret}, aggregate.Slice(rows)); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}
