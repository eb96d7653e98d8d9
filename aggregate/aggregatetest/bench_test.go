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
