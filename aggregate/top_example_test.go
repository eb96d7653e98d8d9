package aggregate_test

import (
	"context"
	"fmt"
	"log"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// Which three of twelve shops most customers come to, and then how many: two questions, of
// which the second has noise of its own, so that its intervals hold although the groups were chosen for being large.
func ExampleQuery_PlanTop() {
	ctx := context.Background()
	account, err := budget.Create(ctx, budget.Memory(), budget.Terms{
		Dataset: "visits", Unit: "customer", Limit: dp.Pure{Epsilon: 1}})
	if err != nil {
		log.Fatal(err)
	}
	type visit struct{ Customer, Shop int }
	var visits []visit
	for customer := range 6000 {
		for shop := range 12 {
			if customer%(shop+1) == 0 {
				visits = append(visits, visit{customer, shop + 1})
			}
		}
	}
	q := &aggregate.Query[visit, int, int]{
		Dataset: "visits", UnitName: "customer", GroupName: "shop",
		Unit:      func(v visit) int { return v.Customer },
		Group:     func(v visit) int { return v.Shop },
		MaxGroups: 12, MaxRowsPerGroup: 1, Groups: []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
	}
	which, err := q.PlanTop(dp.Pure{Epsilon: 0.5}, 3, q.Units())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(which)
	top, err := which.Run(ctx, account, aggregate.Request{Key: "largest", Purpose: "report"}, aggregate.Slice(visits))
	if err != nil {
		log.Fatal(err)
	}
	q.Groups = nil
	for shop := range top.All() {
		q.Groups = append(q.Groups, shop)
	}
	units := q.Units()
	many, err := q.Plan(dp.Pure{Epsilon: 0.5}, units)
	if err != nil {
		log.Fatal(err)
	}
	release, err := many.Run(ctx, account, aggregate.Request{Key: "how many", Purpose: "report"}, aggregate.Slice(visits))
	if err != nil {
		log.Fatal(err)
	}
	for shop, cell := range release.All() {
		fmt.Printf("shop %d: about %d customers\n", shop, (units.Of(cell).Value+250)/500*500)
	}
	// Output:
	// 3 largest by units of 12 groups of visits: ε=0.5 per release, bounded range
	// each customer counts in at most 12 groups, with at most 1 row in each
	//
	// drawn one after the other: noise on the numbers of all groups would be 33.94
	// noise of 7.695 on each number would choose alike; in 95 % of releases no group left out has more than 39.48 more than one that is shown
	// shop 1: about 6000 customers
	// shop 2: about 3000 customers
	// shop 3: about 2000 customers
}
