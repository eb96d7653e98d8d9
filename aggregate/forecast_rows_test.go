package aggregate_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// Where caps cut off nothing, what is forecast of rows is what is released of them without
// noise, group by group: bounds included.
func TestAForecastOnRowsIsWhatTheyGive(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 18))
		q := bills([]int{0, 1, 2, 3}, 4, 3)
		made, beyond, per := []bill{}, 0, aggregate.PerRow[float64, bill, int, int]
		perUnit := seed%2 == 0
		if perUnit {
			per = aggregate.PerUnit[float64, bill, int, int]
		}
		value := per(q, "amount", amount, aggregate.Bounds[float64]{Upper: 60, Step: 0.25})
		total := map[[2]int]float64{}
		for who := range 300 {
			for where := range 1 + r.IntN(3) {
				for range 1 + r.IntN(3) {
					b := bill{who: who, where: where, x: float64(r.IntN(400)) / 4}
					made = append(made, b)
					total[[2]int{who, where}] += b.x
					if !perUnit && b.x > 60 {
						beyond++
					}
				}
			}
		}
		values := len(made)
		if perUnit {
			values = len(total)
			for _, x := range total {
				if x > 60 {
					beyond++
				}
			}
		}
		plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Units(), value.Mean(), value.Sum(), q.Count())
		if err != nil {
			t.Fatal(err)
		}
		seen, err := plan.ForecastOn(t.Context(), "made up by a test", aggregate.Slice(made))
		if err != nil {
			t.Fatal(err)
		}
		if c := seen.Cut["amount"]; math.Abs(c.Values-float64(beyond)/float64(values)) > 1e-12 || !(c.Sum < 0) || seen.Units != 0 || seen.Rows != 0 || seen.Shown != 4 {
			t.Errorf("seed %d: %d of %d are beyond: %+v", seed, beyond, values, seen)
		}
		t.Run("", func(t *testing.T) {
			dptest.NoNoise(t)
			release, err := plan.Run(t.Context(), newPurse(), aggregate.Request{Key: "k", Purpose: "p"}, aggregate.Slice(made))
			if err != nil {
				t.Fatal(err)
			}
			for group, f := range seen.Groups {
				cell, _ := release.Cell(group)
				if f.Columns == nil {
					if q.Units().Of(cell).Value != 0 {
						t.Errorf("seed %d: group %d has units and no forecast", seed, group)
					}
					continue
				}
				if got := q.Units().Of(cell).Value; float64(got) != f.Columns[0].Value {
					t.Errorf("seed %d, group %d: %d units, forecast %v", seed, group, got, f.Columns[0].Value)
				}
				if got := q.Count().Of(cell).Value; math.Abs(float64(got)-f.Columns[3].Value) > 1 {
					t.Errorf("seed %d, group %d: %d rows, forecast %v", seed, group, got, f.Columns[3].Value)
				}
				if got := value.Mean().Of(cell).Value; !near(got, f.Columns[1].Value, 5e-3) {
					t.Errorf("seed %d, group %d: mean %v, forecast %v", seed, group, got, f.Columns[1].Value)
				}
				if got := value.Sum().Of(cell).Value; !near(got, f.Columns[2].Value, 5e-3) {
					t.Errorf("seed %d, group %d: sum %v, forecast %v", seed, group, got, f.Columns[2].Value)
				}
			}
		})
	}
}

