package aggregate

import (
	"math"
	"math/big"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/calibrate"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/grid"
	"github.com/equipoise-dp/equipoise/internal/ranktree"
)

type cents int16

// Whatever the type of a column is, a number that it cannot hold is the nearest that it
// can, and what has no end is the end of the type.
func TestNumbersOfEveryTypeAreTheNearestThatItHolds(t *testing.T) {
	clamped(t, int64(math.MinInt64), math.MaxInt64)
	clamped(t, int32(math.MinInt32), math.MaxInt32)
	clamped(t, int16(math.MinInt16), math.MaxInt16)
	clamped(t, int8(math.MinInt8), math.MaxInt8)
	clamped(t, cents(math.MinInt16), math.MaxInt16)
	clamped(t, uint64(0), math.MaxUint64)
	clamped(t, uint32(0), math.MaxUint32)
	clamped(t, uint16(0), math.MaxUint16)
	clamped(t, uint8(0), math.MaxUint8)
	clamped(t, math.Inf(-1), math.Inf(1))
	clamped(t, float32(math.Inf(-1)), float32(math.Inf(1)))
	if x := toNumber[float32](big.NewRat(1, 3), 0); x != float32(1)/3 {
		t.Errorf("a third is %v", x)
	}
	if x := toNumber[int8](big.NewRat(-5, 2), 0); x != -2 {
		t.Errorf("-2.5 is %v", x)
	}
	if x := toNumber[uint8](big.NewRat(-1, 3), 0); x != 0 {
		t.Errorf("-1/3 is %v", x)
	}
}

func clamped[T dp.Number](t *testing.T, low, high T) {
	t.Helper()
	huge := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 2000))
	for _, c := range []struct {
		r    *big.Rat
		side int
		want T
	}{{nil, -1, low}, {nil, 1, high}, {huge, 0, high}, {new(big.Rat).Neg(huge), 0, low}, {big.NewRat(7, 1), 0, 7}, {new(big.Rat), 0, 0}} {
		if got := toNumber[T](c.r, c.side); got != c.want {
			t.Errorf("%T: %.10v on side %d is %v, must be %v", got, c.r, c.side, got, c.want)
		}
	}
}

// A group of so many units as is said passes the threshold with the probability that is
// asked for, up to the rounding of a unit.
func TestGroupsAreShownAsLikelyAsTheThresholdSays(t *testing.T) {
	for _, th := range []threshold{{at: 50, law: law(t, core.Laplace, 10)}, {at: 50 << 14, shift: 14, law: law(t, core.Gaussian, 10<<14)}, {at: 12_345 << 3, shift: 3, law: law(t, core.Gaussian, 999)}} {
		before := 0.0
		for _, p := range []float64{0.5, 0.7, 0.9, 0.99, 0.999} {
			n := th.shows(p)
			if n != math.Trunc(n) || n < before {
				t.Errorf("%v: %v units are shown with probability %v", th, n, p)
			}
			before = n
			// P(n + noise >= at) from the tails of the continuous laws.
			shown := func(units float64) float64 {
				z := (float64(th.at) - math.Ldexp(units, int(th.shift))) / scaleOf(th.law)
				if th.law.Family == core.Gaussian {
					return math.Erfc(z/math.Sqrt2) / 2
				}
				if z > 0 {
					return math.Exp(-z) / 2
				}
				return 1 - math.Exp(z)/2
			}
			if shown(n+0.2) < p || shown(n-1.2) > p {
				t.Errorf("%v: %v units are shown with probability %v, one less with %v, must be about %v", th, n, shown(n), shown(n-1), p)
			}
		}
	}
}

