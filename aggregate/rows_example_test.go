package aggregate_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// once releases one number from an account that has as much as it takes.
func once[Row any, Unit, Group comparable, T dp.Number](loss dp.Loss, q *aggregate.Query[Row, Unit, Group], c aggregate.Column[T], rows []Row) (dp.Estimate[T], error) {
	plan, err := q.Plan(loss, c)
	if err != nil {
		return dp.Estimate[T]{}, err
	}
	account, err := budget.Create(context.Background(), budget.Memory(), budget.Terms{Dataset: q.Dataset, Unit: q.UnitName, Limit: loss})
	if err != nil {
		return dp.Estimate[T]{}, err
	}
	release, err := plan.Run(context.Background(), account, aggregate.Request{Key: "once", Purpose: "report"}, aggregate.Slice(rows))
	if err != nil {
		return dp.Estimate[T]{}, err
	}
	for _, cell := range release.All() {
		return c.Of(cell), nil
	}
	return dp.Estimate[T]{}, nil
}

type item struct{ Order, Articles int }

// Items know their order, and orders their customer, who is the unit: the function of a query follows keys through as many
// tables as there are, and what it returns is bounded. A customer with a hundred orders counts no more than the cap says;
// an order of nobody that is known counts for one nobody.
func ExampleQuery_unitThroughTables() {
	customerOf := map[int]string{}
	var items []item
	for order := range 1100 {
		customerOf[order] = "Ada"
		if order >= 100 {
			customerOf[order] = fmt.Sprint("customer ", order)
		}
		items = append(items, item{Order: order, Articles: 1})
	}
	q := &aggregate.Query[item, string, int]{
		Dataset: "items", UnitName: "customer", MaxGroups: 1, MaxRowsPerGroup: 2,
		Unit: func(i item) string { return customerOf[i.Order] },
	}
	count, err := once(dp.Pure{Epsilon: 20}, q, q.Count(), items)
	fmt.Println((count.Value+5)/10*10, err)
	// Output:
	// 1000 <nil>
}

type weekOf struct {
	Patient string
	Visits  int64
	Minutes float64 // of all of them
}

// Rows that are already counts, and sums, per patient and week: what they count is a value per unit, whose Sum is the number of
// visits. Bounds are of the number that a patient may have in all weeks.
func ExamplePerUnit_rowsThatAreCounts() {
	var rows []weekOf
	for i := range 1000 {
		rows = append(rows, weekOf{fmt.Sprint(i), 2, 30}, weekOf{fmt.Sprint(i), 1, 15})
	}
	q := &aggregate.Query[weekOf, string, int]{
		Dataset: "visits", UnitName: "patient", MaxGroups: 1, MaxRowsPerGroup: 52,
		Unit: func(w weekOf) string { return w.Patient },
	}
	visits := aggregate.PerUnit(q, "visits", func(w weekOf) int64 { return w.Visits }, aggregate.Bounds[int64]{Upper: 10})
	sum, err := once(dp.Pure{Epsilon: 20}, q, visits.Sum(), rows)
	fmt.Println((sum.Value+5)/10*10, err)
	// Output:
	// 3000 <nil>
}

// Rows that are counts give what the rows that they count give: without noise the same numbers, under the same caps.
func TestRowsThatAreCountsAddUpLikeTheRowsThatTheyCount(t *testing.T) {
	dptest.NoNoise(t)
	var counts []weekOf
	var single []item
	for unit := range 200 {
		for n := range 3 {
			counts = append(counts, weekOf{Patient: fmt.Sprint(unit), Visits: int64(unit % (n + 4))})
			for range unit % (n + 4) {
				single = append(single, item{Order: unit})
			}
		}
	}
	for most := 1; most < 14; most++ {
		a := &aggregate.Query[weekOf, string, int]{Dataset: "d", UnitName: "u", MaxGroups: 1, MaxRowsPerGroup: 9, Unit: func(w weekOf) string { return w.Patient }}
		visits := aggregate.PerUnit(a, "visits", func(w weekOf) int64 { return w.Visits }, aggregate.Bounds[int64]{Upper: int64(most)})
		b := &aggregate.Query[item, int, int]{Dataset: "d", UnitName: "u", MaxGroups: 1, MaxRowsPerGroup: most, Unit: func(i item) int { return i.Order }}
		of, err1 := once(dp.Pure{Epsilon: 1}, a, visits.Sum(), counts)
		rows, err2 := once(dp.Pure{Epsilon: 1}, b, b.Count(), single)
		if err1 != nil || err2 != nil || of.Value != rows.Value || rows.Value == 0 {
			t.Errorf("at most %d: %v of counts, %v of rows (%v, %v)", most, of.Value, rows.Value, err1, err2)
		}
	}
}

// Each row is protected by itself where rows have no id; five rows of somebody have five times the ε.
func ExampleNumbers() {
	type reading struct{ Celsius float64 }
	readings := make([]reading, 3000)
	q := &aggregate.Query[aggregate.Numbered[reading], uint64, int]{
		Dataset: "readings", UnitName: "reading", UnitIsEvent: true, MaxGroups: 1, MaxRowsPerGroup: 1,
		Unit: func(n aggregate.Numbered[reading]) uint64 { return n.Number },
	}
	loss := dp.Pure{Epsilon: 20}
	plan, err := q.Plan(loss, q.Count())
	if err != nil {
		fmt.Println(err)
		return
	}
	account, err := budget.Create(context.Background(), budget.Memory(), budget.Terms{Dataset: "readings", Unit: "reading", Limit: loss})
	if err != nil {
		fmt.Println(err)
		return
	}
	release, err := plan.Run(context.Background(), account, aggregate.Request{Key: "all", Purpose: "report"}, aggregate.Numbers(aggregate.Slice(readings)))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, cell := range release.All() {
		fmt.Println((q.Count().Of(cell).Value+5)/10*10, "readings")
	}
	five, err := dp.ForSeveral(loss, 5)
	fmt.Println(five, "for five rows", err)
	// Output:
	// 3000 readings
	// ε=100 for five rows <nil>
}

