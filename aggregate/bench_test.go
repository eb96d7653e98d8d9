package aggregate_test

import (
	"testing"

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

// One operation is 100,000 rows of 25,000 customers in 1,000 groups.
func BenchmarkCollect(b *testing.B) {
	plan, rows := benchmarked(b, 100_000)
	for b.Loop() {
		if _, err := plan.Collect(b.Context(), aggregate.Slice(rows)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(rows))*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
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
