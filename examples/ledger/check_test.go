package main

import (
	"context"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/policy"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/module"
)

// A clinic is a ledger that is kept by the rules, and the ways in which a test breaks them.
type clinic struct {
	terms    budget.Terms
	policy   map[string]any                              // nil for none
	ask      func(*aggregate.Query[stayed, int, string]) // before the plan is made
	analyst  string
	after    func(*testing.T, *budget.Account)
	unsigned bool
}

type stayed struct {
	who  int
	ward string
	stay int64
}

func allWell() *clinic {
	purpose := map[string]any{
		"reason": "r", "basis": "b", "until": "2999-12-31", "askers": []string{"ann"}, "keys": "selected", "consent": "none", "groups": []string{"ward"},
		"columns": map[string]any{"stay": map[string]any{"lower": 0, "upper": 100}},
	}
	return &clinic{
		terms: budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Approx{Epsilon: 2, Delta: 1e-5}, Refusals: 100},
		policy: map[string]any{
			"version": 1, "dataset": "visits", "about": "visits", "holder": "the clinic", "unit": "patient", "unit_means": "all visits of one",
			"unit_is_event": false, "people": map[string]any{"at_least": 1000, "at_most": 10000, "stated_by": "the clinic"},
			"largest": "epsilon=1,delta=1e-6", "why": "enough", "decided_by": "Rao", "decided_on": "2026-01-01", "least_group": 20, "retain_days": 700,
			"purposes": map[string]any{"opening hours": purpose},
		},
		ask: func(*aggregate.Query[stayed, int, string]) {}, after: func(*testing.T, *budget.Account) {}, analyst: "ann",
	}
}

func (c *clinic) purpose() map[string]any {
	return c.policy["purposes"].(map[string]any)["opening hours"].(map[string]any)
}

