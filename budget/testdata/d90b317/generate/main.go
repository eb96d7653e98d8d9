// Command generate makes the files beside it. Run it in a checkout of the
// commit that the folder is named after; README.md says how.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
	"github.com/equipoise-dp/equipoise/dp"
)

type order struct {
	customer int
	day      string
	amount   float64
	items    int
}

func orders() (rows []order) {
	for c := range 400 {
		for i := range 1 + c%3 {
			rows = append(rows, order{c, []string{"mon", "tue", "wed"}[(c+i)%3], float64(c%50) + 0.25, 1 + c%9})
		}
	}
	return rows
}

// facts are what the commit said of an account.
type facts struct {
	Account  string                     `json:"account"`
	Anchor   string                     `json:"anchor"`
	Entries  uint64                     `json:"entries"`
	Spent    string                     `json:"spent"`
	Left     string                     `json:"left"`
	Frozen   bool                       `json:"frozen"`
	Keys     map[string]*string         `json:"keys"`     // what was kept, or null
	Releases map[string]json.RawMessage `json:"releases"` // as JSON, of keys that aggregate answered
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

var ctx = context.Background()

func main() {
	out := os.Args[1]
	store := must(sqlite.Create(ctx, filepath.Join(out, "ledger.db")))
	var all []facts
	for _, make := range []func(budget.Store) (*budget.Account, map[string]json.RawMessage){whole, parted, reserved, frozen} {
		a, releases := make(store)
		all = append(all, factsOf(a, releases))
		f := must(os.Create(filepath.Join(out, a.Terms().Dataset+".export")))
		check(a.Export(ctx, f))
		check(f.Close())
	}
	check(store.Close())
	check(os.WriteFile(filepath.Join(out, "facts.json"), append(must(json.MarshalIndent(all, "", "\t")), '\n'), 0o644))
}

func factsOf(a *budget.Account, releases map[string]json.RawMessage) facts {
	must(a.Verify(ctx))
	st := must(a.Status(ctx))
	f := facts{
		Account: st.Account, Anchor: must(a.Anchor(ctx)).String(), Entries: st.Entries, Frozen: st.Frozen,
		Spent: text(st.Scopes[0].Spent), Left: text(st.Scopes[0].Left), Keys: map[string]*string{}, Releases: releases,
	}
	for e, err := range a.Entries(ctx) {
		check(err)
		if e.Charge != nil {
			if kept := must(a.Kept(ctx, e.Charge.Key)).Kept; kept != nil {
				s := string(kept)
				f.Keys[e.Charge.Key] = &s
			} else {
				f.Keys[e.Charge.Key] = nil
			}
		}
	}
	return f
}

func text(l dp.Loss) string {
	if l == nil {
		return "nothing"
	}
	return l.String()
}

func run[K comparable](a *budget.Account, releases map[string]json.RawMessage, p *aggregate.Plan[order, int, K], r aggregate.Request) {
	release := must(p.Run(ctx, a, r, aggregate.Slice(orders())))
	releases[r.Key] = must(json.Marshal(release))
}

func whole(s budget.Store) (*budget.Account, map[string]json.RawMessage) {
	a := must(budget.Create(ctx, s, budget.Terms{Dataset: "orders", Unit: "customer", Limit: dp.Approx{Epsilon: 8, Delta: 1e-5}}))
	releases := map[string]json.RawMessage{}
	request := func(key string) aggregate.Request {
		return aggregate.Request{Key: key, Purpose: "report", Analyst: "ann"}
	}

	days := &aggregate.Query[order, int, string]{
		Dataset: "orders", UnitName: "customer", Unit: func(o order) int { return o.customer },
		Key: func(o order) string { return o.day }, KeyName: "day", MaxKeys: 3, MaxRowsPerKey: 2,
		Keys: []string{"mon", "tue", "wed"},
	}
	amount := aggregate.PerUnit(days, "amount", func(o order) float64 { return o.amount }, aggregate.Bounds[float64]{Lower: 0, Upper: 60, Step: 0.25})
	items := aggregate.PerRow(days, "items", func(o order) int { return o.items }, aggregate.Bounds[int]{Lower: 0, Upper: 10})
	run(a, releases, must(days.Plan(dp.Pure{Epsilon: 0.5}, days.Count(), days.Units())), request("counts"))
	run(a, releases, must(days.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, amount.Mean(), amount.Sum(), items.Quantile(0.5), items.StdDev())), request("means"))
	run(a, releases, must(days.Plan(dp.Approx{Epsilon: 0.5, Delta: 1e-7}, aggregate.Weighted{AnyColumn: days.Count(), Weight: 3}, amount.Sum())), request("weighted"))

	found := &aggregate.Query[order, int, string]{
		Dataset: "orders", UnitName: "customer", Unit: func(o order) int { return o.customer },
		Key: func(o order) string { return o.day }, MaxKeys: 3, MaxRowsPerKey: 2,
	}
	run(a, releases, must(found.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, found.Units())), request("selected"))

	paidOnly := must(days.Plan(dp.Pure{Epsilon: 0.25}, days.Count()))
	must(a.Spend(ctx, paidOnly.Charge(request("paid and not kept"))))
	for key, release := range map[string]string{"by hand": "41", "empty": ""} {
		c := charge("orders", "customer", key, dp.Pure{Epsilon: 0.125})
		must(a.Spend(ctx, c))
		must(a.Keep(ctx, c, []byte(release)))
	}
	check(a.Raise(ctx, dp.Approx{Epsilon: 9, Delta: 1e-5}, "board decision", "bea"))
	check(a.Freeze(ctx, "an inquiry", "bea"))
	check(a.Thaw(ctx, "it ended", "bea"))
	return a, releases
}