func law(t *testing.T, f core.Family, scale int64) *core.Law {
	t.Helper()
	l, err := core.NewLaw(f, big.NewRat(scale, 1))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func scaleOf(l *core.Law) float64 {
	x, _ := l.Scale.Float64()
	return x
}

// Looks are as fine as they can be, and no finer.
func TestLooksAreRefusedWhereWeightsWouldOverflow(t *testing.T) {
	seen := map[uint]bool{}
	for e := -30; e <= 50; e++ {
		budget := new(big.Rat).SetFloat64(math.Ldexp(1, e))
		l, err := newLook(budget, big.NewRat(1, 1_000_000), 3)
		shift := max(calibrate.Fineness(calibrate.Change{L0: big.NewInt(1), LInf: big.NewInt(1)}.Gaussian(budget)), leastFineness)
		switch {
		case shift > mostFineness && err == nil:
			t.Errorf("a budget of 2^%d: a look of 2^%d steps for a unit is taken", e, shift)
		case shift <= mostFineness && err == nil && l.shift != shift:
			t.Errorf("a budget of 2^%d: a look has 2^%d steps for a unit, must have 2^%d", e, l.shift, shift)
		case err == nil:
			seen[shift] = true
		}
	}
	if !seen[leastFineness] || !seen[mostFineness] {
		t.Errorf("looks have 2^%v steps", seen)
	}
}

// A ratio whose denominator the noise swallows is unknown: anything from 0 on for counts,
// and anything at all for sums of either sign. Nobody is in the series, so that of 40
// denominators hardly any is known.
func TestARatioOverNoiseIsUnknown(t *testing.T) {
	q, series := sales(5, 2, 1, false)
	units := q.Units()
	moved := PerUnit(q, "moved", func(s sale) float64 { return s.paid }, Bounds[float64]{Lower: -1, Upper: 1, Step: 0.25})
	plan, err := series.Plan(dp.Concentrated{Rho: 0.01}, units, moved.Sum())
	if err != nil {
		t.Fatal(err)
	}
	unknown := [2]int{}
	for range 200 { // in a few the noise of the denominator is far below 0
		trend, err := Advance(t.Context(), plan, newTill(), report, 5, Slice([]sale(nil)))
		if err != nil {
			t.Fatal(err)
		}
		for from := range 4 {
			of, to := Stretch[string]{From: from + 1, To: from + 2}, Stretch[string]{From: from, To: from + 1}
			ofUnits, err1 := Ratio(trend, units, of, to)
			ofSums, err2 := Ratio(trend, moved.Sum(), of, to)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			for i, r := range []dp.Estimate[float64]{ofUnits, ofSums} {
				least := []float64{0, math.Inf(-1)}[i]
				lo, hi := r.Interval(0.95)
				if r.Unknown {
					unknown[i]++
					if lo != least || !math.IsInf(hi, 1) {
						t.Errorf("an unknown ratio is from %v to %v, must be from %v on", lo, hi, least)
					}
				} else if math.IsInf(hi, 1) && r.Value > least || lo < least { // 0 was cut off
					t.Errorf("a ratio is known, and from %v to %v", lo, hi)
				}
			}
		}
	}
	if unknown[0] < 400 || unknown[1] < 400 {
		t.Errorf("of 800 ratios over noise %v are unknown", unknown)
	}
}

// What a coin says of itself is of its own law: the least counts that are shown with 50 %
// and 95 %.
func TestCoinsSayFromWhereOnGroupsAreShown(t *testing.T) {
	for _, epsilon := range []int64{1, 20, 300} { // in hundredths
		for _, l0 := range []int64{1, 3} {
			c, err := newCoin(big.NewRat(epsilon, 100), big.NewRat(1, 1_000_000), l0)
			if err != nil {
				t.Fatal(err)
			}
			// Of (ε, δ)/L0 the optimal probabilities rise by e^ε, and then fall short of 1 by as much.
			e, d := float64(epsilon)/100/float64(l0), 1e-6/float64(l0)
			want := func(p float64) int64 {
				probability := 0.0
				for n := int64(1); ; n++ {
					if probability = min(math.Exp(e)*probability+d, 1-math.Exp(-e)*(1-probability-d), 1); probability >= p {
						return n
					}
				}
			}
			if off := func(got, want int64) bool { return max(got-want, want-got) > want/1_000_000 }; off(c.half, want(0.5)) || off(c.surely, want(0.95)) {
				t.Errorf("ε=%v, %d groups: shown from %d and %d units on, must be %d and %d", epsilon, l0, c.half, c.surely, want(0.5), want(0.95))
			}
		}
	}
}

// The ends of an interval are the first point of the leaf of its lower end and the last one
// of that of its upper end, and never on the wrong side of the quantile.
func TestIntervalsOfTreesReachToTheEndsOfLeaves(t *testing.T) {
	m := &measure{shape: ranktree.Up(1000, 4, 10), grid: grid.New(new(big.Rat), big.NewRat(999, 1), big.NewRat(1, 1))}
	for _, points := range [][]int64{{345, 345, 345}, {300, 312, 312, 399, 399}, {120, 130, 345, 789, 800}} {
		tree := ranktree.New(m.shape, points, 0, func(counts []int64, noisy []float64) {
			for i, n := range counts {
				noisy[i] = float64(n)
			}
		})
		r := m.search(tree, 0.5, []float64{0, 1.96})
		leaf := r.Point / 100
		for i := range r.Lows {
			if r.Lows[i] != leaf*100 || r.Highs[i] != leaf*100+99 {
				t.Errorf("%v: the median is %d, between %d and %d", points, r.Point, r.Lows[i], r.Highs[i])
			}
		}
	}
}

// A step that a receipt tells is the one that was asked for or a power of two; any other
// text is none.
func TestStepsOfReceiptsAreTheirOwn(t *testing.T) {
	free := &value{lower: new(big.Rat), upper: big.NewRat(8, 1)}
	asked := &value{lower: new(big.Rat), upper: big.NewRat(8, 1), asked: big.NewRat(1, 10)}
	for text, want := range map[string]bool{"0.5": true, "2": true, "0.25": true, "0.1": false, "3": false, "0": false, "-1": false, "-0.5": false, "+Inf": false, "Inf": false, "-Inf": false, "NaN": false, "": false, "x": false, "0.5x": false, "1e400": false} {
		if g := free.gridOfStep(text); (g != nil) != want {
			t.Errorf("the step %q is taken: %v, must be %v", text, g != nil, want)
		}
		if g := asked.gridOfStep(text); (g != nil) != (text == "0.1") {
			t.Errorf("the step %q is taken for 0.1: %v", text, g != nil)
		}
	}
}
