package aggregate

import (
	"math"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// C3: the comparison itself: at the threshold a group shows, one step below it does not.
func TestTheComparisonIsThatOfTheThreshold(t *testing.T) {
	th := &threshold{at: 7}
	for noisy, want := range map[int64]bool{6: false, 7: true, 8: true} {
		if th.passes(exact.Int(noisy)) != want {
			t.Errorf("%d at threshold 7: %v", noisy, !want)
		}
	}
}

// C10: selection is a function of the noisy count: what shows is never below the
// threshold, and a group with as many units as the threshold shows half of the time.
func TestSelectionLooksAtTheNoisyCount(t *testing.T) {
	q := &Query[int, int, int]{Dataset: "d", UnitName: "u", Unit: func(i int) int { return i }, Group: func(int) int { return 0 }, MaxGroups: 1, MaxRowsPerGroup: 1}
	p, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-3}, q.Units())
	if err != nil {
		t.Fatal(err)
	}
	m := p.units()
	shown, n := 0, 2000
	for range n {
		s := core.Begin()
		g := p.newGroup()
		g.sums[0] = exact.Int(p.threshold.at >> p.threshold.shift)
		cell, ok := p.noisy(s, g, nil)
		s.End()
		if ok {
			shown++
			if cell.sums[0].Int64() < p.threshold.at {
				t.Fatalf("a group of %v shows below the threshold %d", cell.sums[0], p.threshold.at)
			}
		}
	}
	if want := 0.5 * (1 + 1/(2*m.law.StdDev())); math.Abs(float64(shown)/float64(n)-0.5) > 0.3 {
		t.Errorf("%d of %d show, want about %.2f", shown, n, want)
	}
}

// A10: the counts of a tree get the noise of their event. The mean square of 20,000
// draws is within 10 % of the variance but for a probability below 1e-9 (its
// standard deviation is at most √(5/20000), 1.6 %, of it), and a scale that is 10 %
// too small is seen.
func TestCountsOfATreeGetTheirNoise(t *testing.T) {
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 1}, dp.Concentrated{Rho: 0.1}} {
		q := &Query[int, int, int]{Dataset: "d", UnitName: "u", Unit: func(i int) int { return i }, MaxGroups: 1, MaxRowsPerGroup: 1}
		v := PerRow(q, "v", func(i int) int { return i }, Bounds[int]{Lower: 0, Upper: 1000})
		p, err := q.Plan(loss, v.Quantile(0.5))
		if err != nil {
			t.Fatal(err)
		}
		m := p.measures[0]
		s := core.Begin()
		sum, n := 0.0, 20_000
		draws, noisy := make([]int64, n), make([]float64, n)
		s.Draw(m.law, draws)
		m.noisyCounts(make([]int64, n), draws, noisy)
		for _, y := range noisy {
			sum += y * y
		}
		s.End()
		want := math.Ldexp(m.law.StdDev(), -int(m.shift))
		if ratio := sum / float64(n) / (want * want); math.Abs(ratio-1) > 0.1 {
			t.Errorf("%v: the mean square of noise is %.3f of its variance", loss, ratio)
		}
	}
}
