package aggregate_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// How many of the stays the bounds cut is one more number of the vector that their number and
// their sum are.
func ExampleValue_Cut() {
	q := wards()
	q.Groups = []string{"A", "B"}
	hours := aggregate.PerRow(q, "hours", func(v Visit) float64 { return v.Stay.Hours() }, aggregate.Bounds[float64]{Lower: 0, Upper: 8, Step: 0.25})
	without, err1 := q.Plan(dp.Pure{Epsilon: 1}, q.Count(), hours.Sum())
	with, err2 := q.Plan(dp.Pure{Epsilon: 1}, q.Count(), hours.Sum(), hours.Cut().Sum())
	fmt.Println(err1, err2)
	for _, plan := range []*aggregate.Plan[Visit, int64, string]{without, with} {
		for _, price := range plan.Prices() {
			fmt.Printf("%s ±%.0f, but for %s\n", price.Column, price.PlusMinus, price.LeavesOut)
		}
	}
	// Output:
	// <nil> <nil>
	// count ±8, but for rows of a patient in a group beyond 1
	// hours sum ±48, but for what is beyond [0, 8] per row; rows of a patient in a group beyond 1
	// count ±10, but for rows of a patient in a group beyond 1
	// hours sum ±61, but for what is beyond [0, 8] per row; rows of a patient in a group beyond 1
	// hours beyond [0, 8] sum ±8, but for rows of a patient in a group beyond 1
}

// What is rounded to a bound from beyond is not cut; NaN in a row is, and in a sum it adds nothing.
func TestACutTellsWhatItsDocumentationSays(t *testing.T) {
	dptest.NoNoise(t)
	q := bills(group, 1, 9)
	bounds := aggregate.Bounds[float64]{Lower: -1, Upper: 2, Step: 0.5}
	row, unit := aggregate.PerRow(q, "row", amount, bounds), aggregate.PerUnit(q, "unit", amount, bounds)
	fine := aggregate.PerRow(q, "fine", amount, aggregate.Bounds[float64]{Lower: -1, Upper: 2})
	p := plan(t, q, pure, row.Cut().Sum(), unit.Cut().Sum(), fine.Cut().Sum())
	for _, c := range []struct {
		rows            []bill
		row, unit, fine int64
	}{
		{payers(0, -1, 2, 1.99), 0, 0, 0},
		{payers(2.24, -1.25, 2.1), 0, 0, 3},
		{payers(2.25, -1.26), 2, 2, 2},
		{payers(2+0x1p-31, -1-0x1p-30), 0, 0, 2},
		{payers(math.Inf(1), math.Inf(-1)), 2, 2, 2},
		{payers(math.NaN()), 1, 0, 1},
		{[]bill{{1, 0, 30}, {1, 0, -30}, {2, 0, 1.5}, {2, 0, 1.5}}, 2, 1, 2},
		{[]bill{{1, 0, math.NaN()}, {1, 0, 3}, {2, 0, math.Inf(1)}, {2, 0, math.Inf(-1)}}, 4, 1, 4},
	} {
		r, err := p.Run(t.Context(), till{}, aggregate.Request{Key: "k", Purpose: "test"}, aggregate.Slice(c.rows))
		if err != nil {
			t.Fatal(err)
		}
		cell, _ := r.Cell(0)
		got := []int64{row.Cut().Sum().Of(cell).Value, unit.Cut().Sum().Of(cell).Value, fine.Cut().Sum().Of(cell).Value}
		if want := []int64{c.row, c.unit, c.fine}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%v: %v, must be %v", c.rows, got, want)
		}
	}
}

// A1: what bounds cut, beside the sum that they cut, hides a unit that is far beyond them; and the
// claim is tight enough for a fifth of it to be refuted.
func TestACutHidesWhoIsCut(t *testing.T) {
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 2}, dp.Concentrated{Rho: 1}} {
		q := bills(group, 1, 1)
		v := aggregate.PerUnit(q, "amount", amount, aggregate.Bounds[float64]{Lower: 0, Upper: 1})
		p := plan(t, q, loss, v.Sum(), v.Cut().Sum(), aggregate.Weighted{AnyColumn: v.Cut().Mean(), Weight: 0.5})
		noisy := func(cell aggregate.Cell) []float64 { return cell.Noisy() }
		one := bill{9, 0, 1e9}
		holds(t, dptest.Trial{Claim: loss, Runs: 2 * runs, Alpha: alpha}, shown(t, p, payers(1, 0), noisy), shown(t, p, append(payers(1, 0), one), noisy))
		less := dp.Loss(dp.Pure{Epsilon: 0.3})
		if r := dptest.Audit(silent{t}, dptest.Trial{Claim: less, Runs: 2 * runs, Alpha: alpha}, shown(t, p, nil, noisy), shown(t, p, []bill{one}, noisy)); !r.Refuted {
			t.Errorf("%v: a claim of %v is not refuted: %v", loss, less, r)
		}
	}
}

