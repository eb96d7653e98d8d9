package forecast_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/forecast"
	"github.com/equipoise-dp/equipoise/dp"
)

type visitor struct{ who int }

// All uses that a reservation declares can be drawn from it, whatever each of them asks, and no
// more of them than were declared.
func TestWhatIsReservedTogetherCanBeDrawn(t *testing.T) {
	q := &aggregate.Query[visitor, int, string]{Dataset: "d", UnitName: "person", Unit: func(v visitor) int { return v.who }, MaxGroups: 1, MaxRowsPerGroup: 1}
	weekly, err1 := q.Plan(dp.Concentrated{Rho: 0.001}, q.Units())
	board, err2 := q.Plan(dp.Concentrated{Rho: 0.002}, q.Count())
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	ask := func(key, period string) aggregate.Request {
		return aggregate.Request{Key: key, Purpose: "report", Periods: []string{period}}
	}
	life := []forecast.Use{{Charge: weekly.Charge(ask("w", "January")), Times: 3}, {Charge: board.Charge(ask("b", "February")), Times: 2}}
	loss, err1 := forecast.LeastLoss(1e-6, life...)
	whole, err2 := forecast.Together(life...)
	account, err3 := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "d", Unit: "person", Limit: loss})
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	whole.Key, whole.Plan, whole.Loss = "all", "all", loss
	reserved, err := account.Reserve(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	for n, key := range []string{"w 1", "b 1", "w 2", "w 3", "b 2"} {
		plan := weekly
		if strings.HasPrefix(key, "b") {
			plan = board
		}
		if _, err := plan.Run(t.Context(), reserved, ask(key, []string{"January", "February"}[n%2]), aggregate.Slice([]visitor{{1}})); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	for key, plan := range map[string]*aggregate.Plan[visitor, int, string]{"w 4": weekly, "b 3": board} {
		if _, err := plan.Run(t.Context(), reserved, ask(key, "January"), aggregate.Slice([]visitor{{1}})); err == nil {
			t.Errorf("%s is one more than was declared, and was drawn", key)
		}
	}
}

func TestWhatOneReservationCannotBeForIsNamed(t *testing.T) {
	use := func(dataset, unit, purpose, analyst string) forecast.Use {
		return forecast.Use{Charge: dp.Charge{Dataset: dataset, Unit: unit, Purpose: purpose, Analyst: analyst}, Times: 1}
	}
	_, err1 := forecast.Together(use("d", "u", "p", "a"), use("e", "v", "q", "b"))
	_, err2 := forecast.Together()
	text := fmt.Sprint(err1, err2)
	for _, part := range []string{`use 1 has Dataset "e"`, `Unit "v"`, `Purpose "q"`, `Analyst "b", and use 0 has "a"`, "no uses are given"} {
		if !strings.Contains(text, part) {
			t.Errorf("nothing says %s in: %s", part, text)
		}
	}
}
