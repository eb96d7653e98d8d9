package aggregate_test

import (
	"context"
	"fmt"
	"maps"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

type shopMonth struct {
	Region string
	Month  int
}

type purchase struct {
	Customer int
	In       shopMonth
}

// purchases releases how many purchases there were in three regions and four months.
func purchases(epsilon float64) (*aggregate.Release[shopMonth], aggregate.Column[int64], error) {
	q := &aggregate.Query[purchase, int, shopMonth]{
		Dataset: "purchases", UnitName: "customer", MaxGroups: 2, MaxRowsPerGroup: 3,
		Unit: func(p purchase) int { return p.Customer }, Group: func(p purchase) shopMonth { return p.In },
	}
	for _, region := range []string{"north", "south", "east"} {
		for month := range 4 {
			q.Groups = append(q.Groups, shopMonth{region, month + 1})
		}
	}
	var rows []purchase
	for customer := range 6000 {
		rows = append(rows, purchase{customer, q.Groups[customer%11]}, purchase{customer, q.Groups[customer%7]})
	}
	count := q.Count()
	plan, err := q.Plan(dp.Pure{Epsilon: epsilon}, count)
	if err != nil {
		return nil, count, err
	}
	account, err := budget.Create(context.Background(), budget.Memory(), budget.Terms{Dataset: "purchases", Unit: "customer", Limit: dp.Pure{Epsilon: epsilon}})
	if err != nil {
		return nil, count, err
	}
	release, err := plan.Run(context.Background(), account, aggregate.Request{Key: "all", Purpose: "report"}, aggregate.Slice(rows))
	return release, count, err
}

// Totals of each region, of the numbers of its months: they add up to the total of all, and cost nothing. A report
// that shows no small numbers leaves them out.
func ExampleSubtotals() {
	release, count, err := purchases(50)
	if err != nil {
		fmt.Println(err)
		return
	}
	regions, err := aggregate.Subtotals(release, count, func(g shopMonth) string { return g.Region })
	if err != nil {
		fmt.Println(err)
		return
	}
	for region, total := range regions {
		fmt.Println(region, total.Value/100*100)
	}
	months := 0
	for range aggregate.AtLeast(release, count, 700) {
		months++
	}
	fmt.Println(months, "of", release.Len(), "have 700 purchases or more")
	// Output:
	// north 5600
	// south 4700
	// east 1600
	// 7 of 12 have 700 purchases or more
}

// Sub-totals over any field add up to the total of all, and those over two fields to those over one: to the last
// unit of the raw numbers, with noise.
func TestSubtotalsAddUp(t *testing.T) {
	release, count, err := purchases(0.01)
	if err != nil {
		t.Fatal(err)
	}
	all, err := aggregate.Total(release, count)
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]float64{}
	fields := map[string]func(shopMonth) shopMonth{
		"region": func(g shopMonth) shopMonth { return shopMonth{Region: g.Region} },
		"month":  func(g shopMonth) shopMonth { return shopMonth{Month: g.Month} },
		"both":   func(g shopMonth) shopMonth { return g },
		"none":   func(shopMonth) shopMonth { return shopMonth{} },
	}
	both, byRegion := map[shopMonth]float64{}, map[shopMonth]float64{}
	for name, field := range fields {
		subtotals, err := aggregate.Subtotals(release, count, field)
		if err != nil {
			t.Fatal(err)
		}
		for f, total := range subtotals {
			sums[name] += total.Raw().Value
			if name == "both" {
				both[shopMonth{Region: f.Region}] += total.Raw().Value
			}
			if name == "region" {
				byRegion[f] = total.Raw().Value
			}
		}
		if sums[name] != all.Raw().Value {
			t.Errorf("by %s the sub-totals add up to %v, the total is %v", name, sums[name], all.Raw().Value)
		}
	}
	if len(byRegion) != 3 || !maps.Equal(both, byRegion) {
		t.Errorf("months of a region add up to %v, regions are %v", both, byRegion)
	}
	least := count.Of(cellOf(t, release, shopMonth{"south", 2})).Value
	for g, cell := range release.All() {
		shown := false
		for of := range aggregate.AtLeast(release, count, least) {
			shown = shown || of == g
		}
		if shown != (count.Of(cell).Value >= least) {
			t.Errorf("%v of %d is shown: %v, the least is %d", g, count.Of(cell).Value, shown, least)
		}
	}
}

func cellOf[Group comparable](t *testing.T, r *aggregate.Release[Group], g Group) aggregate.Cell {
	t.Helper()
	cell, ok := r.Cell(g)
	if !ok {
		t.Fatalf("%v was not released", g)
	}
	return cell
}
