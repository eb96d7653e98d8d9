package aggregate

import (
	"math"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// A draw from all groups together is one mechanism, of as many records as a unit has in
// all its groups; those of each group are as many as a unit has groups, of its records
// in one.
func TestFirstDrawsAreCalibratedForAllGroupsOfAUnit(t *testing.T) {
	for _, c := range []struct {
		maxGroups, maxRows int
		perUnit            bool
		records            float64
	}{{1, 1, false, 1}, {3, 2, false, 6}, {5, 4, true, 5}} {
		q := &Query[int, int, int]{Dataset: "d", UnitName: "u", Unit: func(r int) int { return r }, Group: func(r int) int { return r },
			MaxGroups: c.maxGroups, MaxRowsPerGroup: c.maxRows, Groups: []int{0, 1, 2, 3, 4, 5, 6, 7}}
		of := PerRow[float64, int, int, int]
		if c.perUnit {
			of = PerUnit[float64, int, int, int]
		}
		v := of(q, "x", func(r int) float64 { return float64(r) }, Bounds[float64]{Lower: 0, Upper: 1000})
		plan, err := q.Plan(dp.Concentrated{Rho: 0.125}, v.QuantileWithoutInterval(0.95))
		if err != nil {
			t.Fatal(err)
		}
		d := plan.measures[0].drawing
		if d.first == nil || len(d.events) != 2 {
			t.Fatalf("%d events", len(d.events))
		}
		for _, e := range d.events {
			epsilon, _ := e.Epsilon.Float64()
			records, count, scale := c.records/float64(c.maxGroups), c.maxGroups, d.plan.Scale(0)
			if strings.HasSuffix(e.For, firstDraws) {
				records, count, scale = c.records, 1, d.first.Scale(0)
			}
			if want := 2 * 0.95 * records / epsilon; e.Count != count || math.Abs(scale/want-1) > 1e-6 {
				t.Errorf("%v: %q has scale %v and is paid %d times, want %v and %d", c, e.For, scale, e.Count, want, count)
			}
		}
	}
}
