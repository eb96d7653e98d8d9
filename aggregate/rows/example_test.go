package rows_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"strings"
	"time"

	_ "modernc.org/sqlite"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/aggregate/rows"
	"github.com/equipoise-dp/equipoise/dp"
)

type Sale struct {
	Customer rows.ID   `rows:"customer"`
	Day      rows.Date `rows:"date"`
	Euros    float64   `rows:"amount"`
	Country  string    `rows:"country,asis"`
}

// Sales of a spreadsheet are collected for a question; the salesman's name is not read, and
// that of the customer not kept.
func ExampleRead() {
	ctx := context.Background()
	file := strings.NewReader("customer;date;salesman;amount;country\nann;31.01.2026;Bob;1.234,50;de\n")
	sales, err := rows.Read[Sale](ctx, file, rows.Options{
		Name: "sales.csv", Secret: rows.NewSecret(), Format: rows.Format{Decimal: ",", Thousands: "."},
		Since: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), // what is older was to be deleted
	})
	if err != nil {
		log.Fatal(err)
	}
	q := &aggregate.Query[Sale, rows.ID, string]{
		Dataset: "sales", UnitName: "customer", Unit: func(s Sale) rows.ID { return s.Customer },
		Group: func(s Sale) string { return s.Country }, Groups: []string{"de", "fr"}, MaxGroups: 1, MaxRowsPerGroup: 10,
	}
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count())
	if err != nil {
		log.Fatal(err)
	}
	part, err := plan.Collect(ctx, sales)
	fmt.Println(part != nil, err)
	// Output: true <nil>
}

// What is wrong is said with its place and the way out, and without what stands there.
func ExampleRead_mistakes() {
	ctx, o := context.Background(), rows.Options{Name: "sales.csv", Secret: rows.NewSecret()}
	_, err := rows.Read[Sale](ctx, strings.NewReader("customer,day,amount,country\n"), o)
	fmt.Println(err)
	sales, err := rows.Read[Sale](ctx, strings.NewReader("customer,date,amount,country\nann,1/2/2026,7,de\n"), o)
	if err != nil {
		log.Fatal(err)
	}
	for _, err := range sales {
		fmt.Println(err)
	}
	// Output:
	// Day: sales.csv has no column "date", must be one of "customer", "day", "amount", "country"
	// line 2 of sales.csv: column "date" (Day) is not a time in a layout that can be taken for no other; give Format.Layout, such as m/d/y, d/m/y, epoch-s, epoch-ms, epoch-us, epoch-ns, excel
}

func ExampleSQL() {
	ctx := context.Background()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	found, err := db.QueryContext(ctx, "SELECT 'ann' AS customer, 7.5 AS amount UNION ALL SELECT 'bob', NULL")
	if err != nil {
		log.Fatal(err)
	}
	type sale struct {
		Customer string  `rows:"customer"`
		Euros    float64 `rows:"amount"`
	}
	sales, err := rows.SQL[sale](ctx, found, rows.Options{Format: rows.Format{Missing: rows.Zero}})
	if err != nil {
		log.Fatal(err)
	}
	for s, err := range sales {
		fmt.Println(s, err)
	}
	// Output:
	// {ann 7.5} <nil>
	// {bob 0} <nil>
}
