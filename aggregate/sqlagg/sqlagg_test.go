package sqlagg_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/aggregate/sqlagg"
	"github.com/equipoise-dp/equipoise/dp"
)

// plain is a plan that counts rows by day.
func plain(t testing.TB) *aggregate.Plan[sqlagg.Row, int64, string] {
	t.Helper()
	q := query()
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func query() *aggregate.Query[sqlagg.Row, int64, string] {
	return &aggregate.Query[sqlagg.Row, int64, string]{
		Dataset: "orders", UnitName: "customer", Unit: sqlagg.Int("customer"), Group: sqlagg.Text("day"), Groups: []string{"Mo", "Di"},
		MaxGroups: 1, MaxRowsPerGroup: 3,
	}
}

// endless is a source that no server reads to its end in this life.
func endless(db *sql.DB) sqlagg.Source {
	return sqlagg.Source{DB: db, Dialect: sqlagg.PostgreSQL, Query: "SELECT i AS customer, 'Mo' AS day FROM generate_series(1, 4000000000000) AS s(i)"}
}

// Functions that do more than read columns would be done in one place and not in the other.
func TestFunctionsThatDoMoreAreRefused(t *testing.T) {
	db := sqlite(t)
	if _, err := db.Exec("CREATE TABLE orders (customer INTEGER, day TEXT, amount REAL)"); err != nil {
		t.Fatal(err)
	}
	customer, day, amount := sqlagg.Int("customer"), sqlagg.Text("day"), sqlagg.Float("amount")
	for name, change := range map[string]func(q *aggregate.Query[sqlagg.Row, int64, string]) func(sqlagg.Row) float64{
		"a unit is halved": func(q *aggregate.Query[sqlagg.Row, int64, string]) func(sqlagg.Row) float64 {
			q.Unit = func(r sqlagg.Row) int64 { return customer(r) / 2 }
			return amount
		},
		"a unit is narrow": func(q *aggregate.Query[sqlagg.Row, int64, string]) func(sqlagg.Row) float64 {
			q.Unit = func(r sqlagg.Row) int64 { return int64(int32(customer(r))) }
			return amount
		},
		"a unit is constant": func(q *aggregate.Query[sqlagg.Row, int64, string]) func(sqlagg.Row) float64 {
			q.Unit = func(sqlagg.Row) int64 { return 1 }
			return amount
		},
		"a day is folded": func(q *aggregate.Query[sqlagg.Row, int64, string]) func(sqlagg.Row) float64 {
			q.Group = func(r sqlagg.Row) string { return strings.ToLower(day(r)) }
			return amount
		},
		"a day is cut": func(q *aggregate.Query[sqlagg.Row, int64, string]) func(sqlagg.Row) float64 {
			q.Group = func(r sqlagg.Row) string { return day(r)[:2] }
			return amount
		},
		"two columns in one": func(q *aggregate.Query[sqlagg.Row, int64, string]) func(sqlagg.Row) float64 {
			q.Group = func(r sqlagg.Row) string { return day(r) + sqlagg.Text("hour")(r) }
			return amount
		},
		"an amount is doubled": func(*aggregate.Query[sqlagg.Row, int64, string]) func(sqlagg.Row) float64 {
			return func(r sqlagg.Row) float64 { return 2 * amount(r) }
		},
		"an amount is whole": func(*aggregate.Query[sqlagg.Row, int64, string]) func(sqlagg.Row) float64 {
			return func(r sqlagg.Row) float64 { return float64(customer(r)) }
		},
		"no column": func(*aggregate.Query[sqlagg.Row, int64, string]) func(sqlagg.Row) float64 {
			return func(sqlagg.Row) float64 { return 1 }
		},
	} {
		q := query()
		x := aggregate.PerRow(q, "amount", change(q), aggregate.Bounds[float64]{Lower: 0, Upper: 500})
		plan, err := q.Plan(dp.Pure{Epsilon: 1}, x.Sum())
		if err != nil {
			t.Fatal(err)
		}
		s := sqlagg.Source{DB: db, Dialect: sqlagg.SQLite, Table: "orders"}
		if _, err := sqlagg.Collect(t.Context(), s, plan); err == nil {
			t.Errorf("%s, and is pushed down", name)
		}
		for _, err := range sqlagg.Rows(t.Context(), s, plan) {
			if err == nil {
				t.Errorf("%s, and is read", name)
			}
		}
	}
}

// Mistakes are found before a row is read, all at once.
func TestMistakesInASource(t *testing.T) {
	db := sqlite(t)
	for want, s := range map[string]sqlagg.Source{
		"Source.DB is nil; sql.Open makes one\nsqlagg: Source.Dialect is nil; name the database, such as sqlagg.PostgreSQL\nsqlagg: a Source has a Table or a Query, and not both\nsqlagg: Source.Args are given without a Query": {Args: []any{1}},
		"a Source has a Table or a Query":                                 {DB: db, Dialect: sqlagg.SQLite, Table: "orders", Query: "SELECT 1"},
		`refuses to say of which types [Int("customer") Text("day")] are`: {DB: db, Dialect: sqlagg.SQLite, Table: `no"such`},
	} {
		if _, err := sqlagg.Explain(t.Context(), s, plain(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// What no database can do is read, and Explain says so.
func TestWhatCannotBePushedDownIsRead(t *testing.T) {
	db := sqlite(t)
	if _, err := db.Exec("CREATE TABLE orders (customer INTEGER, day TEXT)"); err != nil {
		t.Fatal(err)
	}
	s := sqlagg.Source{DB: db, Dialect: sqlagg.SQLite, Table: "orders"}
	q := query()
	q.Groups = nil
	plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6})
	if err != nil {
		t.Fatal(err)
	}
	e, err := sqlagg.Explain(t.Context(), s, plan)
	if err != nil || e.Pushed || len(e.Why) != 1 || !strings.HasPrefix(e.String(), "rows are read, because no column is asked for") {
		t.Errorf("%v, %v", e, err)
	}
	if _, err := sqlagg.Collect(t.Context(), s, plan); err != nil {
		t.Error(err)
	}
}

// Distinct values are refused by name before a row is read.
func TestDistinctValuesAreNotOfADatabase(t *testing.T) {
	s := sqlagg.Source{DB: sqlite(t), Dialect: sqlagg.SQLite, Table: "orders"}
	q := query()
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, aggregate.Distinct(q, "customers", sqlagg.Int("customer"), 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqlagg.Collect(t.Context(), s, plan); err == nil || !strings.Contains(err.Error(), `value "customers" counts distinct values`) {
		t.Error(err)
	}
}

func ExampleExplain() {
	db, err := sql.Open("sqlite", "file:example?mode=memory")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE orders (customer INTEGER, day TEXT)"); err != nil {
		log.Fatal(err)
	}
	q := &aggregate.Query[sqlagg.Row, int64, string]{
		Dataset: "orders", UnitName: "customer", Unit: sqlagg.Int("customer"), Group: sqlagg.Text("day"), Groups: []string{"Monday", "Tuesday"},
		MaxGroups: 2, MaxRowsPerGroup: 3,
	}
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count())
	if err != nil {
		log.Fatal(err)
	}
	e, err := sqlagg.Explain(context.Background(), sqlagg.Source{DB: db, Dialect: sqlagg.SQLite, Table: "orders"}, plan)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(e.Pushed, len(e.Why), e.Args)
	fmt.Println(e.Advice)
	// Output:
	// true 0 [2 groups that are given]
	// read rows with Rows: the database is in this process and slower at sorting than Plan.Collect; push down where memory is short
}
