package aggregate

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
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
		cell, ok := p.noisyCell(s, g, nil)
		s.End()
		if ok {
			shown++
			if cell.sums()[0].Int64() < p.threshold.at {
				t.Fatalf("a group of %v shows below the threshold %d", cell.sums()[0], p.threshold.at)
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

// Nothing but groups: the release has them in their order and no numbers, the receipt
// says how they were found, and it is read back as it was, also by a version that would
// find them in another way.
func TestGroupsAloneAreReleasedAndReadBack(t *testing.T) {
	for maxGroups, noise := range map[int]string{1: "truncated geometric", 4: "discrete gaussian"} {
		q := &Query[[2]int, int, int]{
			Dataset: "d", UnitName: "u", MaxGroups: maxGroups, MaxRowsPerGroup: 1,
			Unit: func(r [2]int) int { return r[0] }, Group: func(r [2]int) int { return r[1] },
		}
		p, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-9})
		if err != nil {
			t.Fatal(err)
		}
		var rows [][2]int
		for who := range 3000 {
			rows = append(rows, [2]int{who, who % 3}, [2]int{who, who % 3}, [2]int{who, 7000 + who})
			if maxGroups == 1 {
				rows = rows[:len(rows)-1]
			}
		}
		var parts []*Partial[int]
		for i := range 2 {
			part, err := p.Collect(t.Context(), Slice(rows[i*len(rows)/2:(i+1)*len(rows)/2]))
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, part)
		}
		addingNoise, err := p.merged(t.Context(), parts)
		if err != nil {
			t.Fatal(err)
		}
		released, cells, err := addingNoise(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		text := encode(p.compiled, p.receipt(p.Charge(Request{Key: "k"}), dp.Payment{}), released, cells)
		for _, fingerprint := range []string{p.fingerprint, "of another version"} {
			other := *p.compiled
			other.fingerprint = fingerprint
			r, err := decode[int](&other, text)
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for key, cell := range r.All() {
				got = append(got, key)
				if len(cell.Noisy()) != 0 {
					t.Errorf("a group has the numbers %v", cell.Noisy())
				}
			}
			if !slices.Equal(got, []int{0, 1, 2}) {
				t.Errorf("MaxGroups %d: groups %v, want those of a thousand units", maxGroups, got)
			}
			receipt := r.Receipt()
			if units, _ := p.Threshold(); receipt.Noise != noise || receipt.Threshold != units || len(receipt.Measures) == 0 {
				t.Errorf("MaxGroups %d: the receipt is %+v", maxGroups, receipt)
			}
		}
		if _, err := q.Plan(dp.Pure{Epsilon: 1}); err == nil {
			t.Error("groups are found without a δ")
		}
		q.Groups = []int{1}
		if _, err := q.Plan(dp.Pure{Epsilon: 1}); err == nil {
			t.Error("given groups and no columns are a question")
		}
	}
}

// A finder that is done reading when its context is, and not before.
func TestFindingGroupsStopsWithItsContext(t *testing.T) {
	q := &Query[int, int, int]{Dataset: "d", UnitName: "u", Unit: func(i int) int { return i }, Group: func(i int) int { return i }, MaxGroups: 3, MaxRowsPerGroup: 1}
	p, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	read := 0
	_, err = p.Collect(ctx, func(yield func(int, error) bool) {
		for yield(read, nil) {
			if read++; read == 100 {
				cancel()
			}
		}
	})
	if !errors.Is(err, context.Canceled) || read > 101 {
		t.Errorf("%d rows were read, and then %v", read, err)
	}
	if _, err := p.Collect(t.Context(), func(yield func(int, error) bool) { yield(0, errors.New("broken")) }); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("a row that cannot be read: %v", err)
	}
}
