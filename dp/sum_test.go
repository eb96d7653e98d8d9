package dp

import (
	"math"
	"math/rand/v2"
	"testing"
)

// from is an estimate whose noise came from somewhere.
func from(sources []any, value, stdDev float64) Estimate[float64] {
	return NewEstimate(value, stdDev, Spread[float64](sourced{noisy(value, stdDev), sources}))
}

type sourced struct {
	noise   Estimate[float64]
	sources []any
}

func (s sourced) Interval(confidence float64) (lo, hi float64) { return s.noise.Interval(confidence) }

func (s sourced) Sources() []any { return s.sources }

// Where noise is the same, or the opposite, what is added up or subtracted is as far off as
// both are together. At 90 % of 2000 draws, fewer than 1700 hold with a probability
// below 1e-12; with squares, about 1500 would.
func TestSumsOfEstimatesThatShareNoiseHoldAsOftenAsTheySay(t *testing.T) {
	const runs = 2000
	r := rand.New(rand.NewPCG(5, 5))
	both, mine := []any{"both"}, []any{"mine"}
	held := map[string]int{}
	for range runs {
		x := r.NormFloat64()
		a, same, opposite := from(both, 100+x, 1), from(both, 50+2*x, 2), from(append(mine, both...), 50-2*x, 2)
		other := from(mine, 10+r.NormFloat64(), 1)
		for name, c := range map[string]struct {
			of   Estimate[float64]
			want float64
		}{
			"plus":               {a.Plus(same), 150},
			"minus":              {a.Minus(opposite), 50},
			"a third between":    {a.Plus(other).Plus(same), 160},
			"a third that joins": {a.Plus(other).Plus(opposite).Minus(opposite).Plus(same), 160},
			"over":               {a.Over(opposite), 2},
			"share":              {a.ShareWith(opposite), 2. / 3},
			"sum of a ratio":     {a.Over(opposite).Within(0, 10).Plus(from(both, 0.2*x, 0.2)), 2},
			"raw":                {a.Within(0, 200).Raw().Plus(same.Within(0, 200)), 150},
		} {
			if l, h := c.of.Interval(0.9); l <= c.want && c.want <= h {
				held[name]++
			}
		}
	}
	for name, n := range held {
		if n < 1700 {
			t.Errorf("%s holds %d of %d times", name, n, runs)
		}
	}
	if len(held) != 8 {
		t.Errorf("%v hold at all", held)
	}
}

// What shares nothing is added up as squares, whatever the order.
func TestSumsKeepApartWhatSharesNothing(t *testing.T) {
	width := func(e Estimate[float64]) float64 {
		l, h := e.Interval(0.9)
		return (h - l) / 2
	}
	a, again, b, none := from([]any{1}, 5, 3), from([]any{1}, 5, 3), from([]any{2}, 5, 4), noisy(5, 12)
	if w := width(a.Plus(b)); math.Abs(w-width(noisy(0, 5))) > 1e-9 {
		t.Errorf("3 and 4 are together ±%v", w)
	}
	if w := width(a.Plus(none).Minus(b)); math.Abs(w-width(noisy(0, 13))) > 1e-9 {
		t.Errorf("3, 4 and 12 are together ±%v", w)
	}
	l, h := noisy(0, 1).Interval(Jointly(0.9, 2))
	shared := (h - l) / 2 * (3 + 3)
	for i, e := range []Estimate[float64]{a.Plus(b).Plus(again), a.Plus(again).Plus(b), b.Plus(again).Plus(a), b.Minus(a.Plus(again).operand().times(-1).raw)} {
		if w := width(e); math.Abs(w-math.Hypot(shared, width(b))) > 1e-9 || math.Abs(e.StdDev-math.Hypot(6, 4)) > 1e-9 {
			t.Errorf("%d: 3 and 3, which share noise, and 4 are together ±%v, with a standard deviation of %v", i, w, e.StdDev)
		}
	}
}