// Every row has a number of its own, also where sources are numbered one by one and at the same time, and errors come with them.
func TestNumbersAreOfOneRowEach(t *testing.T) {
	dptest.NoNoise(t)
	q := &aggregate.Query[aggregate.Numbered[int], uint64, int]{
		Dataset: "d", UnitName: "row", MaxGroups: 1, MaxRowsPerGroup: 1, Unit: func(n aggregate.Numbered[int]) uint64 { return n.Number },
	}
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count(), q.Units())
	if err != nil {
		t.Fatal(err)
	}
	one := aggregate.Numbers(aggregate.Slice(make([]int, 700)))
	part, err := plan.Collect(t.Context(), one, aggregate.Numbers(aggregate.Slice(make([]int, 300))), one)
	if err != nil {
		t.Fatal(err)
	}
	release, err := plan.Release(t.Context(), till{}, aggregate.Request{Key: "k", Purpose: "test"}, part)
	if err != nil {
		t.Fatal(err)
	}
	for _, cell := range release.All() {
		if count, units := q.Count().Of(cell).Value, q.Units().Of(cell).Value; count != 1700 || units != 1700 {
			t.Errorf("of 1700 rows %d are counted, of %d units", count, units)
		}
	}
	broken := fmt.Errorf("broken")
	for _, err := range aggregate.Numbers(func(yield func(int, error) bool) { yield(0, broken) }) {
		if err != broken {
			t.Errorf("the error is %v", err)
		}
	}
}

// The largest and the smallest value are one person's, and are refused. Ranks near the ends say how far values go: the value that 2 % exceed,
// with an interval that says how sure that is. The nearer to the end, the fewer people it is about: where they are no more than
// the noise hides, the interval reaches to the bound.
func ExampleValue_Quantile_extremes() {
	var rows []weekOf
	for i := range 5000 {
		rows = append(rows, weekOf{Patient: fmt.Sprint(i), Minutes: float64(i%500) / 5})
	}
	q := &aggregate.Query[weekOf, string, int]{
		Dataset: "visits", UnitName: "patient", MaxGroups: 1, MaxRowsPerGroup: 1, Unit: func(w weekOf) string { return w.Patient },
	}
	minutes := aggregate.PerUnit(q, "minutes", func(w weekOf) float64 { return w.Minutes }, aggregate.Bounds[float64]{Upper: 1000, Step: 1})
	for _, rank := range []float64{0.98, 0.99999} {
		e, err := once(dp.Pure{Epsilon: 5}, q, minutes.Quantile(rank), rows)
		if err != nil {
			fmt.Println(err)
			return
		}
		_, hi := e.Interval(0.95)
		fmt.Printf("rank %v: within bounds of 0 to 1000 it is at most 110: %t\n", rank, hi <= 110)
	}
	_, err := q.Plan(dp.Pure{Epsilon: 1}, minutes.Quantile(1))
	fmt.Println(err)
	// Output:
	// rank 0.98: within bounds of 0 to 1000 it is at most 110: true
	// rank 0.99999: within bounds of 0 to 1000 it is at most 110: false
	// aggregate: quantile rank of "minutes" is 1, must be in (0, 1)
}

// How many months customers are in is a question of its own, whose answer chooses the cap on the months of each: one row for each
// customer says it, so that this question costs as little as one can. The cap is the least that leaves out the months of one
// customer in ten, and is not exact, nor secret.
func ExampleQuery_capsLearntPrivately() {
	type stays struct{ Customer, Months int } // one row of each customer, made of that customer's rows alone
	var rows []stays
	for customer := range 3000 {
		rows = append(rows, stays{customer, 1 + customer%6})
	}
	q := &aggregate.Query[stays, int, int]{
		Dataset: "stays", UnitName: "customer", MaxGroups: 1, MaxRowsPerGroup: 1, GroupName: "months of a customer",
		Unit: func(s stays) int { return s.Customer }, Group: func(s stays) int { return min(s.Months, 12) },
		Groups: []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
	}
	units := q.Units()
	plan, err := q.Plan(dp.Pure{Epsilon: 0.5}, units)
	if err != nil {
		fmt.Println(err)
		return
	}
	account, err := budget.Create(context.Background(), budget.Memory(), budget.Terms{Dataset: "stays", Unit: "customer", Limit: dp.Pure{Epsilon: 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	release, err := plan.Run(context.Background(), account, aggregate.Request{Key: "caps", Purpose: "report"}, aggregate.Slice(rows))
	if err != nil {
		fmt.Println(err)
		return
	}
	all, err := aggregate.Total(release, units)
	if err != nil {
		fmt.Println(err)
		return
	}
	within := int64(0)
	for months, cell := range release.All() {
		if within += units.Of(cell).Value; 10*within >= 9*all.Value {
			fmt.Println("MaxGroups:", months)
			break
		}
	}
	// Output:
	// MaxGroups: 6
}
