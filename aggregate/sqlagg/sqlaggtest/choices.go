package sqlaggtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/aggregate/sqlagg"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
	"github.com/equipoise-dp/equipoise/internal/purse"
)

// runs is how often choices are made.
const runs = 300

// Choices tries that rows and groups beyond the caps are left out, exactly so many, and that
// those that are kept are as likely as the others. Of ten rows six are equal: a choice by content keeps all of these or
// none. Units are in seven groups, of which three count. It returns what is wrong.
func Choices(t *testing.T, d Database) error {
	dptest.NoNoise(t)
	const units, groups, mostGroups, mostRows = 4, 7, 3, 3
	var all []line
	for u := range int64(units) {
		for g := range int64(groups) {
			for i := range int64(10) {
				all = append(all, line{un: u, gn: g, n: min(i, 4), x: 1.5})
			}
		}
	}
	rand.New(rand.NewPCG(3, 3)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	s := d.fill(t, "choices", all)
	q := &aggregate.Query[sqlagg.Row, int64, int64]{
		Dataset: "rows", UnitName: "person", Unit: sqlagg.Int("un"), Group: sqlagg.Int("gn"), Groups: []int64{0, 1, 2, 3, 4, 5, 6},
		MaxGroups: mostGroups, MaxRowsPerGroup: mostRows,
	}
	square := aggregate.PerRow(q, "n", sqlagg.Int("n"), aggregate.Bounds[int64]{Lower: 0, Upper: 4})
	x := aggregate.PerRow(q, "x", sqlagg.Float("x"), aggregate.Bounds[float64]{Lower: 0, Upper: 2, Step: 0.5})
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, square.Sum(), x.Sum(), q.Count(), q.Units())
	if err != nil {
		return err
	}
	chosen, rows, inGroups := 0.0, 0.0, make([]float64, groups)
	for range runs {
		r, err := sqlagg.Run(t.Context(), s, plan, purse.Free{}, request)
		if err != nil {
			return err
		}
		kept, people, halves := int64(0), int64(0), 0.0
		for g, cell := range r.All() {
			kept += q.Count().Of(cell).Value
			people += q.Units().Of(cell).Value
			halves += x.Sum().Of(cell).Value
			chosen += float64(square.Sum().Of(cell).Value)
			inGroups[g] += float64(q.Units().Of(cell).Value)
		}
		if kept != units*mostGroups*mostRows || people != units*mostGroups || halves != 1.5*units*mostGroups*mostRows {
			return fmt.Errorf("%d rows are kept of %d units in their groups, which add up to %v", kept, people, halves)
		}
		rows += float64(kept)
	}
	// The mean of a row is 3: of ten rows six are 4, and the others 0 to 3. Of a cell three of ten are drawn without
	// putting them back: the variance of their sum is 3 · 1.8 · 7/9 = 4.2. A normal law is beyond 4.9 with a probability of 9.6e-7.
	deviation := math.Sqrt(4.2 * runs * units * mostGroups)
	if off := math.Abs(chosen - 3*rows); off > 4.9*deviation {
		return fmt.Errorf("rows are not chosen uniformly: they add up to %v, and %v are due, with a deviation of %v", chosen, 3*rows, deviation)
	}
	// A unit is in 3 of 7 groups: covariances make the sum of squares below 7/6 · a chi-square with 6 degrees
	// of freedom, which is above 38.3 with a probability of 9.8e-7.
	chi, want := 0.0, float64(runs*units*mostGroups)/groups
	each := float64(runs*units) * 3 / 7 * 4 / 7
	for _, n := range inGroups {
		chi += (n - want) * (n - want) / each
	}
	if chi *= 6.0 / 7; chi > 38.3 {
		return fmt.Errorf("groups are chosen %v times, and %v is due for each: chi-square %v", inGroups, want, chi)
	}
	return nil
}