// answers makes the ledger and returns the hazards that are answered no.
func (c *clinic) answers(t *testing.T) (no []int, all []answer) {
	t.Helper()
	a, err := budget.Create(t.Context(), budget.Memory(), c.terms)
	if err != nil {
		t.Fatal(err)
	}
	if c.policy != nil {
		if c.policy["modules"] == nil {
			c.policy["modules"] = []string{module.Version()}
		} else if len(c.policy["modules"].([]string)) == 0 {
			delete(c.policy, "modules")
		}
		p, err := policy.Parse(asJSON(t, c.policy))
		if err != nil {
			t.Fatal(err)
		}
		if err := a.SetPolicy(t.Context(), p, "the first", "Rao"); err != nil {
			t.Fatal(err)
		}
	}
	c.run(t, a)
	c.after(t, a)
	e := &env{now: time.Now}
	if !c.unsigned {
		e.keys, e.newKey, e.signKey = filepath.Join(t.TempDir(), "keys"), filepath.Join(t.TempDir(), "key"), ""
		signFor(t, e, a)
	}
	d, err := e.dossier(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	all = answersOf(d, e.audit(t.Context(), a))
	for _, x := range all {
		if !x.Yes {
			no = append(no, x.Number)
		}
	}
	return no, all
}

func asJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func clinicQuery() *aggregate.Query[stayed, int, string] {
	return &aggregate.Query[stayed, int, string]{
		Dataset: "visits", UnitName: "patient", MaxGroups: 1, MaxRowsPerGroup: 1, GroupName: "ward", LeastGroup: 20,
		Unit: func(r stayed) int { return r.who }, Group: func(r stayed) string { return r.ward },
		Retention: &aggregate.Retention[stayed]{Time: func(stayed) time.Time { return time.Now() }, Days: 700},
	}
}

// run publishes two tables of what the policy allows.
func (c *clinic) run(t *testing.T, a *budget.Account) {
	t.Helper()
	q := clinicQuery()
	c.ask(q)
	stay := aggregate.PerUnit(q, "stay", func(r stayed) int64 { return r.stay }, aggregate.Bounds[int64]{Lower: 0, Upper: 50})
	plan, err := q.Plan(dp.Approx{Epsilon: 0.5, Delta: 1e-6}, stay.Mean())
	if err != nil {
		t.Fatal(err)
	}
	var rows []stayed
	for who := range 500 {
		rows = append(rows, stayed{who, []string{"A", "B"}[who%2], int64(who % 60)})
	}
	for _, key := range []string{"May", "June"} {
		r := aggregate.Request{Key: key, Purpose: "opening hours", Analyst: c.analyst}
		if _, err := plan.Run(t.Context(), a, r, aggregate.Slice(rows)); err != nil {
			t.Fatal(err)
		}
	}
}

// signFor signs the anchor of an account with a new key.
func signFor(t *testing.T, e *env, a *budget.Account) {
	t.Helper()
	anchor, err := a.Anchor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e.stdout = discard{}
	if err := e.makeKey(anchor); err != nil {
		t.Fatal(err)
	}
	e.signKey = e.newKey
	text, err := e.signText(anchorText(anchor))
	if err != nil {
		t.Fatal(err)
	}
	e.signedFile = filepath.Join(t.TempDir(), "signed")
	if err := os.WriteFile(e.signedFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func TestALedgerKeptByTheRulesPasses20Of20(t *testing.T) {
	no, all := allWell().answers(t)
	if len(all) != 20 || no != nil {
		t.Errorf("of %d answers these are no: %v\n%+v", len(all), no, all)
	}
	for _, x := range all {
		if x.Hazard == "" || x.Evidence == "" {
			t.Errorf("hazard %d has no evidence", x.Number)
		}
	}
}

// byHand spends a charge that no plan made.
func byHand(events []dp.Event, states *dp.Statement, keep bool) func(*testing.T, *budget.Account) {
	return func(t *testing.T, a *budget.Account) {
		t.Helper()
		c := dp.Charge{
			Dataset: "visits", Unit: "patient", Purpose: "opening hours", Key: "by hand", Analyst: "ann", Loss: dp.Approx{Epsilon: 0.1, Delta: 1e-7},
			Events: events, States: states,
		}
		if _, err := a.Spend(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if keep {
			if _, err := a.Keep(t.Context(), c, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func exactly(x float64) *big.Rat {
	r, _, _ := dp.Parts{Epsilon: x}.Exact()
	return r
}

var laplaceEvent = dp.Event{
	Mechanism: dp.DiscreteLaplace, For: "rows", Sensitivity: dp.Sensitivity{L0: 1, LInf: 1}, Scale: exactly(100), Count: 1,
}

// Each hazard is answered no on a ledger that was planted with it.
func TestEachPlantedLedgerIsSeen(t *testing.T) {
	stated := &dp.Statement{LeastGroup: 20, RetainDays: 700}
	seen := map[int]bool{}
	for name, p := range map[string]struct {
		no    []int
		plant func(*clinic)
	}{
		"a large limit":      {[]int{1}, func(c *clinic) { c.terms.Limit = dp.Approx{Epsilon: 20, Delta: 1e-5} }},
		"a large delta":      {[]int{2}, func(c *clinic) { c.terms.Limit = dp.Approx{Epsilon: 2, Delta: 1e-4} }},
		"no policy":          {[]int{1, 2, 3, 4, 9, 10, 12, 20, 23, 24}, func(c *clinic) { c.policy = nil }},
		"an event":           {[]int{4}, func(c *clinic) { c.terms.Unit, c.policy["unit"] = "visit", "visit" }},
		"no unit":            {[]int{5}, func(c *clinic) { c.terms.Unit = "" }},
		"outside":            {[]int{8}, func(c *clinic) { c.after = recordOutside }},
		"versions not named": {[]int{9}, func(c *clinic) { c.policy["modules"] = []string{} }},
		"small groups":       {[]int{10}, func(c *clinic) { delete(c.policy, "least_group") }},
		"nothing kept":       {[]int{11}, func(c *clinic) { c.after = byHand([]dp.Event{laplaceEvent}, withModule(stated), false) }},
		"bins from the data": {[]int{14}, func(c *clinic) {
			c.purpose()["keys"] = "selected"
			c.after = byHand([]dp.Event{laplaceEvent}, inGroups(stated), true)
		}},
		"no refusals":         {[]int{19}, func(c *clinic) { c.terms.Refusals = 0 }},
		"no signature":        {[]int{22}, func(c *clinic) { c.unsigned = true }},
		"everything for ever": {[]int{24}, func(c *clinic) { delete(c.policy, "retain_days") }},
	} {
		c := allWell()
		p.plant(c)
		if name == "an event" {
			c.ask = func(q *aggregate.Query[stayed, int, string]) { q.UnitName = "visit" }
		}
		no, _ := c.answers(t)
		if !slices.Equal(no, p.no) {
			t.Errorf("%s: no is said to %v, want %v", name, no, p.no)
		}
		for _, n := range no {
			seen[n] = true
		}
	}
	for _, n := range declaredBefore(t) {
		seen[n] = true
	}
	askedBefore(t)
	for _, n := range datedFinely(t) {
		seen[n] = true
	}
	for _, h := range hazards {
		if !seen[h.number] {
			t.Errorf("no ledger was planted with hazard %d: %s", h.number, h.about)
		}
	}
}

func recordOutside(t *testing.T, a *budget.Account) {
	t.Helper()
	if err := a.RecordOutside(t.Context(), budget.Outside{What: "a table", By: "the ministry", On: "2024-05-31"}, "found", "Rao"); err != nil {
		t.Fatal(err)
	}
}

func withModule(s *dp.Statement) *dp.Statement {
	t := *s
	t.Module = module.Version()
	return &t
}

func inGroups(s *dp.Statement) *dp.Statement {
	t := withModule(s)
	t.Grouped, t.Groups = true, "ward"
	return t
}

// declaredBefore is a ledger in which a program spent, before there was a policy, what it
// declared.
func declaredBefore(t *testing.T) []int {
	t.Helper()
	a, err := budget.Create(t.Context(), budget.Memory(), allWell().terms)
	if err != nil {
		t.Fatal(err)
	}
	byHand([]dp.Event{{Mechanism: dp.Declared, Epsilon: exactly(0.1), Count: 1}}, nil, true)(t, a)
	return answeredNo(t, a, []int{6, 7, 12, 13})
}

// askedBefore is a ledger in which somebody who may not ask asked about single visits, with bounds that
// are none, before there was a policy.
func askedBefore(t *testing.T) {
	t.Helper()
	c := allWell()
	a, err := budget.Create(t.Context(), budget.Memory(), c.terms)
	if err != nil {
		t.Fatal(err)
	}
	wide := withModule(&dp.Statement{LeastGroup: 20, RetainDays: 700, Event: true, Columns: []dp.StatedColumn{{Name: "stay", Per: "row", Lower: "0", Upper: "1152921504606846976"}}})
	charge := dp.Charge{
		Dataset: "visits", Unit: "patient", Purpose: "opening hours", Analyst: "eve", Key: "before", Loss: dp.Pure{Epsilon: 1}, Events: []dp.Event{laplaceEvent}, States: wide,
	}
	if _, err := a.Spend(t.Context(), charge); err != nil {
		t.Fatal(err)
	}
	p, err := policy.Parse(asJSON(t, c.policy))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.SetPolicy(t.Context(), p, "the first", "Rao"); err != nil {
		t.Fatal(err)
	}
	answeredNo(t, a, []int{4, 12, 23})
}

// datedFinely is a ledger of format 1, which dated what was paid by the nanosecond.
func datedFinely(t *testing.T) []int {
	t.Helper()
	file, err := os.Open("../../budget/testdata/d90b317/visits.export")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	a, err := budget.Import(t.Context(), budget.Memory(), file)
	if err != nil {
		t.Fatal(err)
	}
	return answeredNo(t, a, []int{21})
}

// answeredNo returns the hazards of an account that are answered no; some must be.
func answeredNo(t *testing.T, a *budget.Account, must []int) (no []int) {
	t.Helper()
	e := &env{now: time.Now}
	d, err := e.dossier(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range answersOf(d, e.audit(t.Context(), a)) {
		if !x.Yes {
			no = append(no, x.Number)
		}
	}
	for _, n := range must {
		if !slices.Contains(no, n) {
			t.Errorf("hazard %d is answered yes: %v", n, no)
		}
	}
	return no
}
