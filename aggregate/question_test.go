package aggregate_test

import (
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// asked is a question, of which every part can be another one.
type asked struct {
	dataset, unit, group, name string
	maxGroups, maxRows         int
	loss                       dp.Loss
	lower, upper, step         float64
	weight, rank               float64
	perUnit, whole, bare       bool
	keys                       []string
	days, least                int
}

func (a asked) question(t *testing.T) string {
	t.Helper()
	q := orders()
	q.Dataset, q.UnitName, q.GroupName, q.MaxGroups, q.MaxRowsPerGroup, q.Groups = a.dataset, a.unit, a.group, a.maxGroups, a.maxRows, a.keys
	if q.LeastGroup = a.least; a.days > 0 {
		q.Retention = &aggregate.Retention[order]{Days: a.days, Time: func(order) time.Time { return time.Now() }}
	}
	per := aggregate.PerRow[float64, order, customerID, string]
	if a.perUnit {
		per = aggregate.PerUnit[float64, order, customerID, string]
	}
	value := per(q, a.name, func(o order) float64 { return o.euros }, aggregate.Bounds[float64]{Lower: a.lower, Upper: a.upper, Step: a.step})
	columns := []aggregate.AnyColumn{aggregate.Weighted{AnyColumn: value.Mean(), Weight: a.weight}}
	if a.whole {
		perInt := aggregate.PerRow[int64, order, customerID, string]
		if a.perUnit {
			perInt = aggregate.PerUnit[int64, order, customerID, string]
		}
		columns = []aggregate.AnyColumn{aggregate.Weighted{AnyColumn: perInt(q, a.name, func(o order) int64 { return o.cents }, aggregate.Bounds[int64]{Lower: int64(a.lower), Upper: int64(a.upper), Step: int64(a.step)}).Mean(), Weight: a.weight}}
	}
	if a.rank > 0 && a.bare {
		columns = append(columns, value.QuantileWithoutInterval(a.rank))
	} else if a.rank > 0 {
		columns = append(columns, value.Quantile(a.rank))
	}
	plan, err := q.Plan(a.loss, columns...)
	if err != nil {
		t.Fatalf("%+v: %v", a, err)
	}
	return plan.Charge(aggregate.Request{Key: "k", Purpose: "p"}).Question
}

// A question is everything that is asked and nothing else: what differs in one part is
// another one, and it stays written as it is, so that what was paid for is found.
func TestQuestionsDifferInEveryPartAndStayWhatTheyAre(t *testing.T) {
	loss, found := dp.Concentrated{Rho: 0.5}, dp.Approx{Epsilon: 1, Delta: 1e-6}
	one := asked{dataset: "d", unit: "u", group: "g", name: "v", maxGroups: 2, maxRows: 3, loss: loss, lower: -2, upper: 14, step: 2, weight: 1, keys: []string{"a", "b"}}
	const first = "5146e63ac07be8d681048d43c963fb697ed877292fdff211774daa884f5e0e62"
	const second = "9ec4264cb5cf65fee175708f731b58566f7826e46d3c9a3deb4a347f0c0c0725"
	if got := one.question(t); got != first {
		t.Errorf("a question is %s, was %s", got, first)
	}
	other := one
	other.perUnit, other.step, other.rank, other.bare, other.weight, other.days = true, 0, 0.25, true, 2.5, 30
	if got := other.question(t); got != second {
		t.Errorf("another question is %s, was %s", got, second)
	}
	seen := map[string]string{one.question(t): "itself"}
	for name, change := range map[string]func(a *asked){
		"dataset": func(a *asked) { a.dataset = "e" }, "unit": func(a *asked) { a.unit = "v" }, "group": func(a *asked) { a.group = "h" }, "value": func(a *asked) { a.name = "w" },
		"groups of a unit": func(a *asked) { a.maxGroups = 1 }, "rows of a group": func(a *asked) { a.maxRows = 2 }, "loss": func(a *asked) { a.loss = dp.Concentrated{Rho: 0.25} },
		"kind of loss": func(a *asked) { a.loss = dp.Pure{Epsilon: 0.5} }, "lower bound": func(a *asked) { a.lower = -4 }, "upper bound": func(a *asked) { a.upper = 16 },
		"step": func(a *asked) { a.step = 1 }, "any step": func(a *asked) { a.step = 0 }, "weight": func(a *asked) { a.weight = 3 }, "rank": func(a *asked) { a.rank = 0.5 }, "another rank": func(a *asked) { a.rank = 0.75 },
		"no interval": func(a *asked) { a.rank, a.bare = 0.5, true }, "totals of units": func(a *asked) { a.perUnit = true }, "integers": func(a *asked) { a.whole = true },
		"keys": func(a *asked) { a.keys = []string{"a", "c"} }, "fewer keys": func(a *asked) { a.keys = []string{"a"} }, "their order": func(a *asked) { a.keys = []string{"b", "a"} },
		"retention": func(a *asked) { a.days = 30 }, "a longer one": func(a *asked) { a.days = 31 }, "groups that are found": func(a *asked) { a.keys, a.loss = nil, found }, "least group": func(a *asked) { a.keys, a.loss, a.least = nil, found, 5 },
		"a larger group": func(a *asked) { a.keys, a.loss, a.least = nil, found, 6 },
	} {
		a := one
		change(&a)
		got := a.question(t)
		if was, twice := seen[got]; twice {
			t.Errorf("another %s is the question of %s", name, was)
		}
		seen[got] = name
	}
}
