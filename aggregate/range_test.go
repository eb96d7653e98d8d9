package aggregate_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// A ranged column is one and the range that public facts give it.
type ranged struct {
	column  aggregate.Column[float64]
	lo, hi  float64
	knowing func(xs []float64) float64 // the number before noise
}

// columnsOf returns the columns of a value of one row per unit.
func columnsOf(v *aggregate.Value[float64], b aggregate.Bounds[float64]) []ranged {
	width := b.Upper - b.Lower
	mean := func(xs []float64) float64 { return sumFloats(xs) / float64(len(xs)) }
	variance := func(xs []float64) float64 {
		squares := 0.0
		for _, x := range xs {
			squares += (x - mean(xs)) * (x - mean(xs))
		}
		return squares / float64(len(xs))
	}
	sums := ranged{v.Sum(), math.Inf(-1), math.Inf(1), sumFloats}
	if b.Lower >= 0 {
		sums.lo = 0
	}
	if b.Upper <= 0 {
		sums.hi = 0
	}
	return []ranged{
		sums,
		{v.Mean(), b.Lower, b.Upper, mean},
		{v.Variance(), 0, width * width / 4, variance},
		{v.StdDev(), 0, width / 2, func(xs []float64) float64 { return math.Sqrt(variance(xs)) }},
		{v.Quantile(0.5), b.Lower, b.Upper, func(xs []float64) float64 {
			sorted := slices.Sorted(slices.Values(xs))
			return sorted[(len(xs)+1)/2-1]
		}},
	}
}

func sumFloats(xs []float64) (sum float64) {
	for _, x := range xs {
		sum += x
	}
	return sum
}

// Of small groups, where noise is larger than the numbers, everything is within the
// range that bounds give it, what is unknown says so, and intervals hold the truth as
// often as they should: 6 standard deviations of the binomial below 95 % fail, with a
// probability below 1e-9 a check.
func TestEstimatesOfSmallGroupsAreInRangeAndCover(t *testing.T) {
	runs := 250
	if *long {
		runs = 5000
	}
	slack := 6 * math.Sqrt(0.05*0.95/float64(runs))
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 1}, dp.Concentrated{Rho: 0.2}, dp.Pure{Epsilon: 40}} {
		for _, b := range []aggregate.Bounds[float64]{{Lower: 0, Upper: 10, Step: 0.5}, {Lower: -4, Upper: 0, Step: 0.5}, {Lower: -1, Upper: 3, Step: 0.25}} {
			q := orders()
			q.MaxGroups, q.MaxRowsPerGroup, q.Groups = 1, 1, []string{"0", "1", "5"}
			columns := columnsOf(aggregate.PerRow(q, "euros", func(o order) float64 { return o.euros }, b), b)
			asked := []aggregate.AnyColumn{q.Count()}
			for _, c := range columns {
				asked = append(asked, c.column)
			}
			plan, err := q.Plan(loss, asked...)
			if err != nil {
				t.Fatal(err)
			}
			rows, truth := smallGroups(b)
			held := map[string]int{}
			for range runs {
				for key, c := range run(t, plan, rows).All() {
					if n := q.Count().Of(c); n.Value < 0 {
						t.Fatalf("a count of %d", n.Value)
					} else if lo, hi := n.Interval(0.95); lo <= int64(len(truth[key])) && int64(len(truth[key])) <= hi {
						held["count "+key]++
					}
					for _, column := range columns {
						e := column.column.Of(c)
						checkRange(t, column, e)
						if lo, hi := e.Interval(0.95); len(truth[key]) == 0 && column.column != columns[0].column || lo <= column.knowing(truth[key])+1e-9 && column.knowing(truth[key])-1e-9 <= hi {
							held[column.column.String()+" "+key]++
						}
					}
				}
			}
			for name, n := range held {
				if share := float64(n) / float64(runs); share < 0.945-slack {
					t.Errorf("%v, bounds %v: intervals of %s hold %.3f", loss, b, name, share)
				}
			}
		}
	}
}

// smallGroups returns groups of 0, 1 and 5 rows, at an end of the bounds or spread.
func smallGroups(b aggregate.Bounds[float64]) (rows []order, values map[string][]float64) {
	values = map[string][]float64{"0": nil, "1": {b.Lower}, "5": {b.Lower, b.Lower, b.Upper, b.Lower + 1, b.Upper}}
	for key, xs := range values {
		for i, x := range xs {
			unit := customerID(i)
			if key == "5" {
				unit += 100
			}
			rows = append(rows, order{customer: unit, day: key, euros: x})
		}
	}
	return rows, values
}

