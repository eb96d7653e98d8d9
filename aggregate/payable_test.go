package aggregate_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// A gamble makes random plans. What it draws depends on nothing but its seed.
type gamble struct{ *rand.Rand }

func (g gamble) of(xs ...float64) float64 { return xs[g.IntN(len(xs))] }

// decimals returns numbers as people write them, and numbers as quotients are.
func (g gamble) decimals() float64 {
	return g.of(1, 1, 0.1, 0.3, 0.5, 2, 3, 5, 10, 0.01, 1.0/3, 2.0/7, 1e-3, 20) * g.of(1, 1, 1, g.Float64())
}

func (g gamble) loss() dp.Loss {
	switch g.IntN(4) {
	case 0:
		return dp.Pure{Epsilon: g.decimals()}
	case 1:
		return dp.Concentrated{Rho: g.decimals() * g.of(1, 0.1), Delta: g.of(0, 1e-5, 1e-9, 0.01, 1.0/3) * g.of(1, 0.7)}
	}
	return dp.Approx{Epsilon: g.decimals(), Delta: g.of(1e-3, 1e-5, 1e-6, 1e-9, 1e-12, 1e-30, 0.01, 0.3, 1.0/3, 0.9) * g.of(1, 1, 0.7, g.Float64())}
}

func (g gamble) query(loss dp.Loss) *aggregate.Query[order, customerID, string] {
	q := orders()
	q.MaxGroups, q.MaxRowsPerGroup, q.Groups = 1+g.IntN(32), 1+g.IntN(32), nil
	if dp.PartsOf(loss).Delta == 0 || g.IntN(2) == 0 {
		for i := range 1 + g.IntN(40) {
			q.Groups = append(q.Groups, fmt.Sprint(i))
		}
	}
	return q
}

func (g gamble) columns(q *aggregate.Query[order, customerID, string]) []aggregate.AnyColumn {
	var cs []aggregate.AnyColumn
	if q.Groups == nil && g.IntN(5) == 0 {
		return nil // nothing but groups
	}
	measures := 1 + g.IntN(int(g.of(3, 12, 60)))
	for i := range measures {
		b := aggregate.Bounds[float64]{Lower: -g.of(0, 0, 7), Upper: g.of(1, 100, 1e6), Step: g.of(0, 0, 0.25)}
		of := func(o order) float64 { return o.euros }
		v := aggregate.PerRow(q, fmt.Sprint("v", i), of, b)
		if g.IntN(2) == 0 {
			v = aggregate.PerUnit(q, fmt.Sprint("v", i), of, b)
		}
		c := []aggregate.AnyColumn{q.Count(), q.Units(), v.Sum(), v.Sum(), v.Mean(), v.Variance(), v.Quantile(0.5)}[g.IntN(7)]
		if g.IntN(3) == 0 {
			c = aggregate.Weighted{AnyColumn: c, Weight: g.of(2, 3, 0.1, 7, 1.0/3, 1e-3, g.Float64())}
		}
		cs = append(cs, c)
	}
	return cs
}

func rulesFor(loss dp.Loss) []budget.Rule {
	switch loss.(type) {
	case dp.Pure:
		return []budget.Rule{budget.Default, budget.Basic}
	case dp.Concentrated:
		return []budget.Rule{budget.Default, budget.ZCDP}
	}
	return []budget.Rule{budget.Default, budget.Basic, budget.GDP, budget.ZCDP}
}

func accountOf(t *testing.T, limit dp.Loss, rule budget.Rule) *budget.Account {
	t.Helper()
	a, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "orders", Unit: "customer", Limit: limit, Rule: rule})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAnAccountOfAPlansLossPaysForIt(t *testing.T) {
	runs := 60
	if *long {
		runs = 10_000
	}
	payable := 0
	for seed := range runs {
		g := gamble{rand.New(rand.NewPCG(uint64(seed), 1))}
		loss := g.loss()
		q := g.query(loss)
		plan, err := q.Plan(loss, g.columns(q)...)
		if err != nil {
			continue // too much noise, or too little: said before a row is read
		}
		payable++
		rules := rulesFor(loss)
		run := g.IntN(len(rules))
		for _, rule := range rules {
			a := accountOf(t, loss, rule)
			request := aggregate.Request{Key: "k", Purpose: "p"}
			n, _, err := a.HowMany(t.Context(), plan.Charge(request))
			if err != nil || n < 1 {
				t.Errorf("seed %d: %v, rule %v: HowMany is %d, %v; want at least 1", seed, loss, rule, n, err)
			}
			if err := a.Afford(t.Context(), plan.Charge(request)); err != nil {
				t.Errorf("seed %d: %v, rule %v: %v", seed, loss, rule, err)
			}
			if rule == rules[run] {
				if _, err := plan.Run(t.Context(), a, request, aggregate.Slice([]order(nil))); err != nil {
					t.Errorf("seed %d: %v, rule %v: %v", seed, loss, rule, err)
				}
			}
		}
	}
	if payable < runs/2 {
		t.Errorf("%d of %d plans are accepted, want half of them", payable, runs)
	}
}

