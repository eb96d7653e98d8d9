package aggregate_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

type Visit struct {
	Patient int64
	Ward    string
	Stay    time.Duration
}

var visits = []Visit{{1, "A", 30 * time.Minute}, {1, "B", time.Hour}, {2, "A", 45 * time.Minute}}

func Example() {
	ctx := context.Background()
	account, err1 := budget.Create(ctx, budget.Memory(), budget.Terms{
		Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 1}})
	q := &aggregate.Query[Visit, int64, string]{
		Dataset: "visits", UnitName: "patient",
		Unit:      func(v Visit) int64 { return v.Patient },
		Group:     func(v Visit) string { return v.Ward },
		MaxGroups: 2, MaxRowsPerGroup: 1, Groups: []string{"A", "B", "C"},
	}
	stay := aggregate.PerUnit(q, "stay", func(v Visit) time.Duration { return v.Stay },
		aggregate.Bounds[time.Duration]{Lower: 0, Upper: 4 * time.Hour})
	plan, err2 := q.Plan(dp.Pure{Epsilon: 0.7}, q.Count(), stay.Mean())
	if err := errors.Join(err1, err2); err != nil {
		log.Fatal(err)
	}
	for _, month := range []string{"May", "June"} {
		switch release, err := plan.Run(ctx, account, aggregate.Request{Key: month, Purpose: "report"}, aggregate.Slice(visits)); {
		case errors.As(err, new(*budget.RefusedError)):
			fmt.Println(month, "is refused")
		case err != nil:
			log.Fatal(err)
		default:
			fmt.Println(month, release.Len(), "wards,", release.Receipt().Loss, release.Receipt().Columns)
		}
	}
	// Output:
	// May 3 wards, ε=0.7 [count stay mean]
	// June is refused
}

// Every mistake in a question is reported at once, before any row is read.
func ExampleQuery_Plan() {
	q := &aggregate.Query[Visit, int64, string]{
		Unit:  func(v Visit) int64 { return v.Patient },
		Group: func(v Visit) string { return v.Ward },
	}
	other := &aggregate.Query[Visit, int64, string]{}
	stay := aggregate.PerRow(q, "stay", func(v Visit) float64 { return v.Stay.Hours() }, aggregate.Bounds[float64]{Lower: 4})

	const ε = 1 // an integer constant, so ε / 2 is 0
	_, err := q.Plan(dp.Pure{Epsilon: ε / 2}, q.Count(), other.Units(), stay.Quantile(95))
	fmt.Println(err)
	// Output:
	// dp: epsilon is 0, must be positive and finite
	// aggregate: Query.Dataset is empty; name what the rows are of
	// aggregate: Query.UnitName is empty; say who is protected, such as "customer"
	// aggregate: Query.MaxGroups is 0, must be at least 1
	// aggregate: Query.MaxRowsPerGroup is 0, must be at least 1
	// aggregate: groups are selected privately, which needs a loss with a δ, not ε=0; or list them in Query.Groups
	// aggregate: column units belongs to another query
	// aggregate: quantile rank of "stay" is 95, must be in (0, 1)
	// aggregate: value "stay": lower bound is 4, must be below the upper bound 0
}

func wards() *aggregate.Query[Visit, int64, string] {
	return &aggregate.Query[Visit, int64, string]{
		Dataset: "visits", UnitName: "patient",
		Unit:      func(v Visit) int64 { return v.Patient },
		Group:     func(v Visit) string { return v.Ward },
		MaxGroups: 2, MaxRowsPerGroup: 1,
	}
}

// Without columns a plan finds groups, more of them than where it must also count.
func ExampleQuery_Plan_groupsAlone() {
	q := &aggregate.Query[Visit, int64, string]{
		Dataset: "visits", UnitName: "patient",
		Unit:      func(v Visit) int64 { return v.Patient },
		Group:     func(v Visit) string { return v.Ward },
		MaxGroups: 8, MaxRowsPerGroup: 1,
	}
	loss := dp.Approx{Epsilon: 1, Delta: 1e-6}
	counted, err1 := q.Plan(loss, q.Units())
	alone, err2 := q.Plan(loss)
	if err := errors.Join(err1, err2); err != nil {
		fmt.Println(err)
		return
	}
	units, _ := counted.Threshold()
	fmt.Printf("with counts, from a noisy %.0f patients on\n", units)
	fmt.Print(alone)
	// Output:
	// with counts, from a noisy 66 patients on
	// groups of visits: ε=1 δ=1e-06 per release, discrete gaussian
	// each patient counts in at most 8 groups
	//
	// nothing but groups is asked: two looks, each at what the one before did not show
	// a unit counts 1/√s in each of its s groups, and a group shows from a noisy 24.76 on: 95 % of the time from 33 on
}

