package aggregate

import (
	"math"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// What is smoothed follows what is released: it is that where the truth moves by far
// more than the noise, nearer to the truth where the truth stands still, within the range of
// a count, and never more than a thousand periods.
func TestASmoothedLineIsOfWhatWasReleased(t *testing.T) {
	const periods = 60
	all := Stretch[string]{Groups: []string{"a"}, From: 0, To: periods}
	for _, c := range []struct {
		rho    float64
		jumps  int // of the truth from day to day
		nearer float64
	}{{1e6, 500, 1.5}, {1, 0, 1}} {
		q, series := sales(periods, 2*periods, 1, false)
		units := q.Units()
		plan, err := series.Plan(dp.Concentrated{Rho: c.rho}, units)
		if err != nil {
			t.Fatal(err)
		}
		var rows []sale
		truth := make([]float64, periods)
		for day := range periods {
			truth[day] = float64(300 + c.jumps*(day%3))
			for who := range int(truth[day]) {
				rows = append(rows, sale{who, "a", day, 1})
			}
		}
		trend, err := Advance(t.Context(), plan, newTill(), report, periods, Slice(rows))
		if err != nil {
			t.Fatal(err)
		}
		smooth, err := Smooth(trend, units, all)
		if err != nil || len(smooth) != periods {
			t.Fatal(len(smooth), err)
		}
		noisyOff, smoothOff := 0.0, 0.0
		for i := range smooth {
			cell, err := trend.Over(Stretch[string]{Groups: all.Groups, From: i, To: i + 1})
			if err != nil {
				t.Fatal(err)
			}
			noisyOff += math.Abs(units.Of(cell).Raw().Value - truth[i])
			smoothOff += math.Abs(smooth[i] - truth[i])
		}
		if smoothOff > c.nearer*noisyOff {
			t.Errorf("ρ=%v: smoothed numbers are %g from the truth and noisy ones %g", c.rho, smoothOff/periods, noisyOff/periods)
		}
		nobody, err := Smooth(trend, units, Stretch[string]{Groups: []string{"b"}, From: 0, To: periods})
		for _, x := range nobody {
			if x < 0 || err != nil {
				t.Errorf("a count is smoothed to %g, %v", x, err)
			}
		}
	}
}

func TestALongSeriesIsNotSmoothedWhole(t *testing.T) {
	q, series := sales(1001, 1, 1, true)
	units := q.Units()
	plan, err := series.Plan(dp.Concentrated{Rho: 1}, units)
	if err != nil {
		t.Fatal(err)
	}
	trend, err := Advance(t.Context(), plan, newTill(), report, 1001, Slice([]sale(nil)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Smooth(trend, units, Stretch[string]{From: 0, To: 1001}); err == nil {
		t.Error("1,001 periods are smoothed")
	}
}