// Questions about other bounds, other steps and other kinds of values are others.
func TestCutsAreToldApart(t *testing.T) {
	seen := map[string]string{}
	for _, perUnit := range []bool{false, true} {
		for _, b := range []aggregate.Bounds[float64]{{Upper: 1}, {Upper: 1 + 1e-14}, {Upper: 1, Step: 0.5}, {Upper: 1, Step: 0.25}, {Lower: -1, Upper: 1}} {
			q := bills(group, 1, 1)
			v := aggregate.PerRow(q, "amount", amount, b)
			if perUnit {
				v = aggregate.PerUnit(q, "amount", amount, b)
			}
			p := plan(t, q, pure, v.Cut().Sum())
			what := fmt.Sprint(perUnit, b)
			for _, mark := range []string{p.Fingerprint(), p.Charge(aggregate.Request{}).Question} {
				if other, twice := seen[mark]; twice {
					t.Errorf("%s is taken for %s", what, other)
				}
				seen[mark] = what
			}
		}
	}
}

func TestACutOfWhatIsWrongIsRefused(t *testing.T) {
	q := bills(group, 1, 1)
	v := aggregate.PerRow(q, "amount", amount, aggregate.Bounds[float64]{Lower: 0, Upper: 1})
	wrong := aggregate.PerRow(q, "wrong", amount, aggregate.Bounds[float64]{Lower: 1, Upper: 0})
	for of, c := range map[string]aggregate.AnyColumn{"the bounds of a Cut cut nothing": v.Cut().Cut().Sum(), "must be below the upper bound": wrong.Cut().Mean()} {
		if _, err := q.Plan(pure, c); err == nil || !strings.Contains(err.Error(), of) {
			t.Errorf("%v, must say that %s", err, of)
		}
	}
}

// Beside every number stands what may have been cut off of it, and nothing beside those of which
// nothing can be.
func TestWhatIsLeftOutStandsBesideTheNumber(t *testing.T) {
	for _, c := range []struct {
		groups          []int
		maxGroups, rows int
		units, sum, cut string
	}{
		{group, 1, math.MaxInt, "", "what is beyond [0, 1] per row", ""},
		{[]int{0, 1}, 2, 3, "", "what is beyond [0, 1] per row; rows of a payer in a group beyond 3", "rows of a payer in a group beyond 3"},
		{[]int{0, 1}, 1, math.MaxInt, "groups of a payer beyond 1", "what is beyond [0, 1] per row; groups of a payer beyond 1", "groups of a payer beyond 1"},
	} {
		q := bills(c.groups, c.maxGroups, min(c.rows, 3))
		v := aggregate.PerRow(q, "amount", amount, aggregate.Bounds[float64]{Lower: 0, Upper: 1})
		if c.rows == math.MaxInt {
			q.MaxRowsPerGroup = math.MaxInt
			v = aggregate.PerUnit(q, "amount", amount, aggregate.Bounds[float64]{Lower: 0, Upper: 1})
			c.sum = strings.ReplaceAll(c.sum, "per row", "per unit")
		}
		p := plan(t, q, pure, q.Units(), v.Sum(), v.Cut().Sum())
		want := []string{c.units, c.sum, c.cut}
		for i, price := range p.Prices() {
			if price.LeavesOut != want[i] {
				t.Errorf("%s leaves out %q, must be %q", price.Column, price.LeavesOut, want[i])
			}
		}
		r, err := p.Run(t.Context(), till{}, aggregate.Request{Key: "k", Purpose: "test"}, aggregate.Slice[bill](nil))
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var shown struct {
			Groups []struct {
				Estimates map[string]map[string]any
			}
		}
		if err := json.Unmarshal(text, &shown); err != nil {
			t.Fatal(err)
		}
		for i, name := range []string{"units", "amount sum", "amount beyond [0, 1] sum"} {
			got, _ := shown.Groups[0].Estimates[name]["leaves_out"].(string)
			if got != want[i] {
				t.Errorf("%s leaves out %q in JSON, must be %q", name, got, want[i])
			}
		}
	}
}
