package aggregatetest

import (
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

type visit struct {
	who, where int
	spent      float64
}

func visits(keys []int) *aggregate.Query[visit, int, int] {
	return &aggregate.Query[visit, int, int]{
		Dataset: "visits", UnitName: "visitor",
		Unit: func(v visit) int { return v.who }, Group: func(v visit) int { return v.where },
		MaxGroups: 2, MaxRowsPerGroup: 2, Groups: keys,
	}
}

// One run of a whole plan: what an audit does 2·Runs times.
func BenchmarkReleased(b *testing.B) {
	q := visits([]int{0, 1})
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count())
	if err != nil {
		b.Fatal(err)
	}
	c := Catalogue[visit]{Row: func(unit, key int, x float64) visit { return visit{unit, key, x} }, Lower: 0, Upper: 10}
	run := released(b, plan, c, c.pairs()[4].with)
	for b.Loop() {
		run()
	}
}

// One run of a plan of five groups with quartiles: an audit of 10,000 runs does
// 340,000 of them.
func BenchmarkReleasedQuartiles(b *testing.B) {
	c := Catalogue[visit]{Row: func(unit, key int, x float64) visit { return visit{unit, key % 5, x} }, Lower: 0, Upper: 100}
	run := released(b, quartilesOfFiveGroups(b), c, c.pairs()[14].with)
	for b.Loop() {
		run()
	}
}

// quartilesOfFiveGroups is a plan such as programs have: everything is chosen by
// the plan but what must be given.
func quartilesOfFiveGroups(t testing.TB) *aggregate.Plan[visit, int, int] {
	q := visits([]int{0, 1, 2, 3, 4})
	spent := aggregate.PerRow(q, "spent", func(v visit) float64 { return v.spent }, aggregate.Bounds[float64]{Upper: 100})
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count(), spent.Quantile(0.25), spent.Quantile(0.5), spent.Quantile(0.75))
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// A whole audit of it: 17 pairs, 10,000 runs of either input of each.
func BenchmarkAuditPlanQuartiles(b *testing.B) {
	plan := quartilesOfFiveGroups(b)
	c := Catalogue[visit]{
		Row:   func(unit, key int, x float64) visit { return visit{unit, key % 5, x} },
		Lower: 0, Upper: 100, Runs: 10_000, Alpha: 1e-6,
	}
	for b.Loop() {
		AuditPlan(b, plan, c)
	}
}