func charge(dataset, unit, key string, l dp.Pure) dp.Charge {
	return dp.Charge{
		Dataset: dataset, Unit: unit, Purpose: "report", Key: key, Plan: "by hand", Loss: l,
		Events: []dp.Event{{Mechanism: dp.Laplace, For: "a number", Count: 1, Sensitivity: dp.Sensitivity{L0: 1, LInf: 1},
			Scale: new(big.Rat).Inv(l.Exact())}},
	}
}

func parted(s budget.Store) (*budget.Account, map[string]json.RawMessage) {
	a := must(budget.Create(ctx, s, budget.Terms{
		Dataset: "visits", Unit: "customer", Limit: dp.Pure{Epsilon: 4}, Rule: budget.Basic,
		Purposes: map[string]dp.Loss{"report": dp.Pure{Epsilon: 3}, "research": dp.Pure{Epsilon: 1}},
		Period:   dp.Pure{Epsilon: 2}, Analyst: dp.Pure{Epsilon: 2},
	}))
	releases := map[string]json.RawMessage{}
	all := &aggregate.Query[order, int, bool]{
		Dataset: "visits", UnitName: "customer", Unit: func(o order) int { return o.customer }, MaxKeys: 1, MaxRowsPerKey: 3,
	}
	p := must(all.Plan(dp.Pure{Epsilon: 0.5}, all.Count()))
	run(a, releases, p, aggregate.Request{Key: "may", Purpose: "report", Analyst: "ann", Periods: []string{"2026-05"}})
	run(a, releases, p, aggregate.Request{Key: "both", Purpose: "research", Analyst: "cy", Periods: []string{"2026-05", "2026-06"}})
	return a, releases
}

func reserved(s budget.Store) (*budget.Account, map[string]json.RawMessage) {
	a := must(budget.Create(ctx, s, budget.Terms{Dataset: "stays", Unit: "customer", Limit: dp.Concentrated{Rho: 2}, Rule: budget.ZCDP}))
	event := func(n int) dp.Event {
		return dp.Event{Mechanism: dp.Gaussian, For: "a number", Count: n, Sensitivity: dp.Sensitivity{L0: 1, LInf: 1}, Scale: big.NewRat(5, 1)}
	}
	c := dp.Charge{Dataset: "stays", Unit: "customer", Purpose: "report", Key: "plan", Loss: dp.Concentrated{Rho: 0.2}, Events: []dp.Event{event(10)}}
	v := must(a.Reserve(ctx, c))
	for i := range 3 {
		d := c
		d.Key, d.Loss, d.Events = fmt.Sprint("draw ", i), dp.Concentrated{Rho: 0.02}, []dp.Event{event(1)}
		must(v.Spend(ctx, d))
		if i > 0 {
			must(v.Keep(ctx, d, fmt.Appendf(nil, "release %d", i)))
		}
	}
	return a, nil
}

func frozen(s budget.Store) (*budget.Account, map[string]json.RawMessage) {
	a := must(budget.Create(ctx, s, budget.Terms{Dataset: "closed", Unit: "customer", Limit: dp.Approx{Epsilon: 2, Delta: 1e-5}, Rule: budget.GDP}))
	c := charge("closed", "customer", "last", dp.Pure{Epsilon: 0.5})
	must(a.Spend(ctx, c))
	must(a.Keep(ctx, c, []byte("12")))
	check(a.Freeze(ctx, "the study ended", "bea"))
	return a, nil
}
