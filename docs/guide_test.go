// Package docs runs the numbers of guide.md.
package docs

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/aggregate/groups"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/forecast"
	"github.com/equipoise-dp/equipoise/budget/policy/policyyaml"
	"github.com/equipoise-dp/equipoise/dp"
)

type order struct {
	Customer int
	Week     string
	Euros    float64
}

func weekly(maxKeys int, weeks ...string) *aggregate.Query[order, int, string] {
	return &aggregate.Query[order, int, string]{
		Dataset: "orders", UnitName: "customer", GroupName: "week",
		Unit:      func(o order) int { return o.Customer },
		Group:     func(o order) string { return o.Week },
		MaxGroups: maxKeys, MaxRowsPerGroup: 1, Groups: weeks,
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// What ε means: what somebody who would bet even money that a customer is in the
// data can be sure of after all reports.
func Example_odds() {
	for _, ε := range []float64{0.1, 0.5, 1, 2, 5, 10} {
		fmt.Printf("ε = %-4v 50 %% becomes at most %.4g %%\n", ε, 100*math.Exp(ε)/(1+math.Exp(ε)))
	}
	// Output:
	// ε = 0.1  50 % becomes at most 52.5 %
	// ε = 0.5  50 % becomes at most 62.25 %
	// ε = 1    50 % becomes at most 73.11 %
	// ε = 2    50 % becomes at most 88.08 %
	// ε = 5    50 % becomes at most 99.33 %
	// ε = 10   50 % becomes at most 100 %
}

// What bounds cost: noise is as wide as the largest value that may count.
func Example_bounds() {
	for _, upper := range []float64{50, 200, 1000} {
		q := weekly(1, "2026-19")
		euros := aggregate.PerUnit(q, "euros", func(o order) float64 { return o.Euros }, aggregate.Bounds[float64]{Upper: upper, Step: 0.01})
		plan, err := q.Plan(dp.Pure{Epsilon: 1}, euros.Sum())
		check(err)
		fmt.Printf("bounds 0 to %-5v the sum is right to ± %.0f\n", upper, plan.Prices()[0].PlusMinus)
	}
	// Output:
	// bounds 0 to 50    the sum is right to ± 150
	// bounds 0 to 200   the sum is right to ± 599
	// bounds 0 to 1000  the sum is right to ± 2996
}

// What caps cost: a customer who may count in more groups moves more numbers.
func Example_caps() {
	weeks := make([]string, 52)
	for i := range weeks {
		weeks[i] = fmt.Sprintf("2026-%02d", i+1)
	}
	for _, maxKeys := range []int{1, 4, 12, 52} {
		q := weekly(maxKeys, weeks...)
		plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Units())
		check(err)
		fmt.Printf("at most %2d weeks of a customer: ± %.0f in each week\n", maxKeys, plan.Prices()[0].PlusMinus)
	}
	// Output:
	// at most  1 weeks of a customer: ± 3 in each week
	// at most  4 weeks of a customer: ± 12 in each week
	// at most 12 weeks of a customer: ± 27 in each week
	// at most 52 weeks of a customer: ± 34 in each week
}

// What a year of weekly reports costs, by the rule that adds them up: how many
// fit into one account of ε = 2, δ = 1e-6, if every week is released with noise
// of ± 50 customers.
func Example_rules() {
	q := weekly(1, "2026-19")
	for _, noise := range []struct {
		name string
		loss dp.Loss
	}{
		{"Laplace, ε = 0.06 a week", dp.Pure{Epsilon: 0.06}},
		{"Gaussian, ρ = 0.0008 a week", dp.Concentrated{Rho: 0.0008}},
	} {
		plan, err := q.Plan(noise.loss, q.Units())
		check(err)
		fmt.Printf("%s (± %.0f)\n", noise.name, plan.Prices()[0].PlusMinus)
		for _, rule := range []budget.Rule{budget.Basic, budget.Default, budget.ZCDP, budget.GDP} {
			account, err := budget.Create(context.Background(), budget.Memory(), budget.Terms{
				Dataset: "orders", Unit: "customer", Limit: dp.Approx{Epsilon: 2, Delta: 1e-6}, Rule: rule})
			check(err)
			n, _, err := account.HowMany(context.Background(), plan.Charge(aggregate.Request{Key: "2026-19", Purpose: "report"}))
			if err != nil {
				fmt.Printf("  %-8v refuses it\n", rule)
				continue
			}
			fmt.Printf("  %-8v %d weeks\n", rule, n)
		}
	}
	// Output:
	// Laplace, ε = 0.06 a week (± 50)
	//   basic    33 weeks
	//   default  50 weeks
	//   zcdp     48 weeks
	//   gdp      35 weeks
	// Gaussian, ρ = 0.0008 a week (± 49)
	//   basic    9 weeks
	//   default  105 weeks
	//   zcdp     110 weeks
	//   gdp      125 weeks
}

// What an account has to hold for a year of weekly reports and a larger one every
// quarter, by the rule that adds them up, if every week has noise of ± 50 customers
// and every quarter of ± 20.
func Example_year() {
	for _, noise := range []struct {
		name           string
		weeks, quarter dp.Loss
	}{
		{"Laplace", dp.Pure{Epsilon: 0.06}, dp.Pure{Epsilon: 0.15}},
		{"Gaussian", dp.Concentrated{Rho: 0.0008}, dp.Concentrated{Rho: 0.005}},
	} {
		year := []forecast.Use{{Times: 52, Charge: charge(noise.weeks)}, {Times: 4, Charge: charge(noise.quarter)}}
		ways, err := forecast.Ways(1e-6, year...)
		check(err)
		fmt.Println(noise.name)
		for _, way := range ways {
			fmt.Println(" ", way)
		}
	}
	// Output:
	// Laplace
	//   one reservation: ε=2.2483 δ=1e-06
	//   default: ε=2.4097 δ=1e-06
	//   zcdp: ρ=0.1386, which is ε=2.56 at that δ
	//   zcdp: ε=2.5597 δ=1e-06
	//   gdp: ε=3.062 δ=1e-06
	//   basic: ε=3.72 δ=1e-06
	//   basic: ε=3.72, which is ε=3.72 at that δ
	// Gaussian
	//   one reservation: ε=1.5316 δ=1e-06
	//   gdp: ε=1.5316 δ=1e-06
	//   zcdp: ρ=0.0616, which is ε=1.647 at that δ
	//   zcdp: ε=1.6471 δ=1e-06
	//   default: ε=1.6637 δ=1e-06
	//   basic: ε=12.564 δ=1e-06
	//   basic: its limit is a dp.Pure, which takes only charges that are dp.Pure
}

// charge is what one report costs that counts customers at a loss.
func charge(loss dp.Loss) dp.Charge {
	q := weekly(1, "2026-19")
	plan, err := q.Plan(loss, q.Units())
	check(err)
	return plan.Charge(aggregate.Request{Key: "2026-19", Purpose: "report"})
}

// What a reservation saves: all weeks are declared at once, so that their exact
// composition may be used, and are drawn one by one.
func Example_reservation() {
	weeks := forecast.Use{Times: 52, Charge: charge(dp.Concentrated{Rho: 0.0008})}
	loss, err := forecast.LeastLoss(1e-6, weeks)
	check(err)
	year, err := forecast.Together(weeks)
	check(err)
	year.Key, year.Plan, year.Loss = "weeks of 2026", "52 weekly reports", loss
	account, err := budget.Create(context.Background(), budget.Memory(), budget.Terms{
		Dataset: "orders", Unit: "customer", Limit: dp.Approx{Epsilon: 2, Delta: 1e-6}})
	check(err)
	_, err = account.Reserve(context.Background(), year)
	check(err)
	fmt.Printf("52 weeks are reserved for %v\n", loss)
	// Output:
	// 52 weeks are reserved for ε=1.238 δ=1e-06
}

// A dashboard asks once a day, whoever looks at it and however often.
func Example_dashboard() {
	ctx := context.Background()
	account, err := budget.Create(ctx, budget.Memory(), budget.Terms{
		Dataset: "orders", Unit: "customer", Limit: dp.Pure{Epsilon: 3},
		Purposes: map[string]dp.Loss{"dashboard": dp.Pure{Epsilon: 2}, "research": dp.Pure{Epsilon: 1}}})
	check(err)
	q := weekly(1, "2026-19")
	plan, err := q.Plan(dp.Pure{Epsilon: 0.05}, q.Units())
	check(err)
	for range 1000 { // views of one day
		_, err := plan.Run(ctx, account, aggregate.Request{Key: "2026-05-04", Purpose: "dashboard"}, aggregate.Slice([]order{}))
		check(err)
	}
	status, err := account.Status(ctx)
	check(err)
	left, _, err := account.HowMany(ctx, plan.Charge(aggregate.Request{Key: "another day", Purpose: "dashboard"}))
	check(err)
	fmt.Printf("1000 views cost %v; %d more days fit\n", status.Whole.Spent, left)
	// Output:
	// 1000 views cost ε=0.05; 39 more days fit
}

// declared is a charge of which only the loss is known, and which data it reads.
func declared(dataset, key string, l dp.Pure, periods ...string) dp.Charge {
	epsilon, _, _ := dp.PartsOf(l).Exact()
	return dp.Charge{
		Dataset: dataset, Unit: "customer", Purpose: "report", Key: key, Periods: periods,
		Loss: l, Events: []dp.Event{{Mechanism: dp.Declared, Count: 1, Epsilon: epsilon}},
	}
}

// One account for a company, with a limit for each of its datasets.
func Example_parts() {
	ctx := context.Background()
	account, err := budget.Create(ctx, budget.Memory(), budget.Terms{
		Dataset: "shop", Unit: "customer", Rule: budget.Basic, Limit: dp.Pure{Epsilon: 3},
		Parts: map[string]dp.Loss{"shop/orders": dp.Pure{Epsilon: 2}, "shop/returns": dp.Pure{Epsilon: 1}},
	})
	check(err)
	for i, dataset := range []string{"shop/orders", "shop/returns", "shop", "shop/returns"} {
		_, err := account.Spend(ctx, declared(dataset, fmt.Sprint(i), dp.Pure{Epsilon: 0.5}))
		var refused *budget.RefusedError
		if errors.As(err, &refused) {
			fmt.Printf("a report on %s: refused, %s has %s left\n", dataset, refused.Scope, dp.FormatLoss(refused.Left))
			continue
		}
		check(err)
		fmt.Printf("a report on %s: paid\n", dataset)
	}
	status, err := account.Status(ctx)
	check(err)
	for _, s := range append([]budget.ScopeStatus{status.Whole}, status.Parts...) {
		fmt.Printf("%s%s: %v of %v\n", s.Scope, strings.TrimRight(" "+s.Name, " "), s.Spent, s.Limit)
	}
	// Output:
	// a report on shop/orders: paid
	// a report on shop/returns: paid
	// a report on shop: paid
	// a report on shop/returns: refused, part "shop/returns" has nothing left
	// account: ε=1.5 of ε=3
	// part shop/orders: ε=1 of ε=2
	// part shop/returns: ε=1 of ε=1
}

// A limit for each week of the data, and none for all weeks together.
func Example_periods() {
	ctx := context.Background()
	account, err := budget.Create(ctx, budget.Memory(), budget.Terms{
		Dataset: "orders", Unit: "customer", Rule: budget.Basic, Odometer: true, Period: dp.Pure{Epsilon: 0.5},
	})
	check(err)
	for week := 1; week <= 52; week++ {
		_, err := account.Spend(ctx, declared("orders", fmt.Sprint(week), dp.Pure{Epsilon: 0.5}, fmt.Sprintf("2026-W%02d", week)))
		check(err)
	}
	_, err = account.Spend(ctx, declared("orders", "again", dp.Pure{Epsilon: 0.1}, "2026-W07"))
	fmt.Println(err)
	status, err := account.Status(ctx)
	check(err)
	fmt.Printf("read off for one customer who was there every week: %v\n", status.Whole.Spent)
	// Output:
	// budget: account "orders" refused ε=0.1: period "2026-W07" has nothing left of ε=0.5; nothing fits any more
	// read off for one customer who was there every week: ε=26
}

// A policy says what the orders may be used for; nobody reads a row for anything else.
func Example_policy() {
	ctx := context.Background()
	account, err := budget.Create(ctx, budget.Memory(), budget.Terms{Dataset: "orders", Unit: "customer", Limit: dp.Pure{Epsilon: 2}})
	check(err)
	rules, err := policyyaml.Parse([]byte(`
version: 1
dataset: orders
about: Orders of the shop, one row each.
holder: The shop, on its own server.
unit: customer
unit_means: All orders of one customer together.
unit_is_event: false
people: {at_least: 1000, at_most: 100000, stated_by: the shop}
largest: epsilon=0.1
why: Twenty reports a year, at what is common for sales.
decided_by: Kim
decided_on: 2026-01-15
purposes:
  assortment:
    reason: to order what sells
    basis: legitimate interest
    until: 2999-12-31
    askers: [buyer]
    groups: [week]
    keys: given
    consent: opt-out
`))
	check(err)
	check(account.SetPolicy(ctx, rules, "the first", "Kim"))
	q := weekly(1, "2026-19")
	for _, r := range []aggregate.Request{{Key: "1", Purpose: "ads", Analyst: "buyer"}, {Key: "2", Purpose: "assortment", Analyst: "buyer"}} {
		plan, err := q.Plan(dp.Pure{Epsilon: 0.05}, q.Units())
		check(err)
		refused, _ := errors.AsType[*budget.RefusedError](account.Afford(ctx, plan.Charge(r)))
		fmt.Printf("%s: %s\n", r.Purpose, refused.Reason)
	}
	// Output:
	// ads: purpose "ads" is none of the policy's
	// assortment: consent must be opt-out, and the question has none
}

// The loss of one week, shared so that three numbers are about as near to the truth, as parts
// of them, in a week of 2,000 customers.
func Example_shares() {
	q := weekly(1, "2026-19")
	euros := aggregate.PerUnit(q, "euros", func(o order) float64 { return o.Euros }, aggregate.Bounds[float64]{Upper: 200, Step: 0.01})
	of := aggregate.Assumed{Units: 2000, Means: map[string]float64{"euros": 40}}
	found, err := forecast.Share(q, dp.Approx{Epsilon: 1, Delta: 1e-6}, of, 0,
		forecast.Aim{Column: q.Units()}, forecast.Aim{Column: euros.Sum()}, forecast.Aim{Column: euros.Quantile(0.5)})
	check(err)
	for _, c := range found.Forecast.Columns {
		fmt.Printf("%s: ± %.1f %%\n", c.Column, 100*c.PlusMinus/c.Value)
	}
	// Output:
	// units: ± 4.1 %
	// euros sum: ± 4.1 %
	// euros p50: ± 4.1 %
}

// A goal instead of an ε: how near to the truth, in weeks of how many customers, how
// often. What it costs follows.
func Example_goal() {
	q := weekly(1, "2026-19")
	euros := aggregate.PerUnit(q, "euros", func(o order) float64 { return o.Euros }, aggregate.Bounds[float64]{Upper: 200, Step: 0.01})
	goal := forecast.Goal{
		Aims:  []forecast.Aim{{Column: q.Units(), Part: 0.05}, {Column: euros.Sum(), Part: 0.05}},
		Of:    aggregate.Assumed{Units: 2000, Means: map[string]float64{"euros": 40}},
		Times: 52, Delta: 1e-6,
	}
	found, err := forecast.PlanFor(q, goal)
	check(err)
	fmt.Printf("each week %v\n", found.Plan.Charge(aggregate.Request{}).Loss)
	for i, c := range found.Forecast.Columns {
		fmt.Printf("%s: %.0f ± %.0f, with %.0f %% of the loss\n", c.Column, c.Value, c.PlusMinus, 100*found.Plan.Prices()[i].Share)
	}
	fmt.Println("52 weeks:", found.Ways[1])
	goal.Most = 1
	_, err = forecast.PlanFor(q, goal)
	fmt.Println(err)
	// Output:
	// each week ρ=0.00481
	// units: 2000 ± 28, with 100 % of the loss
	// euros sum: 80000 ± 3997, with 100 % of the loss
	// 52 weeks: gdp: ε=3.3085 δ=1e-06
	// forecast: not for an account of ε=1: euros sum is ± 1.195e+04, must be ± 4000; ask for less, less often, or of larger groups, or lower the caps and bounds of the query
}

type event struct {
	Visitor int
	Step    string
}

// A funnel: how many visitors come to each step. A visitor may be in all of them.
func Example_funnel() {
	q := &aggregate.Query[event, int, string]{
		Dataset: "shop", UnitName: "visitor", GroupName: "step",
		Unit:      func(e event) int { return e.Visitor },
		Group:     func(e event) string { return e.Step },
		Groups:    []string{"looked", "filled the cart", "paid"},
		MaxGroups: 3, MaxRowsPerGroup: 1,
	}
	visitors := q.Units()
	plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, visitors)
	check(err)
	fmt.Printf("each step ± %.0f\n", plan.Prices()[0].PlusMinus)
	// Output:
	// each step ± 9
}

