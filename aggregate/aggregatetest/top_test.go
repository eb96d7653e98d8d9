package aggregatetest

import (
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// largest asks for the k largest of five groups by what people spent, of whom each may be in all.
func largest(t *testing.T, loss dp.Loss, k int, unit func(visit) int, upper float64) *aggregate.Plan[visit, int, int] {
	q := &aggregate.Query[visit, int, int]{
		Dataset: "visits", UnitName: "guest", Unit: unit, Group: func(v visit) int { return v.where },
		Groups: []int{0, 1, 2, 3, 4}, MaxGroups: 5, MaxRowsPerGroup: 1,
	}
	spent := aggregate.PerUnit(q, "spent", func(v visit) float64 { return v.spent }, aggregate.Bounds[float64]{Lower: 0, Upper: upper, Step: 0.25})
	plan, err := q.PlanTop(loss, k, spent.Sum())
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func topCatalogue(runs int) Catalogue[visit] {
	return Catalogue[visit]{
		Row:   func(unit, key int, x float64) visit { return visit{who: unit, where: key % 5, spent: x} },
		Lower: 0, Upper: 4, Runs: runs, Alpha: 1e-9,
	}
}

func TestTheLargestAreNotRefuted(t *testing.T) {
	runs := 400
	if *long {
		runs = 20_000
	}
	person := func(v visit) int { return v.who }
	AuditPlan(t, largest(t, dp.Pure{Epsilon: 1}, 1, person, 4), topCatalogue(runs))
	AuditPlan(t, largest(t, dp.Approx{Epsilon: 1, Delta: 1e-3}, 3, person, 4), topCatalogue(runs))
}

// Programs that make a plan lose more than it says are found: one that counts a person once for every group, who then has as
// many votes as she takes groups for persons; one whose values are four times as large as their bounds said; and releases of five
// times the loss under the claim of one.
func TestPlantedMistakesOfTheLargestAreFound(t *testing.T) {
	const runs = 1500
	person := func(v visit) int { return v.who }
	c := topCatalogue(runs)
	trial, err := c.trial(dp.Pure{Epsilon: 1})
	if err != nil {
		t.Fatal(err)
	}
	many := 0
	everyRow := func(v visit) int { many++; return many }
	for name, plan := range map[string]*aggregate.Plan[visit, int, int]{
		"every row is a person":  largest(t, dp.Pure{Epsilon: 1}, 1, everyRow, 4),
		"a width of a fifth":     largest(t, dp.Pure{Epsilon: 5}, 1, person, 4),
		"ranges of a single one": largest(t, dp.Pure{Epsilon: 9}, 3, person, 4),
	} {
		found := false
		for _, p := range c.pairs() {
			if p.name == "many rows in one group, among others" || p.name == "the upper bound" {
				found = found || trial.Run(released(t, plan, c, p.with), released(t, plan, c, p.without)).Refuted
			}
		}
		if !found {
			t.Errorf("%s: not found", name)
		}
	}
}
