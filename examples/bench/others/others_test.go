//go:build unix

package main

import (
	"testing"

	"github.com/equipoise-dp/equipoise/examples/bench/internal/contest"
	"github.com/equipoise-dp/equipoise/internal/sales"
)

// Every engine shows groups, and DuckDB all that there are.
func TestEnginesShowGroups(t *testing.T) {
	all := sales.Make(60_000)
	for i := range all {
		all[i].Day %= 2
	}
	for _, name := range []string{
		contest.Sums + "/parquet/1", contest.Quantiles + "/parquet/2", contest.Sums + "/duckdb/2", contest.Quantiles + "/duckdb/1",
	} {
		w, err := named(name)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := prepare(w, contest.Input{Rows: len(all), Shape: sales.Busy}, all, t.TempDir())
		if err != nil {
			t.Fatal(name, err)
		}
		shown, err := answer(t.Context())
		if most := sales.ByMap(all, false); err != nil || shown < 20 || shown > most || w.Engine == "duckdb" && shown != most {
			t.Errorf("%s shows %d groups of %d: %v", name, shown, most, err)
		}
	}
}

// DuckDB keeps of each customer as much as ours may.
func TestDuckDBBounds(t *testing.T) {
	var all []sales.Sale
	for customer := range int64(20) {
		for i := range 300 {
			all = append(all, sales.Sale{Customer: customer, Day: int32(i % 30), Country: int32(customer), Euros: 1000})
		}
	}
	db, err := filled(contest.Work{Columns: contest.Sums, Engine: "duckdb", Workers: 2}, all)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var groups, least, most int64
	var sum float64
	if err := db.QueryRow("SELECT count(*), min(n), max(n), sum(total) FROM ("+question(false)+") AS answers (day, country, n, total, mean)").Scan(&groups, &least, &most, &sum); err != nil {
		t.Fatal(err)
	}
	if groups != 20*sales.MostPlaces || least != sales.MostSales || most != sales.MostSales || sum != float64(groups*sales.MostSales*sales.MostEuros) {
		t.Errorf("%d groups of %d to %d rows add up to %v", groups, least, most, sum)
	}
}

func TestCasesThatAreNoneAreRefused(t *testing.T) {
	for _, name := range []string{"", "a/b", "a/duckdb/1", contest.Sums + "/duckdb/0", contest.Sums + "/duckdb/x"} {
		if _, err := named(name); err == nil {
			t.Errorf("%q is a case", name)
		}
	}
	if _, err := prepare(contest.Work{Columns: contest.Sums, Engine: "map", Workers: 1}, contest.Input{}, nil, ""); err == nil {
		t.Error("a map is an engine of others")
	}
}
