package aggregate_test

import (
	"math"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// staysIn returns a query over groups, and rows of so many units in each.
func staysIn(groups, units int, given bool) (*aggregate.Query[stay, int, int], []stay) {
	q, _ := stays()
	q.MaxGroups, q.Groups = 1, nil
	var rows []stay
	for g := range groups {
		if given {
			q.Groups = append(q.Groups, g)
		}
		for u := range units {
			rows = append(rows, stay{g*units + u, g, 30})
		}
	}
	return q, rows
}

// The total of groups is that of their raw numbers, and its interval holds it as often
// as it says: of 600 draws at 90 %, between 492 and 582 do, but for a probability of
// 1e-9; 600 intervals that are added up would hold nearly all. Where groups were
// selected for their noise it holds as well.
func TestTotalsHoldAsOftenAsTheySay(t *testing.T) {
	for _, c := range []struct {
		loss         dp.Loss
		given        bool
		groups, size int
	}{
		{dp.Pure{Epsilon: 0.5}, true, 12, 40}, {dp.Concentrated{Rho: 0.05}, true, 12, 40},
		{dp.Approx{Epsilon: 1, Delta: 1e-3}, false, 12, 40}, {dp.Approx{Epsilon: 1, Delta: 1e-3}, false, 40, 7},
	} {
		q, rows := staysIn(c.groups, c.size, c.given)
		units := q.Units()
		plan, err := q.Plan(c.loss, units)
		if err != nil {
			t.Fatal(err)
		}
		part, err := plan.Collect(t.Context(), aggregate.Slice(rows))
		if err != nil {
			t.Fatal(err)
		}
		held := 0
		const runs = 600
		for range runs {
			release, err := plan.Release(t.Context(), newPurse(), aggregate.Request{Key: "k", Purpose: "test"}, part)
			if err != nil {
				t.Fatal(err)
			}
			total, err := aggregate.Total(release, units)
			if err != nil {
				t.Fatal(err)
			}
			raw := 0.0
			for _, cell := range release.All() {
				raw += units.Of(cell).Raw().Value
			}
			if got := total.Raw().Value; math.Abs(got-raw) > 1e-6 {
				t.Fatalf("the total is %v, and the groups add up to %v", got, raw)
			}
			l, h := total.Interval(0.9)
			if truth := int64(c.size * release.Len()); l <= truth && truth <= h {
				held++
			}
		}
		if held < 492 || c.given && held > 582 {
			t.Errorf("%v, groups given %v: %d of %d hold the total", c.loss, c.given, held, runs)
		}
	}
}

// Totals are of counts and sums, exact without noise, of named groups or of all; all
// mistakes come together.
func TestTotalsAreOfNamedGroups(t *testing.T) {
	dptest.NoNoise(t)
	q, rows := staysIn(5, 3, true)
	v := aggregate.PerRow(q, "days", func(s stay) float64 { return s.days }, aggregate.Bounds[float64]{Lower: 0, Upper: 90, Step: 1})
	count, sum, mean := q.Count(), v.Sum(), v.Mean()
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, count, sum, mean)
	if err != nil {
		t.Fatal(err)
	}
	release, err := plan.Run(t.Context(), newPurse(), aggregate.Request{Key: "k", Purpose: "test"}, aggregate.Slice(rows))
	if err != nil {
		t.Fatal(err)
	}
	n, err1 := aggregate.Total(release, count)
	days, err2 := aggregate.Total(release, sum, 1, 4)
	if n.Value != 15 || days.Value != 180 || err1 != nil || err2 != nil {
		t.Errorf("totals are %v and %v: %v, %v", n.Value, days.Value, err1, err2)
	}
	_, err = aggregate.Total(release, sum, 1, 9, 1)
	for _, want := range []string{`group ["9"] was not released`, `group ["1"] is named twice`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
	if _, err = aggregate.Total(release, mean); err == nil || !strings.Contains(err.Error(), "days mean") {
		t.Errorf("the total of means: %v", err)
	}
}
