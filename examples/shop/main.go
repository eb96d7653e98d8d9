// Shop prints a shop's numbers of every day, from a ledger in a file: run it again
// and it shows the same numbers, without paying again.
//
//	go run ./examples/shop
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
	"github.com/equipoise-dp/equipoise/dp"
)

// A sale is a row of the shop.
type sale struct {
	Customer int
	Day      string
	Euros    float64
}

var days = []string{"2026-05-04", "2026-05-05", "2026-05-06"}

// sales makes the rows up: every customer buys on one or two days.
func sales() (rows []sale) {
	for customer := range 900 {
		for i := range 1 + customer%2 {
			rows = append(rows, sale{customer, days[(customer+i)%3], float64(5 + customer%40)})
		}
	}
	return rows
}

// A question is what the shop asks of its sales, with its columns by name.
type question struct {
	plan             *aggregate.Plan[sale, int, string]
	customers, sales aggregate.Column[int64]
	revenue          aggregate.Column[float64]
}

func ask() (*question, error) {
	q := &aggregate.Query[sale, int, string]{
		Dataset: "sales", UnitName: "customer", GroupName: "day",
		Unit:      func(s sale) int { return s.Customer },
		Group:     func(s sale) string { return s.Day },
		MaxGroups: 3, MaxRowsPerGroup: 2, Groups: days,
	}
	spent := aggregate.PerUnit(q, "euros", func(s sale) float64 { return s.Euros },
		aggregate.Bounds[float64]{Lower: 0, Upper: 50, Step: 0.01})
	a := &question{customers: q.Units(), sales: q.Count(), revenue: spent.Sum()}
	plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, a.customers, a.sales, a.revenue)
	a.plan = plan
	return a, err
}

// report pays from the ledger, or shows what was paid for before.
func report(ctx context.Context, ledger string, w io.Writer) error {
	store, err := sqlite.OpenOrCreate(ctx, ledger)
	if err != nil {
		return err
	}
	defer store.Close()
	account, err1 := budget.OpenOrCreate(ctx, store, budget.Terms{
		Dataset: "sales", Unit: "customer", Limit: dp.Approx{Epsilon: 1, Delta: 1e-6}})
	a, err2 := ask()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	release, err := a.plan.Run(ctx, account, aggregate.Request{Key: "week 19", Purpose: "report"}, aggregate.Slice(sales()))
	if err != nil {
		return err
	}
	for day, cell := range release.All() {
		fmt.Fprintf(w, "%s  customers %v  sales %v  euros %.0f\n", day, a.customers.Of(cell), a.sales.Of(cell), a.revenue.Of(cell).Value)
	}
	return nil
}

func main() {
	if err := report(context.Background(), "shop.db", os.Stdout); err != nil {
		log.Fatal(err)
	}
}