type purchase struct {
	Customer   int
	Joined, At time.Time
}

// A cohort is who joined in a month, and how many of them still buy so many months later.
type cohort struct {
	Joined string
	Later  int
}

// Cohorts: a customer joined once, so one is in as many cells as a cohort has months, however
// many cohorts there are.
func Example_cohorts() {
	from, to := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC)
	later := []int{0, 1, 2, 3, 4, 5}
	months := func(from, to time.Time) int { return 12*(to.Year()-from.Year()) + int(to.Month()) - int(from.Month()) }
	q := &aggregate.Query[purchase, int, cohort]{
		Dataset: "orders", UnitName: "customer", GroupName: "month of joining and months since",
		Unit:      func(p purchase) int { return p.Customer },
		Group:     func(p purchase) cohort { return cohort{aggregate.Month.Name(p.Joined), months(p.Joined, p.At)} },
		Groups:    groups.Product(aggregate.Month.Names(from, to), later, func(joined string, later int) cohort { return cohort{joined, later} }),
		MaxGroups: len(later), MaxRowsPerGroup: 1,
	}
	plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Units())
	check(err)
	fmt.Printf("%d cells, a customer in %d of them: each ± %.0f\n", len(q.Groups), q.MaxGroups, plan.Prices()[0].PlusMinus)
	// Output:
	// 72 cells, a customer in 6 of them: each ± 18
}
