//go:build unix

package aggregate_test

import (
	"flag"
	"runtime"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

var benchGroups = flag.Int("groups", 100_000, "how many groups the benchmarks of releases have")

// A ticket is a row of the benchmarks of releases: one of each of two people in each group.
type ticket struct {
	who, group int
	euros      float64
}

// ofManyGroups returns the sums of as many groups as are asked for, of which all are given.
func ofManyGroups(b *testing.B, columns func(*aggregate.Query[ticket, int, int], *aggregate.Value[float64]) []aggregate.AnyColumn) (*aggregate.Plan[ticket, int, int], *aggregate.Partial[int]) {
	n := *benchGroups
	q := &aggregate.Query[ticket, int, int]{
		Dataset: "visits", UnitName: "person", MaxGroups: 1, MaxRowsPerGroup: 1,
		Unit: func(v ticket) int { return v.who }, Group: func(v ticket) int { return v.group },
	}
	for i := range n {
		q.Groups = append(q.Groups, i)
	}
	euros := aggregate.PerRow(q, "euros", func(v ticket) float64 { return v.euros }, aggregate.Bounds[float64]{Lower: 0, Upper: 500, Step: 0.01})
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, columns(q, euros)...)
	if err != nil {
		b.Fatal(err)
	}
	part, err := plan.Collect(b.Context(), func(yield func(ticket, error) bool) {
		for i := range 2 * n {
			if !yield(ticket{i, i % n, float64(i % 300)}, nil) {
				return
			}
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	return plan, part
}

func countSumMean(q *aggregate.Query[ticket, int, int], euros *aggregate.Value[float64]) []aggregate.AnyColumn {
	return []aggregate.AnyColumn{q.Count(), euros.Sum(), euros.Mean()}
}

func withQuantiles(q *aggregate.Query[ticket, int, int], euros *aggregate.Value[float64]) []aggregate.AnyColumn {
	return append(countSumMean(q, euros), euros.Quantile(0.5), euros.Quantile(0.95))
}

// One operation is a release of all groups: paying, noise, and what is stored.
func BenchmarkReleaseOfManyGroups(b *testing.B) {
	b.Run("sums", func(b *testing.B) { releaseAll(b, countSumMean) })
	b.Run("quantiles", func(b *testing.B) { releaseAll(b, withQuantiles) })
}

func releaseAll(b *testing.B, columns func(*aggregate.Query[ticket, int, int], *aggregate.Value[float64]) []aggregate.AnyColumn) {
	plan, part := ofManyGroups(b, columns)
	runtime.GC()
	cpu := processTime(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := plan.Release(b.Context(), newPurse(), aggregate.Request{Key: "k", Purpose: "p"}, part); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((processTime(b)-cpu).Nanoseconds())/float64(b.N)/float64(*benchGroups), "cpu-ns/group")
}

// One operation reads one number of one cell.
func BenchmarkOf(b *testing.B) {
	*benchGroups = min(*benchGroups, 1000)
	var count aggregate.Column[int64]
	var sum, mean, median aggregate.Column[float64]
	plan, part := ofManyGroups(b, func(q *aggregate.Query[ticket, int, int], euros *aggregate.Value[float64]) []aggregate.AnyColumn {
		count, sum, mean, median = q.Count(), euros.Sum(), euros.Mean(), euros.Quantile(0.5)
		return []aggregate.AnyColumn{count, sum, mean, median}
	})
	release, err := plan.Release(b.Context(), newPurse(), aggregate.Request{Key: "k", Purpose: "p"}, part)
	if err != nil {
		b.Fatal(err)
	}
	var cells []aggregate.Cell
	for _, cell := range release.All() {
		cells = append(cells, cell)
	}
	run := func(name string, read func(aggregate.Cell) float64) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i, all := 0, 0.0
			for b.Loop() {
				all += read(cells[i])
				if i++; i == len(cells) {
					i = 0
				}
			}
			if all == 0.5 {
				b.Log(all)
			}
		})
	}
	run("count", func(c aggregate.Cell) float64 { return float64(count.Of(c).Value) })
	run("sum", func(c aggregate.Cell) float64 { return sum.Of(c).Value })
	run("mean", func(c aggregate.Cell) float64 { return mean.Of(c).Value })
	run("median", func(c aggregate.Cell) float64 { return median.Of(c).Value })
}
