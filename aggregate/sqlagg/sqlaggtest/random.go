package sqlaggtest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/aggregate/sqlagg"
	"github.com/equipoise-dp/equipoise/dp"
)

// Texts that one collation or another takes for the same.
var people = []any{"Ann", "ann", "ann ", "ANN", "Änn", "A\u0308nn", "ß", "ss", "", " ", "a'b\"c`d\\", "x/y", nil}

// Groups, of which some are not given.
var days = []any{"Mo", "mo", "Mo ", "Di", "", "\u00e9t\u00e9", "a:b", nil}

// most is how many rows a unit has at most in a group, and most groups.
const (
	mostRows   = 6
	mostGroups = 40
)

// lines returns random rows, of which no unit has so many that caps cut.
func lines(rng *rand.Rand, steps []float64) (all []line) {
	seen := make(map[string]int)
	for range 30 + rng.IntN(120) {
		l := line{
			un: whole(rng, []int64{0, 1, -1, math.MaxInt64, math.MinInt64, 7}), ut: people[rng.IntN(len(people))],
			gn: whole(rng, []int64{0, 3, -5, math.MinInt64}), gt: days[rng.IntN(len(days))],
			x: float(rng, steps), y: float(rng, steps), n: amount(rng), m: amount(rng),
		}
		few := true
		for _, by := range []string{fmt.Sprintf("t%q", l.ut), fmt.Sprintf("n%v", l.un)} {
			seen[by]++
			few = few && seen[by] <= mostRows
		}
		if few {
			all = append(all, l)
		}
	}
	if rng.IntN(2) == 0 { // a unit whose sum in floats depends on their order, and is wrong in most
		for _, x := range []float64{1e17, 0.35, -1e17, float64(rng.IntN(99)) / 8} {
			all = append(all, line{un: int64(5), ut: "cancelled", gn: int64(3), gt: "Mo", x: x, y: x})
		}
	}
	return all
}

func whole(rng *rand.Rand, of []int64) any {
	if rng.IntN(12) == 0 {
		return nil
	}
	return of[rng.IntN(len(of))]
}

func amount(rng *rand.Rand) any {
	switch rng.IntN(8) {
	case 0:
		return nil
	case 1:
		return []int64{math.MinInt64, math.MaxInt64, math.MinInt64 + 1, 1 << 62, -1 << 61, 1<<61 - 1, 1 << 53, 1 << 31, -1 << 31}[rng.IntN(9)]
	case 2:
		return rng.Int64() - 1<<62
	}
	return rng.Int64N(2000) - 1000
}

// float returns a float that is odd: often next to a half of a step.
func float(rng *rand.Rand, steps []float64) any {
	switch rng.IntN(9) {
	case 0:
		return nil
	case 1:
		return []float64{
			math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64,
			math.Copysign(0, -1), 0x1p-1022, 1e290, 1e-250, -1e291, 1e-251, 0x1p62, 0x1p53, -0x1p53,
		}[rng.IntN(16)]
	case 2:
		return math.Ldexp(rng.Float64()-0.5, rng.IntN(2100)-1060)
	case 3, 4, 5:
		step := steps[rng.IntN(len(steps))]
		x := (float64(rng.IntN(2000)-1000) + 0.5) * step
		return []float64{x, math.Nextafter(x, math.Inf(1)), math.Nextafter(x, math.Inf(-1)), x / 2}[rng.IntN(4)]
	}
	return float64(rng.IntN(200_000)-100_000) / 100
}

// Steps that values may have; 0 lets the plan choose. Of these 0.3 and 7 have no power of two in them.
var steps = []float64{0, 0.01, 0.25, 1, 0.1, 0.3, 7, 1.0 / 1024}

// A day is a group of two parts.
type day struct {
	Number int64
	Name   string
}

// queries returns the kinds of questions: units and groups of one column and of two, given, selected and none.
func loss(rng *rand.Rand, selects bool) dp.Loss {
	switch {
	case selects:
		return dp.Approx{Epsilon: 1 + rng.Float64(), Delta: 1e-6}
	case rng.IntN(2) == 0:
		return dp.Pure{Epsilon: 1 + rng.Float64()}
	}
	return dp.Concentrated{Rho: 1 + rng.Float64()}
}

// asked adds random values and columns to a query, and returns what is asked.
func asked[Unit, Group comparable](rng *rand.Rand, q *aggregate.Query[sqlagg.Row, Unit, Group]) (all []aggregate.AnyColumn) {
	if rng.IntN(6) == 0 { // one record of a unit in a group, which may have a centre
		n := aggregate.PerUnit(q, "n", sqlagg.Int("n"), aggregate.Bounds[int64]{Lower: -9, Upper: 500})
		return []aggregate.AnyColumn{q.Units(), n.Sum()}
	}
	for i := range rng.IntN(4) {
		if rng.IntN(2) == 0 {
			step := steps[rng.IntN(len(steps))]
			b := aggregate.Bounds[float64]{Lower: float64(rng.IntN(900) - 600), Step: step}
			b.Upper = b.Lower + 10 + float64(rng.IntN(1000))/3
			all = append(all, numbers(rng, value(rng, q, fmt.Sprint("f", i), sqlagg.Float([]string{"x", "y"}[rng.IntN(2)]), b))...)
			continue
		}
		b := aggregate.Bounds[int64]{Lower: rng.Int64N(900) - 600, Step: []int64{0, 1, 2, 8}[rng.IntN(4)]}
		b.Upper = b.Lower + 9 + rng.Int64N(1000)
		all = append(all, numbers(rng, value(rng, q, fmt.Sprint("i", i), sqlagg.Int([]string{"n", "m"}[rng.IntN(2)]), b))...)
	}
	if len(all) == 0 || rng.IntN(2) == 0 {
		all = append(all, q.Count())
	}
	if rng.IntN(2) == 0 {
		all = append(all, q.Units())
	}
	return all
}

func value[T dp.Number, Unit, Group comparable](rng *rand.Rand, q *aggregate.Query[sqlagg.Row, Unit, Group], name string, of func(sqlagg.Row) T, b aggregate.Bounds[T]) *aggregate.Value[T] {
	if rng.IntN(2) == 0 {
		return aggregate.PerUnit(q, name, of, b)
	}
	return aggregate.PerRow(q, name, of, b)
}

func numbers[T dp.Number](rng *rand.Rand, v *aggregate.Value[T]) (all []aggregate.AnyColumn) {
	choices := []aggregate.AnyColumn{v.Sum(), v.Mean(), v.Variance(), v.Quantile(0.5), v.QuantileWithoutInterval(0.9)}
	for _, i := range rng.Perm(len(choices))[:1+rng.IntN(2)] {
		all = append(all, choices[i])
	}
	return all
}
