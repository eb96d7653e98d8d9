//go:build unix

package aggregate_test

import (
	"flag"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
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

// A sale is a row of the benchmarks: of one of a million customers, half of the rows of
// all of them alike and half of few; on one of 1,000 days in one of 50 countries.
type sale struct {
	customer     int64
	day, country int32
	euros        float64
}

type place struct{ Day, Country int32 }

func (s sale) place() place { return place{s.day, s.country} }

var sales = sync.OnceValue(func() []sale {
	rng := rand.New(rand.NewPCG(1, 1))
	busy, countries := rand.NewZipf(rng, 1.1, 50, 999_999), rand.NewZipf(rng, 1.3, 1, 49)
	all := make([]sale, *benchRows)
	for i := range all {
		c := int64(busy.Uint64())
		if i%2 == 0 {
			c = rng.Int64N(1_000_000)
		}
		all[i] = sale{c, int32(rng.IntN(1000)), int32(countries.Uint64()), math.Round(100*math.Exp(3+rng.NormFloat64())) / 100}
	}
	return all
})

// BenchmarkCollect compares Collect with a plain map of the same columns that protects
// nobody. Of two sources each has half of the rows.
func BenchmarkCollect(b *testing.B) {
	for _, name := range []string{"sums", "quantiles"} {
		quantiles := name == "quantiles"
		b.Run(name+"/map", func(b *testing.B) { perRow(b, func() { byMap(sales(), quantiles) }) })
		for _, sources := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/sources=%d", name, sources), func(b *testing.B) {
				plan := ofSales(b, quantiles)
				perRow(b, func() {
					all, n := sales(), len(sales())/sources
					var rows []iter.Seq2[sale, error]
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

func ofSales(b *testing.B, quantiles bool) *aggregate.Plan[sale, int64, place] {
	q := &aggregate.Query[sale, int64, place]{
		Dataset: "sales", UnitName: "customer", MaxGroups: 10, MaxRowsPerGroup: 2,
		Unit: func(s sale) int64 { return s.customer }, Group: sale.place,
	}
	euros := aggregate.PerRow(q, "euros", func(s sale) float64 { return s.euros }, aggregate.Bounds[float64]{Lower: 0, Upper: 500, Step: 0.01})
	columns := []aggregate.AnyColumn{q.Count(), euros.Sum(), euros.Mean()}
	if quantiles {
		columns = append(columns, euros.Quantile(0.5), euros.Quantile(0.95))
	}
	plan, err := q.Plan(dp.Approx{Epsilon: 5, Delta: 1e-6}, columns...)
	if err != nil {
		b.Fatal(err)
	}
	return plan
}

// byMap adds up the same columns, and sorts all values of a group for its quantiles.
func byMap(rows []sale, quantiles bool) int {
	type sums struct {
		n      int64
		euros  float64
		values []float64
	}
	groups := make(map[place]*sums)
	for _, r := range rows {
		g := groups[r.place()]
		if g == nil {
			g = new(sums)
			groups[r.place()] = g
		}
		g.n++
		g.euros += r.euros
		if quantiles {
			g.values = append(g.values, r.euros)
		}
	}
	for _, g := range groups {
		slices.Sort(g.values)
	}
	return len(groups)
}

// perRow reports the time that all processors spent on a row.
func perRow(b *testing.B, run func()) {
	sales()
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
