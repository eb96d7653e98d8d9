package aggregate

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/quantile"
)

// A trip is a row of what is decided here.
type trip struct {
	who, day int
	km       float64
}

func trips() *Query[trip, int, int] {
	return &Query[trip, int, int]{
		Dataset: "trips", UnitName: "driver", MaxGroups: 1, MaxRowsPerGroup: 1, Groups: []int{0, 1},
		Unit: func(t trip) int { return t.who }, Group: func(t trip) int { return t.day },
	}
}

func kmOf(t trip) float64 { return t.km }

func planOf(t *testing.T, q *Query[trip, int, int], loss dp.Loss, columns ...AnyColumn) *Plan[trip, int, int] {
	t.Helper()
	p, err := q.Plan(loss, columns...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Each mistake of a query or a value has a sentence of its own, with the value that
// is wrong, and all come together.
func TestEveryMistakeOfAQuestionIsNamedOnce(t *testing.T) {
	q := &Query[trip, int, int]{MaxGroups: -2, MaxRowsPerGroup: -3}
	value := func(b Bounds[float64]) *Value[float64] { return PerRow(q, "km", kmOf, b) }
	for _, test := range []struct {
		column AnyColumn
		want   []string
	}{
		{q.Count(), []string{
			"Query.Dataset is empty", "Query.UnitName is empty", "Query.Unit is nil", "Query.MaxGroups is -2, must be at least 1", "Query.MaxRowsPerGroup is -3, must be at least 1",
		}},
		{value(Bounds[float64]{Lower: 1, Upper: math.Inf(1)}).Mean(), []string{"upper bound is +Inf, must be finite"}},
		{value(Bounds[float64]{Lower: math.NaN(), Upper: 1}).Mean(), []string{"lower bound is NaN, must be finite"}},
		{value(Bounds[float64]{Lower: 2, Upper: 1.5}).Mean(), []string{"lower bound is 2, must be below the upper bound 1.5"}},
		{value(Bounds[float64]{Lower: 2, Upper: 3, Step: 1.5}).Mean(), []string{"step is 1.5, must be at most the distance of the bounds [2, 3]"}},
		{value(Bounds[float64]{Lower: 2, Upper: 3, Step: -1}).Mean(), []string{"step is -1, must be positive"}},
		{value(Bounds[float64]{Lower: 2, Upper: 3, Step: 1e-19}).Mean(), []string{"step is 1e-19, so fine that [2, 3] has more than 2^62 of them"}},
		{value(Bounds[float64]{Lower: 2, Upper: 3}).Quantile(1), []string{`quantile rank of "km" is 1, must be in (0, 1)`}},
		{PerRow[float64](q, "", nil, Bounds[float64]{Upper: 1}).Mean(), []string{"a value has no name", "no function given"}},
		{Weighted{q.Count(), -1}, []string{"weight of a column is -1, must be positive and finite"}},
		{&Weighted{q.Count(), math.NaN()}, []string{"weight of a column is NaN, must be positive and finite"}},
		{PerRow(q, "b", func(trip) int8 { return 0 }, Bounds[int8]{Upper: 1}).Sum(), []string{`the sum of "b" does not fit its type of 8 bits`}},
	} {
		_, err := q.Plan(dp.Pure{Epsilon: -1}, test.column)
		for _, want := range append(test.want, "-1") {
			if n := strings.Count(fmt.Sprint(err), want); n != 1 && want != "-1" || n == 0 {
				t.Errorf("%q is said %d times, want once:\n%v", want, n, err)
			}
		}
	}
	v := value(Bounds[float64]{Lower: 2, Upper: 1})
	if _, err := q.Plan(dp.Pure{Epsilon: 1}, v.Mean(), v.Sum(), v.Quantile(0.5)); strings.Count(fmt.Sprint(err), "must be below the upper bound") != 1 {
		t.Errorf("the mistake of a value that three columns are of is to be said once:\n%v", err)
	}
}

// A pointer to a weight is a weight, and of two weights of one column the larger
// counts.
func TestWeightsAreTakenFromPointersToo(t *testing.T) {
	q := trips()
	v := PerRow(q, "km", kmOf, Bounds[float64]{Upper: 100})
	for i, columns := range [][]AnyColumn{
		{Weighted{v.Sum(), 3}, q.Count()},
		{&Weighted{v.Sum(), 3}, q.Count()},
		{v.Sum(), &Weighted{Weighted{v.Sum(), 1.5}, 2}, q.Count()},
	} {
		p := planOf(t, q, dp.Pure{Epsilon: 4}, columns...)
		for _, price := range p.Charge(Request{}).Events {
			each, _ := new(big.Rat).Quo(new(big.Rat).SetInt64(price.Sensitivity.LInf*price.Sensitivity.L0), price.Scale).Float64()
			if want := map[bool]float64{true: 3, false: 1}[strings.HasPrefix(price.For, "km")]; math.Abs(each/want-1) > 1e-6 {
				t.Errorf("%d: %s gets ε = %v of 4, want %v", i, price.For, each, want)
			}
		}
	}
}

// Given groups have no threshold; selected ones have one, and reach it surely with
// more.
func TestOnlySelectionHasAThreshold(t *testing.T) {
	q := trips()
	if units, surely := planOf(t, q, dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Count()).Threshold(); units != 0 || surely != 0 {
		t.Errorf("given groups have the threshold %v, and %v", units, surely)
	}
	q = trips()
	q.Groups = nil
	if units, surely := planOf(t, q, dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Count()).Threshold(); units < 10 || surely < units+2 || surely > 3*units {
		t.Errorf("selected groups have the threshold %v, and surely %v", units, surely)
	}
}

// The standard deviation of a mean is that of its noise over the count, and half the
// width of the bounds at most.
func TestTheStandardDeviationOfAMeanIsThatOfItsNoise(t *testing.T) {
	q := trips()
	v := PerRow(q, "km", kmOf, Bounds[float64]{Lower: -50, Upper: 50, Step: 1})
	mean := v.Mean()
	p := planOf(t, q, dp.Pure{Epsilon: 1}, mean)
	m := p.measures[0]
	cell := func(n int64) Cell { // n records at either end
		size, _ := new(big.Float).SetRat(m.recordSize()).Int64()
		return cellOf(p.compiled, []*big.Int{big.NewInt(n * size), big.NewInt(n * size)})
	}
	noise := m.law.StdDev() * math.Sqrt2 * 50 / 100 // of the sum, in records that are 100 steps
	noise /= math.Exp2(float64(m.shift))
	for _, n := range []int64{1000, 100, 1, 0, -5} {
		want := 50.0
		if n > 1 { // of fewer it is unknown
			want = min(50, noise/float64(2*n))
		}
		if got := mean.Of(cell(n)).StdDev; math.Abs(got/want-1) > 1e-9 {
			t.Errorf("of %d records it is %v, want %v", 2*n, got, want)
		}
	}
}

// The confidences of intervals that are kept are for ever those of the first version:
// a release has its ends in their order.
func TestTheConfidencesOfKeptIntervalsStay(t *testing.T) {
	if got := fmt.Sprint(ladder); got != "[0.5 0.68 0.8 0.9 0.95 0.99 0.999]" {
		t.Errorf("they are %s", got)
	}
}

// With much more loss than it takes, the intervals of drawn quantiles say the value
// that all rows have, and at twice the loss those of a tree do.
func TestIntervalsOfDrawnQuantilesAreNarrowWithoutNoise(t *testing.T) {
	q := trips()
	v := PerRow(q, "km", kmOf, Bounds[float64]{Upper: 100, Step: 1})
	var rows []trip
	for i := range 500 {
		rows = append(rows, trip{who: i, km: 30})
	}
	var columns []AnyColumn
	var all []Column[float64]
	for i := range 40 {
		all = append(all, v.Quantile(0.3+float64(i)/100))
		columns = append(columns, all[i])
	}
	for _, asked := range [][]AnyColumn{columns[:2], columns} {
		p := planOf(t, q, dp.Pure{Epsilon: 800}, asked...)
		partial, err := p.Collect(t.Context(), Slice(rows))
		if err != nil {
			t.Fatal(err)
		}
		_, cells, _ := addNoise(t.Context(), p.compiled, partial.state())
		for i := range asked {
			e := all[i].Of(Cell{cells, 0})
			for _, c := range ladder {
				if lo, hi := e.Interval(c); e.Value != 30 || e.Unknown || lo < 29 || hi > 31 {
					t.Errorf("of %d quantiles, p%d is %v, and at %v %v to %v, want 30", len(asked), 30+i, e.Value, c, lo, hi)
				}
			}
		}
	}
}

// Ranks are drawn twice where many groups are given and bounds span four octaves on
// one side of zero.
func TestRanksAreDrawnTwiceWhereBoundsSpanFourOctaves(t *testing.T) {
	enough := question{groups: manyGroups, l0: 1, rows: 1}
	for _, test := range []struct {
		lower, upper, step float64
		family             core.Family
		change             func(*question)
		want               bool
	}{
		{16, 150, 1, core.Gaussian, nil, false}, // from 16 on to 128
		{15, 150, 1, core.Gaussian, nil, true},
		{-150, -15, 1, core.Gaussian, nil, true},
		{-150, 150, 1, core.Gaussian, nil, false},
		{0, 1e6, 0, core.Gaussian, nil, true},
		{2.3e5, 1e6, 0, core.Gaussian, nil, false},
		{6e4, 1e6, 0, core.Gaussian, nil, true},
		{0, 1e6, 0, core.Laplace, nil, false},
		{0, 1e6, 0, core.Gaussian, func(q *question) { q.groups-- }, false},
		{0, 1e6, 0, core.Gaussian, func(q *question) { q.trees = true }, false},
		{0, 1e6, 0, core.Gaussian, func(q *question) { q.rows, q.l0 = 1<<60, 5 }, false},
		{1, 1e30, 1, core.Gaussian, nil, true},   // more than 2^62 steps
		{-1e30, -1, 1, core.Gaussian, nil, true}, // and downwards
		{-1e30, 1e30, 1, core.Gaussian, nil, false},
		{0.05, 1, 0, core.Gaussian, nil, true}, // the steps of a float are far finer than 1
		{0.2, 1, 0, core.Gaussian, nil, false},
		{1, 17, 4, core.Gaussian, nil, false}, // steps that are asked for are taken
	} {
		q := enough
		if test.change != nil {
			test.change(&q)
		}
		v := &value{lower: ratOf(test.lower), upper: ratOf(test.upper)}
		if test.step != 0 {
			v.asked, v.integer = ratOf(test.step), test.step == 4
		}
		if got := q.drawsTwice(v, test.family); got != test.want {
			t.Errorf("%v to %v in steps of %v, %v, groups %d: %v, want %v", test.lower, test.upper, test.step, test.family, q.groups, got, test.want)
		}
	}
}

// A receipt's lines of draws are those of their measure and no others.
func TestLinesOfDrawsAreThoseOfTheirMeasure(t *testing.T) {
	q := trips()
	v := PerRow(q, "km", kmOf, Bounds[float64]{Upper: 100, Step: 1})
	for quantiles, lines := range map[int]map[string]bool{
		1: {"": true, ", ends of intervals": true, ", first draws": true, " p25": false, ", last draws": false},
		2: {"": true, ", ends of intervals": true, " p25": true, " p75": true, " p50": false, " p25, first draws": true, ", last draws": false},
	} {
		m := planOf(t, q, dp.Pure{Epsilon: 1}, []AnyColumn{v.Quantile(0.25), v.Quantile(0.75)}[:quantiles]...).measures[0]
		for line, want := range lines {
			if got := m.hasLine(m.String() + line); got != want {
				t.Errorf("of %d quantiles, the line %q is its own: %v, want %v", quantiles, m.String()+line, got, want)
			}
		}
		if m.hasLine("") || m.hasLine("another quantiles") {
			t.Error("the line of another measure is its own")
		}
	}
}

// A value that would have but one step is refused with the number that says why.
func TestNoiseBeyondTheBoundsIsRefused(t *testing.T) {
	q := trips()
	v := PerRow(q, "km", kmOf, Bounds[float64]{Upper: 1})
	_, err := q.Plan(dp.Pure{Epsilon: 1e-13}, v.Sum())
	if want := `value "km" needs noise of more than its bounds by 2^40; use a larger loss or smaller caps`; !strings.Contains(fmt.Sprint(err), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

// Units and groups of types that do not compare by content are refused.
func TestTypesThatCannotBeKeysAreNamed(t *testing.T) {
	q := &Query[trip, float64, [2]complex64]{Dataset: "trips", UnitName: "driver", MaxGroups: 1, MaxRowsPerGroup: 1, Unit: func(t trip) float64 { return t.km }}
	_, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Count())
	for _, want := range []string{"unit type: float64 is of kind float64", "key type: complex64 is of kind complex64"} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	_, err = (&Query[trip, int64, time.Time]{}).Plan(dp.Approx{Epsilon: 1, Delta: 1e-6})
	if want := "key type: time.Time does not compare by content: one moment has several; use the name of its day"; !strings.Contains(fmt.Sprint(err), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

// Points share cells from one more on than there can be cells.
func TestPointsHaveCellsOfTheirOwnWhereTheyCan(t *testing.T) {
	for points, want := range map[int64]int64{2: 1, quantile.MaxCells - 1: 1, quantile.MaxCells: 1, quantile.MaxCells + 1: 2, 2 * quantile.MaxCells: 2, 2*quantile.MaxCells + 1: 3} {
		q := trips()
		v := PerRow(q, "n", func(trip) int64 { return 0 }, Bounds[int64]{Upper: points - 1, Step: 1})
		if got := planOf(t, q, dp.Pure{Epsilon: 1}, v.Quantile(0.5)).measures[0].drawing.width; got != want {
			t.Errorf("%d points: %d in a cell, want %d", points, got, want)
		}
	}
}

// From the beginning of a leaf to its end, points go from its first to its last.
func TestPointsInALeafGoFromItsFirstToItsLast(t *testing.T) {
	m := &measure{cuts: quantile.NewBase(0, 1000).Cut(10)}
	for leaf := range int64(10) {
		first, last := m.cuts.Cells(leaf)
		for within, want := range map[float64]int64{0: first, 1: last, 0.5: first + (last-first+1)/2} {
			if got := m.pointOf(leaf, within); got != want {
				t.Errorf("%v into the leaf of %d to %d is %d, want %d", within, first, last, got, want)
			}
		}
	}
}

// A float32 is the decimal that was written for it, not the float64 next to it.
func TestBoundsOfSmallFloatsAreTheDecimalsThatWereWritten(t *testing.T) {
	for x, want := range map[float32]string{0.1: "1/10", 16777216: "16777216", -0.25: "-1/4", 3e-5: "3/100000"} {
		if got := ratOf(x); got.Cmp(ratString(want)) != 0 {
			t.Errorf("%v is %v, want %s", x, got, want)
		}
	}
	if ratOf(float32(math.Inf(1))) != nil || ratOf(math.NaN()) != nil {
		t.Error("what is no number is one")
	}
}

func ratString(s string) *big.Rat { r, _ := new(big.Rat).SetString(s); return r }

// What has no end is the end of the type on its side, and the upper one where it is
// on none.
func TestNumbersAreClampedToTheEndsOfTheirType(t *testing.T) {
	lo, hi := big.NewInt(-8), big.NewInt(7)
	for _, test := range []struct {
		r    *big.Rat
		side int
		want int64
	}{
		{nil, -1, -8}, {nil, 0, 7}, {nil, 1, 7}, {big.NewRat(-17, 2), 0, -8}, {big.NewRat(-9, 1), 0, -8}, {big.NewRat(15, 2), 0, 7}, {big.NewRat(7, 1), 0, 7},
		{big.NewRat(5, 2), 0, 3}, {big.NewRat(-5, 2), 0, -2}, {big.NewRat(9, 4), 0, 2}, {big.NewRat(-9, 4), 0, -2},
	} {
		if got := clampBig(test.r, test.side, lo, hi).Int64(); got != test.want {
			t.Errorf("%v on side %d is %d, want %d", test.r, test.side, got, test.want)
		}
	}
}