// The price list says before any row is read how accurate each column will be.
func ExamplePlan_String() {
	q := wards()
	hours := aggregate.PerRow(q, "hours", func(v Visit) float64 { return v.Stay.Hours() },
		aggregate.Bounds[float64]{Lower: 0, Upper: 8, Step: 0.25})
	plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Units(), hours.Sum(), hours.Mean())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(plan)
	// Output:
	// visits of patient: ε=1 δ=1e-06 per release, discrete laplace noise
	// each patient counts in at most 2 groups, with at most 1 row in each
	// hours is clamped to [0, 8] per row, in steps of 0.25
	//
	// column      read from   share  scale  ± at 95 %
	// units       units       50 %   4      12
	// hours sum   hours mean  50 %   4      95.86
	// hours mean  hours mean  50 %   4      0.06585 for 1000 records
	//
	// a group shows if its noisy number of units is at least 57: 95 % of the time from 66 units on
}

// A column that is read first may have more of the loss.
func ExampleWeighted() {
	q := wards()
	q.Groups = []string{"A", "B"}
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count(), aggregate.Weighted{AnyColumn: q.Units(), Weight: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, price := range plan.Prices() {
		fmt.Printf("%s: %g of the loss, ± %g\n", price.Column, price.Share, price.PlusMinus)
	}
	// Output:
	// count: 0.25 of the loss, ± 24
	// units: 0.75 of the loss, ± 8
}

// Columns that are read from one measure are paid for once. How accurate a mean will be
// depends on the rows, so its price is for a number of them.
func ExamplePlan_Prices() {
	q := wards()
	q.Groups = []string{"A", "B"}
	hours := aggregate.PerUnit(q, "hours", func(v Visit) float64 { return v.Stay.Hours() }, aggregate.Bounds[float64]{Lower: 0, Upper: 8, Step: 0.25})
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, hours.Sum(), hours.Mean())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, price := range plan.Prices() {
		fmt.Print(price.Column, " is read from ", price.Measure)
		if price.Per == aggregate.PerManyRecords {
			fmt.Print(", ± is for ", aggregate.ManyRecords, " records")
		}
		fmt.Println()
	}
	// Output:
	// hours sum is read from hours mean
	// hours mean is read from hours mean, ± is for 1000 records
}

// Where everything is added up per unit, the number of rows costs nothing.
func ExamplePerUnit() {
	q := wards()
	q.Groups, q.MaxRowsPerGroup = []string{"A", "B"}, math.MaxInt
	hours := aggregate.PerUnit(q, "hours", func(v Visit) float64 { return v.Stay.Hours() },
		aggregate.Bounds[float64]{Lower: 0, Upper: 8, Step: 0.25})
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, hours.Sum())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(plan)
	// Output:
	// visits of patient: ε=1 per release, discrete laplace noise
	// each patient counts in at most 2 groups, with all its rows in each
	// hours is clamped to [0, 8] per unit, in steps of 0.25
	//
	// column     read from  share  scale  ± at 95 %
	// hours sum  hours sum  100 %  16     48
}

// Asking again under the same key is not paying again, and reads no rows.
func ExamplePlan_Run() {
	ctx := context.Background()
	account, _ := budget.Create(ctx, budget.Memory(), budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 1}})
	q := wards()
	q.Groups = []string{"A", "B"}
	count := q.Count()
	plan, _ := q.Plan(dp.Pure{Epsilon: 1}, count)
	request := aggregate.Request{Key: "visits in May", Purpose: "report"}
	first, err1 := plan.Run(ctx, account, request, aggregate.Slice(visits))
	again, err2 := plan.Run(ctx, account, request, nil)
	if err := errors.Join(err1, err2); err != nil {
		fmt.Println(err)
		return
	}
	for ward, cell := range again.All() {
		before, _ := first.Cell(ward)
		fmt.Println(ward, count.Of(cell).Value == count.Of(before).Value)
	}
	fmt.Println("ledger entry", again.Receipt().Entry)
	// Output:
	// A true
	// B true
	// ledger entry 1
}