func checkRange(t *testing.T, c ranged, e dp.Estimate[float64]) {
	t.Helper()
	for _, confidence := range []float64{0, 0.5, 0.95, 0.9999, 1, math.NaN()} {
		lo, hi := e.Interval(confidence)
		if !(c.lo <= lo && lo <= hi && hi <= c.hi) || !e.Unknown && !(lo <= e.Value && e.Value <= hi) {
			t.Errorf("%v is %v, and from %v to %v at %v; its range is from %v to %v", c.column, e.Value, lo, hi, confidence, c.lo, c.hi)
		}
		if whole := lo == c.lo && hi == c.hi; !(confidence < 1) && !whole || e.Unknown && !whole {
			t.Errorf("%v at %v is from %v to %v, want all of its range from %v to %v", c.column, confidence, lo, hi, c.lo, c.hi)
		}
	}
	if e.Unknown != math.IsNaN(e.Value) || e.Unknown && !strings.HasPrefix(fmt.Sprint(e), "unknown (") {
		t.Errorf("%v is unknown: %t, and is written as %v", c.column, e.Unknown, e)
	}
}

// What is known of a group of 1 under heavy noise is its range: never a number that
// looks certain. (That the noise of a count of 1 at ε = 0.01 is above 300 in all of 40
// releases has a probability below 1e-50.)
func TestMeansOfWhatNoiseHidesAreUnknown(t *testing.T) {
	q := orders()
	euros := aggregate.PerRow(q, "euros", func(o order) float64 { return o.euros }, aggregate.Bounds[float64]{Lower: 0, Upper: 10})
	plan, err := q.Plan(dp.Pure{Epsilon: 0.01}, euros.Mean(), euros.StdDev())
	if err != nil {
		t.Fatal(err)
	}
	unknown := 0
	for range 40 {
		release := run(t, plan, []order{{customer: 1, day: "mon", euros: 7}})
		c, _ := release.Cell("mon")
		e := euros.Mean().Of(c)
		if e.Unknown {
			unknown++
			if text, err := json.Marshal(release); err != nil || !strings.Contains(string(text), `"euros mean":{"value":null,"low":0,"high":10,"stddev":5,"unknown":true,"leaves_out":"what is beyond [0, 10] per row; rows of a customer in a group beyond 2"}`) {
				t.Fatalf("an unknown mean encodes as %s (%v)", text, err)
			}
		}
	}
	if unknown == 0 {
		t.Error("the mean of one row under noise of hundreds is known in all of 40 releases")
	}
}

// A mean is known where the 95 % interval of its count is above 0, and a variance where
// the count is above four standard deviations of its noise, to the last group: groups
// are of sizes around both limits, and some 30 lie on either side of each.
func TestWhatIsUnknownFollowsTheNoisyCount(t *testing.T) {
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 0.3}, dp.Concentrated{Rho: 0.01}} {
		q := orders()
		q.Groups, q.MaxGroups, q.MaxRowsPerGroup = nil, 1, 1
		var rows []order
		for i := range 300 {
			day := fmt.Sprint(i)
			q.Groups = append(q.Groups, day)
			for range i / 3 {
				rows = append(rows, order{customer: customerID(len(rows)), day: day, euros: 7})
			}
		}
		euros := aggregate.PerRow(q, "euros", func(o order) float64 { return o.euros }, aggregate.Bounds[float64]{Lower: 0, Upper: 10})
		for _, c := range []struct {
			column aggregate.Column[float64]
			limit  func(count dp.Estimate[float64]) float64 // of the noisy count
		}{
			{euros.Mean(), func(count dp.Estimate[float64]) float64 {
				low, _ := count.Interval(0.95)
				return count.Value - low
			}},
			{euros.Variance(), func(count dp.Estimate[float64]) float64 { return 4 * count.StdDev }},
		} {
			plan, err := q.Plan(loss, c.column, q.Count())
			if err != nil {
				t.Fatal(err)
			}
			near := map[bool]int{} // by whether the column is unknown
			for _, cell := range run(t, plan, rows).All() {
				count, unknown := q.Count().Of(cell).Raw(), c.column.Of(cell).Unknown
				limit := c.limit(count)
				if over := count.Value/limit - 1; math.Abs(over) > 1e-9 && unknown != (over < 0) {
					t.Fatalf("%v, %v: unknown is %v of %v records, where %v are the limit", loss, c.column, unknown, count.Value, limit)
				} else if math.Abs(over) < 0.5 {
					near[unknown]++
				}
			}
			if near[true] == 0 || near[false] == 0 {
				t.Errorf("%v, %v: by whether it is unknown, %v groups are near the limit, want at least one on either side", loss, c.column, near)
			}
		}
	}
}

