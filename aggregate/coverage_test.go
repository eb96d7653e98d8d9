package aggregate_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
)

var long = flag.Bool("long", false, "run the longer versions of statistical tests")

// The heap of these tests is small and lives shortly: collected at each doubling, it took a fifth of their time.
var _ = debug.SetGCPercent(400)

// Intervals at 95 % contain the number before noise in about 95 % of releases:
// at least 94 and at most 99.9 (quantiles are read from a grid of confidences
// and of leaves, so theirs are wider). The bounds are 6 standard deviations of
// the binomial away from what fails, so the false-positive rate is below 1e-9.
func TestIntervalsHoldTheNumberBeforeNoiseAsOftenAsTheySay(t *testing.T) {
	runs := 150
	if *long {
		runs = 3000
	}
	const n = 400
	rng := rand.New(rand.NewPCG(1, 2))
	var rows []order
	var values []float64
	for i := range n {
		x := math.Round(math.Exp(3+rng.NormFloat64())*100) / 100
		values = append(values, min(x, 200))
		rows = append(rows, order{customer: customerID(i), day: []string{"mon", "tue", "wed"}[i%3], euros: x})
	}
	for _, loss := range losses {
		q := orders()
		euros := aggregate.PerRow(q, "euros", func(o order) float64 { return o.euros }, aggregate.Bounds[float64]{Lower: 0, Upper: 200, Step: 0.01})
		other := aggregate.PerRow(q, "other", func(o order) float64 { return o.euros }, aggregate.Bounds[float64]{Lower: 0, Upper: 200})
		q.MaxGroups, q.MaxRowsPerGroup = 1, 1
		plan, err := q.Plan(loss, q.Count(), q.Units(), euros.Sum(), euros.Mean(), euros.Quantile(0.5), euros.Quantile(0.95), other.Variance())
		if err != nil {
			t.Fatal(err)
		}
		covered := map[string]int{}
		cells := 0
		for range runs {
			release := run(t, plan, rows)
			for day, c := range release.All() {
				cells++
				at := map[string]int{"mon": 0, "tue": 1, "wed": 2}[day]
				var xs []float64
				for i := at; i < n; i += 3 {
					xs = append(xs, values[i])
				}
				slices.Sort(xs)
				sum, squares := 0.0, 0.0
				for _, x := range xs {
					sum += x
					squares += x * x
				}
				m := float64(len(xs))
				hit := func(name string, truth, lo, hi float64) {
					if lo <= truth+1e-6 && truth-1e-6 <= hi {
						covered[name]++
					}
				}
				in := func(name string, truth float64, col any) {
					switch col := col.(type) {
					case aggregate.Column[int64]:
						lo, hi := col.Of(c).Interval(0.95)
						hit(name, truth, float64(lo), float64(hi))
					case aggregate.Column[float64]:
						lo, hi := col.Of(c).Interval(0.95)
						hit(name, truth, lo, hi)
					}
				}
				in("count", m, q.Count())
				in("units", m, q.Units())
				in("sum", sum, euros.Sum())
				in("mean", sum/m, euros.Mean())
				in("p50", xs[int(math.Ceil(0.5*m))-1], euros.Quantile(0.5))
				in("p95", xs[int(math.Ceil(0.95*m))-1], euros.Quantile(0.95))
				in("variance", squares/m-sum*sum/m/m, other.Variance())
			}
		}
		var line string
		for _, name := range []string{"count", "units", "sum", "mean", "p50", "p95", "variance"} {
			share := float64(covered[name]) / float64(cells)
			line += fmt.Sprintf(" %s %.3f", name, share)
			slack := 6 * math.Sqrt(0.05*0.95/float64(cells))
			if share < 0.945-slack {
				t.Errorf("%v: intervals of %s cover %.3f of %d cells", loss, name, share, cells)
			}
		}
		t.Logf("%v:%s", loss, line)
	}
}
