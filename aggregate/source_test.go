package aggregate

import (
	"math"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// Sums, differences and ratios of groups that share noise, and of columns of one group that
// do, hold at least as often as they say, and those of independent groups no oftener. At
// 95 % of 600 draws, fewer than 0.895 or more than 0.99 hold with a probability of 1e-9.
func TestPlusAndMinusAllowForNoiseThatEstimatesShare(t *testing.T) {
	const groups, draws = 6, 600
	p := wards(t, groups, true, dp.Concentrated{Rho: 0.5})
	var rows []stay
	for who := range 600 {
		rows = append(rows, inAll(groups, 4)...)
		for g := range groups {
			rows[len(rows)-1-g].who = who
		}
	}
	all := p.collectedFor(t, rows)
	units := Column[int64]{p.answers[0].column}
	sum, mean := Column[float64]{p.answers[1].column}, Column[float64]{p.answers[2].column}
	held, apart := map[string]int{}, 0
	for range draws {
		cells, others := noisyCells(p.compiled, all), noisyCells(p.compiled, all)
		total := units.Of(cells[0]).Raw()
		for _, c := range cells[1:] {
			total = total.Plus(units.Of(c).Raw())
		}
		a, b := cells[2], cells[3]
		for name, c := range map[string]struct {
			e    dp.Estimate[float64]
			want float64
		}{
			"all units":          {total, 600 * groups},
			"two sums":           {sum.Of(a).Plus(sum.Of(b)), 4800},
			"a difference":       {sum.Of(a).Minus(sum.Of(b)), 0},
			"a ratio":            {sum.Of(a).Over(sum.Of(b)), 1},
			"a sum over a count": {sum.Of(a).Over(units.Of(a).Raw()), 4},
			"two means":          {mean.Of(a).Plus(mean.Of(b)), 8},
			"two changes":        {units.Change(a, b).Plus(units.Change(a, b)), 0},
		} {
			if lo, hi := c.e.Interval(0.95); lo <= c.want && c.want <= hi {
				held[name]++
			}
		}
		if lo, hi := units.Of(a).Minus(units.Of(others[3])).Interval(0.95); lo <= 0 && 0 <= hi {
			apart++
		}
	}
	for name, n := range held {
		if share := float64(n) / draws; share < 0.895 {
			t.Errorf("%s holds %.3f of the time", name, share)
		}
	}
	if share := float64(apart) / draws; len(held) != 7 || share < 0.895 || share > 0.99 {
		t.Errorf("differences of two releases hold %.3f of the time; held are %v", share, held)
	}
}

// A release that is read twice has the noise that it had: what is added up of both readings
// allows for it. One that no ledger has, as in a rehearsal, is known as long as it is in memory.
func TestNoiseIsKnownAgainWhereAReleaseIsReadTwice(t *testing.T) {
	p := wards(t, 3, true, dp.Concentrated{Rho: 0.5})
	units := Column[int64]{p.answers[0].column}
	released, cells, _ := addNoise(t.Context(), p.compiled, p.collectedFor(t, inAll(3, 4, 4)))
	width := func(hash [32]byte, twice bool) float64 {
		receipt := p.receipt(p.Charge(Request{Key: "k", Purpose: "p"}), dp.Payment{Hash: hash})
		once := newRelease(receipt, released, cells) // as who asked first has it
		again, err := decode[int](p.compiled, encode(p.compiled, receipt, released, cells))
		if err != nil {
			t.Fatal(err)
		}
		if !twice {
			again = once
		}
		a, _ := once.Cell(0)
		b, _ := again.Cell(1)
		lo, hi := units.Of(a).Raw().Plus(units.Of(b).Raw()).Interval(0.95)
		return hi - lo
	}
	known, none := [32]byte{7}, [32]byte{}
	if w := width(known, false); width(known, true) != w || width(none, false) != w || !(width(none, true) < 0.7*w) {
		t.Errorf("a release in memory: ±%v; read twice: ±%v; of no ledger: ±%v, and ±%v", w, width(known, true), width(none, false), width(none, true))
	}
}

// Stretches of a series share noise where they are of the same groups: there half-widths
// add, at the confidence that both need, and squares of them elsewhere.
func TestStretchesShareTheNoiseOfTheirGroups(t *testing.T) {
	q, series := sales(6, 12, 1, false)
	units := q.Units()
	plan, err := series.Plan(dp.Concentrated{Rho: 1}, units)
	if err != nil {
		t.Fatal(err)
	}
	trend, err := Advance(t.Context(), plan, newTill(), report, 6, Slice([]sale(nil)))
	if err != nil {
		t.Fatal(err)
	}
	of := func(from, to int, groups ...string) dp.Estimate[float64] {
		cell, err := trend.Over(Stretch[string]{groups, from, to})
		if err != nil {
			t.Fatal(err)
		}
		return units.Of(cell).Raw()
	}
	before := Stretch[string]{[]string{"a"}, 0, 3}
	change, err := Difference(trend, units, Stretch[string]{[]string{"a"}, 3, 6}, before)
	if err != nil {
		t.Fatal(err)
	}
	width := func(e dp.Estimate[float64], confidence float64) float64 {
		lo, hi := e.Interval(confidence)
		return (hi - lo) / 2
	}
	for name, c := range map[string]struct {
		a, b   dp.Estimate[float64]
		shared bool
	}{
		"two periods of a group":   {of(0, 3, "a"), of(3, 6, "a"), true},
		"of one group and of both": {of(0, 3, "b"), of(3, 6), true},
		"of two groups":            {of(0, 3, "a"), of(3, 6, "b"), false},
		"with a change":            {change, of(5, 6, "a"), true},
		"with another's change":    {change, of(5, 6, "b"), false},
	} {
		want := math.Hypot(width(c.a, 0.95), width(c.b, 0.95))
		if c.shared {
			want = width(c.a, 0.975) + width(c.b, 0.975)
		}
		if w := width(c.a.Plus(c.b), 0.95); math.Abs(w-want) > 1e-6*want {
			t.Errorf("%s: ±%v, want ±%v", name, w, want)
		}
	}
	r, err := Ratio(trend, units, before, Stretch[string]{[]string{"b"}, 0, 3})
	if err != nil || len(trend.sources(0, 1)(plan.answers[0])) != 2 || !r.Unknown && r.Plus(of(0, 1, "b")).StdDev < of(0, 1, "b").StdDev+r.StdDev {
		t.Errorf("a ratio of both groups has the noise of one: %v, %v", r, err)
	}
}
