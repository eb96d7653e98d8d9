package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/equipoise-dp/equipoise/examples/bench/internal/contest"
	"github.com/equipoise-dp/equipoise/internal/sales"
)

// inDuckDB answers from a table in memory.
func inDuckDB(w contest.Work, rows []sales.Sale) (contest.Answer, error) {
	db, err := filled(w, rows)
	return func(ctx context.Context) (int, error) { return asked(ctx, db, w.Columns == contest.Quantiles) }, err
}

// filled returns a database that has the rows, and as many threads as there are workers.
func filled(w contest.Work, rows []sales.Sale) (*sql.DB, error) {
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	if _, err := db.Exec(fmt.Sprintf(`SET threads TO %d; CREATE TABLE sales (customer BIGINT, day INTEGER, country INTEGER, euros DOUBLE)`, w.Workers)); err != nil {
		return nil, err
	}
	return db, fill(connector, rows)
}

func fill(connector *duckdb.Connector, rows []sales.Sale) error {
	conn, err := connector.Connect(context.Background())
	if err != nil {
		return err
	}
	defer conn.Close()
	to, err := duckdb.NewAppenderFromConn(conn, "", "sales")
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := to.AppendRow(r.Customer, r.Day, r.Country, r.Euros); err != nil {
			return err
		}
	}
	return to.Close()
}

// bounded keeps of each customer the groups with the least hashes, with a key that is new in every process, and
// random rows in each.
const bounded = `
SELECT day, country, count(*), sum(euros), avg(euros) QUANTILES
FROM (
	SELECT day, country, least(greatest(euros, 0), MOST_EUROS) AS euros,
		row_number() OVER (PARTITION BY customer, day, country ORDER BY random()) AS sale,
		dense_rank() OVER (PARTITION BY customer ORDER BY hash(day, country, customer, (SELECT key FROM drawn))) AS place
	FROM sales)
WHERE sale <= MOST_SALES AND place <= MOST_PLACES
GROUP BY day, country`

// question returns the statement that answers.
func question(quantiles bool) string {
	more := ""
	if quantiles {
		more = ", quantile_disc(euros, 0.5), quantile_disc(euros, 0.95)"
	}
	text := strings.NewReplacer("QUANTILES", more, "MOST_EUROS", fmt.Sprint(sales.MostEuros), "MOST_SALES", fmt.Sprint(sales.MostSales), "MOST_PLACES", fmt.Sprint(sales.MostPlaces)).Replace(bounded)
	return "WITH drawn AS MATERIALIZED (SELECT random() AS key)" + text
}

// asked reads every group, and returns how many there are.
func asked(ctx context.Context, db *sql.DB, quantiles bool) (groups int, err error) {
	found, err := db.QueryContext(ctx, question(quantiles))
	if err != nil {
		return 0, err
	}
	defer found.Close()
	var day, country int32
	var count int64
	var sum, mean, p50, p95 float64
	to := []any{&day, &country, &count, &sum, &mean}
	if quantiles {
		to = append(to, &p50, &p95)
	}
	for ; found.Next(); groups++ {
		if err := found.Scan(to...); err != nil {
			return groups, err
		}
	}
	return groups, found.Err()
}