// A sum of many counts of empty groups is right on average if it is made of raw
// numbers: 3000 of them, with noise of variance 1.84 each, are within 700 of 0 but for
// a probability below 1e-18, and would be about 1276 if they were clamped first.
func TestSumsOfCountsAreMadeOfRawNumbers(t *testing.T) {
	q := orders()
	q.Groups, q.MaxGroups, q.MaxRowsPerGroup = nil, 1, 1
	for i := range 3000 {
		q.Groups = append(q.Groups, fmt.Sprint(i))
	}
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	raw, clamped := 0.0, 0.0
	for _, c := range run(t, plan, nil).All() {
		e := q.Count().Of(c)
		if e.Value < 0 || e.Value != max(int64(e.Raw().Value), 0) {
			t.Fatalf("a count is %d, and %v as the noise left it", e.Value, e.Raw().Value)
		}
		raw += e.Raw().Value
		clamped += float64(e.Value)
	}
	if math.Abs(raw) > 700 || clamped < 800 {
		t.Errorf("3000 empty groups have %v rows, made of raw numbers, and %v, made of clamped ones", raw, clamped)
	}
}

// Without noise every column of integers is the correctly rounded result, to the last
// bit, also where values are too many for the leaves of a tree.
func TestWithoutNoiseColumnsAreCorrectlyRounded(t *testing.T) {
	dptest.NoNoise(t)
	rng := rand.New(rand.NewPCG(6, 6))
	for i := range 60 {
		loss := losses[i%len(losses)]
		q := orders()
		q.MaxGroups, q.MaxRowsPerGroup = 1, 1
		cents := aggregate.PerRow(q, "cents", func(o order) int64 { return o.cents }, aggregate.Bounds[int64]{Lower: 0, Upper: 10_000, Step: 1})
		wide := aggregate.PerUnit(q, "wide", func(o order) int64 { return 97 * o.cents }, aggregate.Bounds[int64]{Lower: 0, Upper: 1_000_000, Step: 1})
		plan, err := q.Plan(loss, q.Count(), cents.Sum(), cents.Mean(), cents.Variance(), cents.StdDev(), cents.Quantile(0.1), wide.Mean(), wide.Quantile(0.9))
		if err != nil {
			t.Fatal(err)
		}
		var rows []order
		var xs []int64
		for u := range 1 + rng.IntN(30) {
			x := rng.Int64N(10_000)
			xs = append(xs, x)
			rows = append(rows, order{customer: customerID(u), day: "mon", cents: x})
		}
		c, _ := run(t, plan, rows).Cell("mon")
		n, sum, squares := int64(len(xs)), int64(0), int64(0)
		for _, x := range xs {
			sum, squares = sum+x, squares+x*x
		}
		slices.Sort(xs)
		mean, _ := big.NewRat(sum, n).Float64()
		wideMean, _ := big.NewRat(97*sum, n).Float64()
		variance, _ := big.NewRat(n*squares-sum*sum, n*n).Float64()
		root := new(big.Float).SetPrec(300).SetRat(big.NewRat(n*squares-sum*sum, n*n))
		stdDev, _ := root.Sqrt(root).Float64()
		got := []any{q.Count().Of(c).Value, cents.Sum().Of(c).Value, cents.Mean().Of(c).Value, cents.Variance().Of(c).Value, cents.StdDev().Of(c).Value, cents.Quantile(0.1).Of(c).Value, wide.Mean().Of(c).Value, wide.Quantile(0.9).Of(c).Value}
		want := []any{n, sum, mean, variance, stdDev, xs[(n+9)/10-1], wideMean, 97 * xs[(9*n+9)/10-1]}
		if !slices.Equal(got, want) {
			t.Fatalf("%v, %v: got %v, want %v", loss, xs, got, want)
		}
	}
}

// The noisy numbers of a cell can be read whatever is asked, also where a quantile has
// no interval.
func TestNoisyNumbersCanBeReadOfEveryColumn(t *testing.T) {
	q := orders()
	cents := aggregate.PerRow(q, "cents", func(o order) int64 { return o.cents }, aggregate.Bounds[int64]{Lower: 0, Upper: 100})
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count(), cents.Variance(), cents.QuantileWithoutInterval(0.5))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range run(t, plan, nil).All() {
		if n := len(c.Noisy()); n != 3+1 {
			t.Errorf("%d noisy numbers of a variance, which counts too, and a quantile; want 3 and 1", n)
		}
	}
}
