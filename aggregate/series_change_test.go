package aggregate

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// Those who leave a series change nothing that was released. What they had counted for goes, in part, from the
// periods that follow, never from earlier ones, and a total to date is between what it is with them and without; with independent noise they
// only count no more.
func TestWhoLeavesASeriesCountsNoMore(t *testing.T) {
	dptest.NoNoise(t)
	const periods, left = 12, 5
	r := rand.New(rand.NewPCG(14, 8))
	for _, c := range []struct {
		name string
		most int
		set  func(*Series[sale, int, string])
	}{
		{"fading", 1, func(*Series[sale, int, string]) {}}, {"level", 1, func(s *Series[sale, int, string]) { s.Level = true }},
		{"to date", 2, func(s *Series[sale, int, string]) { s.Views = []View{ToDate(1)} }}, {"independent", 2 * periods, func(*Series[sale, int, string]) {}},
	} {
		q, series := sales(periods, c.most, 1, false)
		q.Groups = []string{"a"}
		c.set(series)
		units := q.Units()
		plan, err := series.Plan(dp.Concentrated{Rho: 1}, units)
		if err != nil {
			t.Fatal(err)
		}
		var all []sale
		for who := range 4000 {
			all = append(all, sale{who, "a", r.IntN(periods), 1})
		}
		stay := slices.DeleteFunc(slices.Clone(all), func(s sale) bool { return s.who%4 == 0 && s.day < left })
		account := newTill()
		count := func(trend *Trend[string], from, to int) float64 {
			cell, err := trend.Over(Stretch[string]{From: from, To: to})
			if err != nil {
				t.Fatal(err)
			}
			return units.Of(cell).Raw().Value
		}
		before, err1 := Advance(t.Context(), plan, account, report, left, Slice(all))
		after, err2 := Advance(t.Context(), plan, account, report, periods, Slice(stay))
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		in := func(rows []sale, from, to int) (n float64) {
			for _, s := range rows {
				if from <= s.day && s.day < to {
					n++
				}
			}
			return n
		}
		for day := range periods {
			got, want := count(after, day, day+1), in(stay, day, day+1)
			if day < left && (got != count(before, day, day+1) || got != in(all, day, day+1)) {
				t.Errorf("%s: day %d was released as %v and is %v", c.name, day, count(before, day, day+1), got)
			}
			if day >= left && (got > want+1e-6 || c.name == "independent" && got < want-1e-6) {
				t.Errorf("%s: day %d has %v, must have at most %v", c.name, day, got, want)
			}
		}
		with, without, got := in(all, 0, periods), in(stay, 0, periods), count(after, 0, periods)
		if !(without-1e-6 <= got && got <= with+1e-6) || c.name != "independent" && got > with-1 {
			t.Errorf("%s: in all %v, with those who left %v, without %v", c.name, got, with, without)
		}
	}
}

// Numbers on both sides of the seam of two series have independent noise, and their difference the
// noise that is said of it.
func TestNumbersCompareAcrossTheSeamOfTwoSeries(t *testing.T) {
	const periods, runs = 6, 300
	q, first := sales(periods, 1, 1, false)
	units := q.Units()
	second := *first
	second.First = epoch.AddDate(0, 0, periods)
	second.Time = func(s sale) time.Time { return epoch.AddDate(0, 0, s.day) }
	var plans [2]*SeriesPlan[sale, int, string]
	for i, s := range []*Series[sale, int, string]{first, &second} {
		var err error
		if plans[i], err = s.Plan(dp.Concentrated{Rho: 0.5}, units); err != nil {
			t.Fatal(err)
		}
	}
	var rows []sale
	for who := range 700 {
		day := periods - 1
		if who >= 400 {
			day = periods
		}
		rows = append(rows, sale{who, "a", day, 1})
	}
	squares := 0.0
	for range runs {
		account := newTill()
		old, err1 := Advance(t.Context(), plans[0], account, Request{Key: "old", Purpose: "test"}, periods, Slice(rows))
		young, err2 := Advance(t.Context(), plans[1], account, Request{Key: "young", Purpose: "test"}, 1, Slice(rows))
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		a, err1 := old.Over(Stretch[string]{From: periods - 1, To: periods})
		b, err2 := young.Over(Stretch[string]{From: 0, To: 1})
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		d := units.Of(b).Minus(units.Of(a))
		squares += (d.Value + 100) * (d.Value + 100) / d.StdDev / d.StdDev
	}
	if squares < chiSquare(runs, -1) || squares > chiSquare(runs, 1) {
		t.Errorf("squares of %d differences beside their variance add up to %.1f, must be within %.1f to %.1f", runs, squares, chiSquare(runs, -1), chiSquare(runs, 1))
	}
}
