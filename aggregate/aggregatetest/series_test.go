package aggregatetest

import (
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

type stay struct {
	who, where, day int
	spent           float64
}

const stayDays = 6

// stays is a series of six days with two groups.
func stays(t *testing.T, pairs int, atOnce bool, unit func(stay) int) *aggregate.SeriesPlan[stay, int, int] {
	return planOf(t, pairs, unit, func(s *aggregate.Series[stay, int, int]) { s.AtOnce = atOnce })
}

// levelStays is such a series in which a guest is once, with a level strategy.
func levelStays(t *testing.T, unit func(stay) int) *aggregate.SeriesPlan[stay, int, int] {
	return planOf(t, 1, unit, func(s *aggregate.Series[stay, int, int]) { s.AtOnce, s.Level = true, true })
}

func planOf(t *testing.T, pairs int, unit func(stay) int, change func(*aggregate.Series[stay, int, int])) *aggregate.SeriesPlan[stay, int, int] {
	start := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	q := &aggregate.Query[stay, int, int]{
		Dataset: "stays", UnitName: "guest", Unit: unit, Group: func(s stay) int { return s.where }, Groups: []int{0, 1},
		MaxGroups: pairs, MaxRowsPerGroup: 1,
	}
	series := aggregate.Series[stay, int, int]{
		Query: q, Time: func(s stay) time.Time { return start.AddDate(0, 0, s.day) }, Zone: time.UTC,
		Step: aggregate.Day, First: start, Periods: stayDays,
		Views: []aggregate.View{aggregate.EachPeriod(1), aggregate.ToDate(3)},
	}
	change(&series)
	spent := aggregate.PerUnit(q, "spent", func(s stay) float64 { return s.spent }, aggregate.Bounds[float64]{Lower: 0, Upper: 4, Step: 0.25})
	plan, err := series.Plan(dp.Approx{Epsilon: 1, Delta: 1e-3}, q.Units(), spent.Sum())
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func stayCatalogue(runs int) Catalogue[stay] {
	return Catalogue[stay]{
		Row:   func(unit, key int, x float64) stay { return stay{unit, key % 2, key / 2 % stayDays, x} },
		Lower: 0, Upper: 4, Runs: runs, Alpha: 1e-9,
	}
}

func guest(s stay) int { return s.who }

// The default mode runs one pair of inputs in a stream, and -long the catalogue.
func TestSeriesAreNotRefuted(t *testing.T) {
	if *long {
		for pairs, atOnce := range map[int]bool{1: false, 2: false, 12: true} {
			AuditSeries(t, stays(t, pairs, atOnce, guest), []int{0, 1}, stayCatalogue(600))
		}
		AuditSeries(t, levelStays(t, guest), []int{0, 1}, stayCatalogue(600))
	}
	for _, r := range auditOne(t, stays(t, 2, false, guest), "many rows in many groups", 400) {
		if r.Refuted {
			t.Error(r)
		}
	}
}

// A program that takes every day's guest for another person counts a person in more pairs
// than it says. Only a whole history shows it.
func TestAPersonWhoCountsTooOftenIsFound(t *testing.T) {
	everyDayAnother := func(s stay) int { return s.who + 100*s.day + 1000*s.where }
	plans := []*aggregate.SeriesPlan[stay, int, int]{stays(t, 1, true, everyDayAnother)}
	if *long {
		plans = append(plans, levelStays(t, everyDayAnother))
	}
	for _, plan := range plans {
		for _, r := range auditOne(t, plan, "many rows in many groups", 8000) {
			if !r.Refuted {
				t.Errorf("a person who counts everywhere, where one pair is paid for, is not found: %v", r)
			}
		}
	}
}

// auditOne audits the pairs of the catalogue whose names begin as given.
func auditOne(t *testing.T, plan *aggregate.SeriesPlan[stay, int, int], name string, runs int) (results []dptest.Result) {
	c := stayCatalogue(runs)
	for _, p := range c.pairs() {
		if strings.HasPrefix(p.name, name) {
			results = append(results, auditSeries(t, plan, []int{0, 1}, c, []pair[stay]{p})...)
		}
	}
	return results
}

// What the program shows of its totals is audited too.
func TestReadIsAuditedInASeries(t *testing.T) {
	c := stayCatalogue(500)
	calls := 0
	c.Read = func(aggregate.Cell) []float64 { calls++; return []float64{0} }
	sample := advanced(t, stays(t, 2, false, guest), []int{0, 1}, c, nil)()
	if calls != 2 || len(sample.Numbers) != 2*2*stayDays+2 || sample.Tag != "" {
		t.Errorf("%d calls, %+v", calls, sample)
	}
}
