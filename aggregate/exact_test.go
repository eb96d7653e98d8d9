package aggregate_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

type order struct {
	customer customerID
	day      string
	euros    float64
	cents    int64
	took     time.Duration
}

type customerID int64

func orders() *aggregate.Query[order, customerID, string] {
	return &aggregate.Query[order, customerID, string]{
		Dataset:         "orders",
		UnitName:        "customer",
		Unit:            func(o order) customerID { return o.customer },
		Group:           func(o order) string { return o.day },
		MaxGroups:       3,
		MaxRowsPerGroup: 2,
		Groups:          []string{"mon", "tue", "wed"},
	}
}

var losses = []dp.Loss{
	dp.Pure{Epsilon: 1}, dp.Approx{Epsilon: 1, Delta: 1e-6}, dp.Approx{Epsilon: 0.2, Delta: 1e-9}, dp.Concentrated{Rho: 0.1},
	dp.Pure{Epsilon: 20}, dp.Concentrated{Rho: 40},
}

func run[Row any, U, K comparable](t testing.TB, p *aggregate.Plan[Row, U, K], rows []Row) *aggregate.Release[K] {
	t.Helper()
	r, err := p.Run(t.Context(), newPurse(), aggregate.Request{Key: "k", Purpose: "test"}, aggregate.Slice(rows))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Without noise every column is what a plain program would compute. A mean of nothing
// is unknown.
func TestWithoutNoiseEveryColumnIsExact(t *testing.T) {
	dptest.NoNoise(t)
	rows := []order{
		{1, "mon", 10, 1000, time.Second}, {1, "mon", 20, 2000, time.Minute}, {2, "mon", 30.5, 3050, 0}, {3, "mon", 1e9, 1 << 60, time.Hour * 1000},
		{1, "tue", -5, -500, -time.Second}, {2, "tue", math.NaN(), 7, 1}, {3, "sun", 5, 5, 5},
	}
	for _, loss := range losses {
		t.Run(loss.String(), func(t *testing.T) {
			q := orders()
			euros := aggregate.PerRow(q, "euros", func(o order) float64 { return o.euros }, aggregate.Bounds[float64]{Lower: 0, Upper: 100, Step: 0.01})
			cents := aggregate.PerRow(q, "cents", func(o order) int64 { return o.cents }, aggregate.Bounds[int64]{Lower: -100, Upper: 10_000})
			spend := aggregate.PerUnit(q, "spend", func(o order) int64 { return o.cents }, aggregate.Bounds[int64]{Lower: 0, Upper: 2500})
			took := aggregate.PerRow(q, "took", func(o order) time.Duration { return o.took }, aggregate.Bounds[time.Duration]{Lower: 0, Upper: time.Minute, Step: 1 << 20})
			count, units := q.Count(), q.Units()
			plan, err := q.Plan(loss, count, units, euros.Sum(), euros.Mean(), euros.Quantile(0.5), cents.Sum(), spend.Sum(), spend.Mean(), spend.Quantile(0.99), took.Sum())
			if err != nil {
				t.Fatal(err)
			}
			release := run(t, plan, rows)
			var got []string
			for day, c := range release.All() {
				got = append(got, fmt.Sprintf("%s n=%d u=%d €=%.2f mean=%.3f p50=%.2f cents=%d spend=%d %.1f p99=%d took=%v", day,
					count.Of(c).Value, units.Of(c).Value, euros.Sum().Of(c).Value, euros.Mean().Of(c).Value, euros.Quantile(0.5).Of(c).Value,
					cents.Sum().Of(c).Value, spend.Sum().Of(c).Value, spend.Mean().Of(c).Value, spend.Quantile(0.99).Of(c).Value, took.Sum().Of(c).Value.Round(10*time.Millisecond)))
			}
			want := []string{
				"mon n=4 u=3 €=160.50 mean=40.125 p50=20.00 cents=16050 spend=7500 2500.0 p99=2500 took=2m1s",
				"tue n=2 u=2 €=0.00 mean=0.000 p50=0.00 cents=-93 spend=7 3.5 p99=7 took=0s",
				"wed n=0 u=0 €=0.00 mean=NaN p50=0.00 cents=0 spend=0 NaN p99=0 took=0s",
			}
			if !slices.Equal(got, want) {
				t.Errorf("got\n%q\nwant\n%q", got, want)
			}
		})
	}
}

func TestWithoutNoiseVarianceIsExact(t *testing.T) {
	dptest.NoNoise(t)
	for _, loss := range losses {
		q := orders()
		cents := aggregate.PerRow(q, "cents", func(o order) int64 { return o.cents }, aggregate.Bounds[int64]{Lower: 0, Upper: 100})
		plan, err := q.Plan(loss, cents.Sum(), cents.Variance(), cents.StdDev(), q.Count())
		if err != nil {
			t.Fatal(err)
		}
		var rows []order
		for i := range int64(11) {
			rows = append(rows, order{customer: customerID(i), day: "mon", cents: 10 * i})
		}
		c, _ := run(t, plan, rows).Cell("mon")
		if v, sd, sum, n := cents.Variance().Of(c).Value, cents.StdDev().Of(c).Value, cents.Sum().Of(c).Value, q.Count().Of(c).Value; math.Abs(v-1000) > 1e-6 || math.Abs(sd*sd-1000) > 1e-6 || sum != 550 || n != 11 {
			t.Errorf("%v: variance %v, standard deviation %v, sum %v, count %v; want 1000, its root, 550, 11", loss, v, sd, sum, n)
		}
	}
}
