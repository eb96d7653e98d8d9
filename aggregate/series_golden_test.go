package aggregate

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

var writeSeries = flag.Bool("write-series", false, "write testdata/series.txt anew: only for a new kind of series, since what was paid for must be read for ever")

// What a series released is read by every later version: the same declaration finds the
// same charge, strategy and noise, and the same numbers in what was stored.
func TestAStoredSeriesIsReadByLaterVersions(t *testing.T) {
	const periods, file = 6, "testdata/series.txt"
	read := func(atOnce bool) (*SeriesPlan[sale, int, string], Column[int64], Column[float64]) {
		pairs := 3
		if atOnce {
			pairs = 2 * periods
		}
		q, series := sales(periods, pairs, 2, atOnce)
		units := q.Units()
		paid := PerUnit(q, "paid", func(s sale) float64 { return s.paid }, Bounds[float64]{Lower: -2, Upper: 10, Step: 0.25})
		plan, err := series.Plan(dp.Concentrated{Rho: 0.5}, units, paid.Sum())
		if err != nil {
			t.Fatal(err)
		}
		return plan, units, paid.Sum()
	}
	rows := []sale{{1, "a", 0, 3}, {1, "a", 3, 2.5}, {2, "b", 3, 9}, {3, "a", 5, -1}, {3, "b", 5, 12}}
	if *writeSeries {
		dptest.NoNoise(t)
		var lines []string
		for _, atOnce := range []bool{false, true} {
			plan, _, _ := read(atOnce)
			account := newTill()
			if _, err := Advance(t.Context(), plan, account, report, periods, Slice(rows)); err != nil {
				t.Fatal(err)
			}
			for i := range plan.releases(periods) {
				key := plan.draw(report, i).Key
				lines = append(lines, plan.mark+"\t"+key+"\t"+string(account.budget[key]))
			}
		}
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != periods+1 {
		t.Fatalf("%d releases are stored, must be %d", len(lines), periods+1)
	}
	for _, atOnce := range []bool{false, true} {
		plan, units, sum := read(atOnce)
		account := newTill()
		for _, line := range lines {
			if parts := strings.Split(line, "\t"); parts[0] == plan.mark {
				account.budget[parts[1]] = []byte(parts[2])
			}
		}
		trend, err := Advance(t.Context(), plan, account, report, periods, nil)
		if err != nil {
			t.Fatalf("at once %t: what was stored is not found, or not read: %v", atOnce, err)
		}
		cell, err := trend.Over(Stretch[string]{From: 3, To: 6})
		if err != nil {
			t.Fatal(err)
		}
		if u, s := units.Of(cell).Value, sum.Of(cell).Value; u != 4 || s != 20.5 {
			t.Errorf("at once %t: %d units and %v, must be 4 and 20.5", atOnce, u, s)
		}
	}
}
