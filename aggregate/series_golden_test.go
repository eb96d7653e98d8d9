package aggregate

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

var writeSeries = flag.String("write-series", "", "write this file of testdata anew: only for a new kind of series, since what was paid for must be read for ever")

// What a series released is read by every later version: the same declaration finds the
// same charge, strategy and noise, and the same numbers in what was stored.
func TestAStoredSeriesIsReadByLaterVersions(t *testing.T) {
	for file, kinds := range map[string][]goldenSeries{
		"series.txt":       {{pairs: 3}, {pairs: 12, atOnce: true}},
		"series-level.txt": {{pairs: 1, level: true}},
	} {
		path := "testdata/" + file
		if *writeSeries == file {
			writeGoldenSeries(t, path, kinds)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lines, releases := strings.Split(strings.TrimSpace(string(text)), "\n"), 0
		for _, k := range kinds {
			releases += k.read(t, lines)
		}
		if len(lines) != releases {
			t.Errorf("%s: %d releases are stored, must be %d", file, len(lines), releases)
		}
	}
}

// A goldenSeries is a kind of series of which releases are stored.
type goldenSeries struct {
	pairs         int
	atOnce, level bool
}

const goldenPeriods = 6

func (k goldenSeries) plan(t *testing.T) (*SeriesPlan[sale, int, string], Column[int64], Column[float64]) {
	t.Helper()
	q, series := sales(goldenPeriods, k.pairs, 2, k.atOnce)
	series.Level = k.level
	units := q.Units()
	paid := PerUnit(q, "paid", func(s sale) float64 { return s.paid }, Bounds[float64]{Lower: -2, Upper: 10, Step: 0.25})
	plan, err := series.Plan(dp.Concentrated{Rho: 0.5}, units, paid.Sum())
	if err != nil {
		t.Fatal(err)
	}
	return plan, units, paid.Sum()
}

func writeGoldenSeries(t *testing.T, path string, kinds []goldenSeries) {
	t.Helper()
	dptest.NoNoise(t)
	rows := []sale{{1, "a", 0, 3}, {1, "a", 3, 2.5}, {2, "b", 3, 9}, {3, "a", 5, -1}, {3, "b", 5, 12}}
	var lines []string
	for _, k := range kinds {
		plan, _, _ := k.plan(t)
		account := newTill()
		if _, err := Advance(t.Context(), plan, account, report, goldenPeriods, Slice(rows)); err != nil {
			t.Fatal(err)
		}
		for i := range plan.releases(goldenPeriods) {
			key := plan.draw(report, i).Key
			lines = append(lines, plan.mark+"\t"+key+"\t"+string(account.budget[key]))
		}
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
}

// read asks again for what is stored, and returns how many releases of the kind there are.
func (k goldenSeries) read(t *testing.T, lines []string) (releases int) {
	t.Helper()
	plan, units, sum := k.plan(t)
	account := newTill()
	for _, line := range lines {
		if parts := strings.Split(line, "\t"); parts[0] == plan.mark {
			account.budget[parts[1]] = []byte(parts[2])
			releases++
		}
	}
	trend, err := Advance(t.Context(), plan, account, report, goldenPeriods, nil)
	if err != nil {
		t.Fatalf("%+v: what was stored is not found, or not read: %v", k, err)
	}
	cell, err := trend.Over(Stretch[string]{From: 3, To: 6})
	if err != nil {
		t.Fatal(err)
	}
	people, total := int64(4), 20.5
	if k.level { // each counts in one period alone
		people, total = 2, 8
	}
	if u, s := units.Of(cell).Value, sum.Of(cell).Value; u != people || s != total {
		t.Errorf("%+v: %d units and %v, must be %d and %v", k, u, s, people, total)
	}
	return releases
}
