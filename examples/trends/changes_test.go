package main

import (
	"math"
	"testing"
)

// Whatever is compared, the chances that intervals may miss add up to 5 % at most,
// and to all of it where only totals are compared.
func TestTheJuryGivesAwayFivePercent(t *testing.T) {
	for changes := range 300 {
		for quantiles := range changes + 1 {
			j := newJury(changes, quantiles)
			given := float64(changes-quantiles)*(1-j.totals) + float64(quantiles)*(1-j.quantiles)
			if given > 1-single+1e-9 || quantiles == 0 && changes > 0 && given < 1-single-1e-9 {
				t.Errorf("%d changes, %d of quantiles: %v is given away", changes, quantiles, given)
			}
			if !(j.totals >= single && j.totals < 1) {
				t.Errorf("%d changes, %d of quantiles: totals need %v", changes, quantiles, j.totals)
			}
		}
	}
}

func TestChangesAreJudgedByBothIntervals(t *testing.T) {
	f := func(low, high float64) figure { return figure{Low: low, High: high} }
	for _, c := range []struct {
		alone, together figure
		want            verdictOfChange
	}{
		{f(2, 4), f(1, 5), rose}, {f(-4, -2), f(-5, -1), fell}, {f(2, 4), f(-1, 7), perhapsRose}, {f(2, 4), f(0, 7), perhapsRose},
		{f(-4, -2), f(-7, 1), perhapsFell}, {f(0, 4), f(-1, 5), unclear}, {f(-1, 1), f(-2, 2), unclear}, {f(1, 2), f(math.Inf(-1), math.Inf(1)), perhapsRose},
	} {
		if got := judge(c.alone, c.together); got != c.want {
			t.Errorf("%v, %v: %s, want %s", c.alone, c.together, got, c.want)
		}
	}
}