// What caps leave out is what is expected of random choices, by sums that are written down
// here; and of groups that are selected so many are shown as their thresholds say.
func TestAForecastOnRowsSaysWhatCapsLeaveOut(t *testing.T) {
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 19))
		q := bills(nil, 1+r.IntN(3), 1+r.IntN(2))
		q.Groups = nil
		var made []bill
		rowsOf := map[[2]int]int{}
		groupsOf := map[int]int{}
		for who := range 400 {
			for where := range 1 + r.IntN(6) {
				rows := 1 + r.IntN(3)
				rowsOf[[2]int{who, where}] = rows
				groupsOf[who]++
				for range rows {
					made = append(made, bill{who: who, where: where, x: 1})
				}
			}
		}
		var pairs, rows, units float64
		expected := map[int]float64{}
		for at, n := range rowsOf {
			kept := min(1, float64(q.MaxGroups)/float64(groupsOf[at[0]]))
			pairs, units = pairs+1, units+kept
			rows += kept * min(float64(n), float64(q.MaxRowsPerGroup))
			expected[at[1]] += kept
		}
		plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Units())
		if err != nil {
			t.Fatal(err)
		}
		seen, err := plan.ForecastOn(t.Context(), "made up by a test", aggregate.Slice(made))
		if err != nil {
			t.Fatal(err)
		}
		if !near(1-seen.Units, units/pairs, 1e-9) || !near(1-seen.Rows, rows/float64(len(made)), 1e-9) {
			t.Errorf("seed %d: %v of groups and %v of rows are left out, must be %v and %v", seed, seen.Units, seen.Rows, 1-units/pairs, 1-rows/float64(len(made)))
		}
		shown := 0.0
		for group, f := range seen.Groups {
			if got := f.Columns[0].Value; math.Abs(got-expected[group]) > 0.5+1e-6 {
				t.Errorf("seed %d: %v units in group %d, expected %v", seed, got, group, expected[group])
			}
			again, err := plan.Forecast(aggregate.Assumed{Units: int(f.Columns[0].Value)})
			if err != nil || again.Shown != f.Shown {
				t.Errorf("seed %d: group %d is shown with %v, %v", seed, group, f.Shown, err)
			}
			shown += f.Shown
		}
		if !near(seen.Shown, shown, 1e-12) || len(seen.Groups) != len(expected) {
			t.Errorf("seed %d: %v groups of %d are shown, must be %v of %d", seed, seen.Shown, len(seen.Groups), shown, len(expected))
		}
	}
}

func TestAForecastOnRowsNeedsASourceAndReadsAllOfIt(t *testing.T) {
	q := bills([]int{1}, 1, 1)
	odd := aggregate.PerRow(q, "amount", amount, aggregate.Bounds[float64]{Upper: 10, Step: 0.01})
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, odd.Sum())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.ForecastOn(t.Context(), "", nil); err == nil || !strings.Contains(err.Error(), "why they may be looked at") || !strings.Contains(err.Error(), "no rows given") {
		t.Errorf("%v", err)
	}
	broken := errors.New("broken")
	if _, err := plan.ForecastOn(t.Context(), "a test", func(yield func(bill, error) bool) { yield(bill{}, broken) }); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	seen, err := plan.ForecastOn(t.Context(), "a test", aggregate.Slice([]bill{{1, 1, math.NaN()}, {2, 1, math.Inf(1)}, {3, 1, 5}, {4, 2, 7}, {5, 1, 20}}))
	if err != nil {
		t.Fatal(err)
	}
	// Of 5 + 20, 15 count; what is no number is beyond a bound and in no sum; group 2 is not asked for.
	if c := seen.Cut["amount"]; c.Values != 0.75 || !near(c.Sum, -0.4, 1e-12) || len(seen.Groups) != 1 || !near(seen.Groups[1].Columns[0].Value, 25, 1e-3) {
		t.Errorf("%+v", seen)
	}
	nobody, err := plan.ForecastOn(t.Context(), "a test", aggregate.Slice([]bill{}))
	if err != nil || nobody.Shown != 1 || nobody.Groups[1].Columns != nil || nobody.Cut["amount"].Values != 0 {
		t.Errorf("%+v, %v", nobody, err)
	}
	finder, err := (&aggregate.Query[bill, int, int]{
		Dataset: "bills", UnitName: "payer", Unit: func(b bill) int { return b.who }, Group: func(b bill) int { return b.where }, MaxGroups: 1, MaxRowsPerGroup: 1,
	}).Plan(dp.Approx{Epsilon: 1, Delta: 1e-6})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := finder.ForecastOn(t.Context(), "a test", aggregate.Slice([]bill{})); err == nil || !strings.Contains(err.Error(), "no column to forecast") {
		t.Errorf("%v", err)
	}
}

