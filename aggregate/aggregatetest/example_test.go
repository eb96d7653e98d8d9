package aggregatetest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/aggregate/aggregatetest"
	"github.com/equipoise-dp/equipoise/dp"
)

type order struct{ customer, number, day int }

// A plan whose unit is the order does not protect a customer with many orders. The
// caps, the noise and the payment are right; only an audit, in which neighbours
// differ by a customer, finds the mistake.
func ExampleAuditPlan() {
	audit("customers", func(o order) int { return o.customer })
	audit("orders", func(o order) int { return o.number })
	// Output:
	// protects customers: many rows in one group, among others, refuted: false
	// protects orders: many rows in one group, among others, refuted: true
}

func audit(name string, unit func(order) int) {
	q := &aggregate.Query[order, int, int]{
		Dataset: "orders", UnitName: name, Unit: unit,
		Group:     func(o order) int { return o.day },
		MaxGroups: 1, MaxRowsPerGroup: 1, Groups: []int{0, 1, 2, 3, 4, 5, 6},
	}
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count())
	if err != nil {
		fmt.Println(err)
		return
	}
	orders := 0
	results := aggregatetest.AuditPlan(outside{}, plan, aggregatetest.Catalogue[order]{
		Row: func(customer, day int, _ float64) order {
			orders++
			return order{customer, orders, day % 7}
		},
		Lower: 0, Upper: 1, Runs: 500, Alpha: 1e-9,
	})
	for _, r := range results {
		if r.Name == "many rows in one group, among others" {
			fmt.Printf("protects %s: %s, refuted: %t\n", name, r.Name, r.Refuted)
		}
	}
}

// A test passes its own *testing.T. An example has none, and does without failing.
type outside struct{ testing.TB }

func (outside) Helper()                  {}
func (outside) Context() context.Context { return context.Background() }
func (outside) Errorf(string, ...any)    {}
func (outside) Fatal(args ...any)        { panic(fmt.Sprint(args...)) }