// Groups that are selected privately take a part of δ, or all of it.
func TestAnAccountPaysForSelectedGroups(t *testing.T) {
	for _, epsilon := range []float64{0.1, 0.3, 0.5, 1, 1.0 / 3, 2, 5} {
		for _, delta := range []float64{1e-9, 1e-6, 1e-5, 3e-4} {
			for _, maxGroups := range []int{1, 3, 7, 12} {
				q := orders()
				q.MaxGroups, q.Groups = maxGroups, nil
				euros := aggregate.PerUnit(q, "euros", func(o order) float64 { return o.euros }, aggregate.Bounds[float64]{Upper: 100})
				loss := dp.Approx{Epsilon: epsilon, Delta: delta}
				plan, err := q.Plan(loss, q.Count(), q.Units(), euros.Sum())
				if err != nil {
					t.Fatal(err)
				}
				a := accountOf(t, loss, budget.Default)
				alone, err := q.Plan(loss)
				if err != nil {
					t.Fatal(err)
				}
				for _, charge := range []dp.Charge{plan.Charge(aggregate.Request{Key: "k", Purpose: "p"}), alone.Charge(aggregate.Request{Key: "k", Purpose: "p"})} {
					if err := a.Afford(t.Context(), charge); err != nil {
						t.Errorf("%v, a unit in %d groups, %d events: %v", loss, maxGroups, len(charge.Events), err)
					}
				}
			}
		}
	}
}

// spendAll pays for n releases of a plan, and returns how many were accepted.
func spendAll(t *testing.T, a *budget.Account, charge func(aggregate.Request) dp.Charge, n int) int {
	t.Helper()
	accepted := 0
	for i := range n {
		_, err := a.Spend(t.Context(), charge(aggregate.Request{Key: fmt.Sprint("release ", i), Purpose: "p"}))
		if _, refused := errors.AsType[*budget.RefusedError](err); err != nil && !refused {
			t.Fatal(err)
		}
		if err == nil {
			accepted++
		}
	}
	return accepted
}

// Rules that add up what is divided take all parts: Basic ε and δ, ZCDP ρ, and
// Default, which is no worse than Basic.
func TestNPlansOfTheNthPartOfALossFit(t *testing.T) {
	for n := 2; n <= 50; n++ {
		g := gamble{rand.New(rand.NewPCG(uint64(n), 2))}
		for _, whole := range []dp.Loss{
			dp.Pure{Epsilon: g.decimals()}, dp.Concentrated{Rho: g.decimals()}, dp.Approx{Epsilon: g.decimals(), Delta: g.of(1e-5, 1e-6, 3e-9)},
		} {
			loss := dp.Split(whole, n)
			q := g.query(loss)
			plan, err := q.Plan(loss, g.columns(q)...)
			if err != nil {
				continue
			}
			for _, rule := range rulesFor(whole)[:2] {
				a := accountOf(t, whole, rule)
				if many, _, err := a.HowMany(t.Context(), plan.Charge(aggregate.Request{Key: "k", Purpose: "p"})); err != nil || many < n {
					t.Errorf("%v in %d parts, rule %v: HowMany is %d, %v", whole, n, rule, many, err)
				}
				if got := spendAll(t, a, plan.Charge, n); got != n {
					t.Errorf("%v in %d parts, rule %v: %d are accepted", whole, n, rule, got)
				}
			}
		}
	}
}

// Case of a user: three measures, each a third of the loss.
func TestThreeEqualMeasuresCostWhatTheyDeclare(t *testing.T) {
	type visit struct {
		patient, stay, cost, km int64
		ward                    string
	}
	q := &aggregate.Query[visit, int64, string]{
		Dataset: "d", UnitName: "patient",
		Unit: func(v visit) int64 { return v.patient }, Group: func(v visit) string { return v.ward },
		MaxGroups: 1, MaxRowsPerGroup: 1, Groups: []string{"A", "B"},
	}
	sum := func(name string, f func(visit) int64) aggregate.AnyColumn {
		return aggregate.PerRow(q, name, f, aggregate.Bounds[int64]{Upper: 100}).Sum()
	}
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, sum("stay", func(v visit) int64 { return v.stay }),
		sum("cost", func(v visit) int64 { return v.cost }), sum("km", func(v visit) int64 { return v.km }))
	if err != nil {
		t.Fatal(err)
	}
	a, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "d", Unit: "patient", Limit: dp.Pure{Epsilon: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Run(t.Context(), a, aggregate.Request{Key: "k", Purpose: "p"}, aggregate.Slice([]visit{{1, 3, 4, 5, "A"}})); err != nil {
		t.Error(err)
	}
	if status, err := a.Status(t.Context()); status.Whole.Left != nil || err != nil {
		t.Errorf("%v is left of ε=1 (%v), want nothing", status.Whole.Left, err)
	}
}