// A report is tried on last year's rows, which are public.
func ExamplePlan_ForecastOn() {
	q := &aggregate.Query[bill, int, int]{
		Dataset: "bills", UnitName: "payer", Unit: func(b bill) int { return b.who }, Group: func(b bill) int { return b.where },
		MaxGroups: 2, MaxRowsPerGroup: 1,
	}
	paid := aggregate.PerUnit(q, "paid", amount, aggregate.Bounds[float64]{Upper: 80, Step: 0.01})
	plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Units(), paid.Sum())
	if err != nil {
		fmt.Println(err)
		return
	}
	var rows []bill
	for who := range 3000 {
		for where := range 1 + who%4 {
			rows = append(rows, bill{who, where, float64(10 + who%100)})
		}
	}
	seen, err := plan.ForecastOn(context.Background(), "bills of 2019, which the city publishes", aggregate.Slice(rows))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3g of %d groups are shown; caps leave out %.0f %% of rows, bounds cut %.0f %% of values and %.0f %% of the sum\n",
		seen.Shown, len(seen.Groups), 100*seen.Rows, 100*seen.Cut["paid"].Values, -100*seen.Cut["paid"].Sum)
	for _, group := range slices.Sorted(maps.Keys(seen.Groups)) {
		c := seen.Groups[group].Columns
		fmt.Printf("group %d: %v ± %.0f payers, %.0f ± %.0f paid\n", group, c[0].Value, c[0].PlusMinus, c[1].Value, c[1].PlusMinus)
	}
	for _, z := range seen.Sizes {
		fmt.Printf("%d of %d to %d payers, who paid %.0f ± %.1f %%\n", z.Groups, z.Least, z.Most, z.Columns[1].Value, 100*z.Columns[1].PlusMinus/z.Columns[1].Value)
	}
	// Output:
	// 4 of 4 groups are shown; caps leave out 30 % of rows, bounds cut 30 % of values and 7 % of the sum
	// group 0: 2375 ± 12 payers, 130495 ± 959 paid
	// group 1: 1625 ± 12 payers, 89935 ± 959 paid
	// group 2: 875 ± 12 payers, 48835 ± 959 paid
	// group 3: 375 ± 12 payers, 21075 ± 959 paid
	// 2 of 100 to 999 payers, who paid 34955 ± 2.7 %
	// 2 of 1000 to 9999 payers, who paid 110215 ± 0.9 %
}

// Errors by the size of groups are the means of those of their groups, and every group is in one size.
func TestErrorsBySizeAreThoseOfTheirGroups(t *testing.T) {
	r := rand.New(rand.NewPCG(18, 137))
	q := bills([]int{0, 1, 2, 3, 4, 5}, 6, 1)
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Units())
	if err != nil {
		t.Fatal(err)
	}
	sizes := []int{0, 1, 9, 10, 100 + r.IntN(900), 99}
	var made []bill
	for where, n := range sizes {
		for who := range n {
			made = append(made, bill{who: who, where: where})
		}
	}
	seen, err := plan.ForecastOn(t.Context(), "made up by a test", aggregate.Slice(made))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, z := range seen.Sizes {
		text := fmt.Sprintf("%d in %d to %d, %.0f shown", z.Groups, z.Least, z.Most, z.Shown)
		mean, n := 0.0, 0
		for where, units := range sizes {
			if z.Least <= units && units <= z.Most && units > 0 {
				mean, n = mean+float64(units), n+1
				if e := seen.Groups[where].Columns[0]; math.Abs(e.PlusMinus-z.Columns[0].PlusMinus) > 1e-9 { // counts have one noise
					t.Errorf("%s: ± %v, group %d has ± %v", text, z.Columns[0].PlusMinus, where, e.PlusMinus)
				}
			}
		}
		if n > 0 && math.Abs(z.Columns[0].Value-mean/float64(n)) > 1e-9 {
			t.Errorf("%s: the mean is %v, want %v", text, z.Columns[0].Value, mean/float64(n))
		}
		got = append(got, text)
	}
	want := []string{"1 in 0 to 0, 1 shown", "2 in 1 to 9, 2 shown", "2 in 10 to 99, 2 shown", "1 in 100 to 999, 1 shown"}
	if !slices.Equal(got, want) {
		t.Errorf("sizes are %q, want %q", got, want)
	}
}
