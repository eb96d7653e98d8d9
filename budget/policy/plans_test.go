package policy_test

import (
	"context"
	"crypto/hpke"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/policy"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/module"
)

var long = flag.Bool("long", false, "try 2,000 policies with real plans instead of 20")

// A visit is a row of what is asked here.
type visit struct {
	who, ward, x int
}

type silent struct{}

func (silent) Choices(_ context.Context, _ string, units []int) ([]aggregate.Choice, error) {
	return slices.Repeat([]aggregate.Choice{aggregate.Silent}, len(units)), nil
}

// An asking is a question as a person would say it: what the plain reference decides by, and what the
// plan is made of.
type asking struct {
	kind             string // plan, series, alert, left out or reserved
	key              string
	purpose, analyst string
	group            string // "" for none
	given            bool
	least            int
	step             string // of a series or an alert
	event            bool
	consent          string // "" for none
	retain           int
	column           string // a sum; "" for none
	upper            int
	units            bool
	loss             dp.Parts
}

func (a *asking) lossOf(times float64) dp.Loss {
	switch p := a.loss; {
	case p.Rho > 0:
		return dp.Concentrated{Rho: times * p.Rho, Delta: times * p.Delta}
	case p.Delta > 0:
		return dp.Approx{Epsilon: times * p.Epsilon, Delta: times * p.Delta}
	}
	return dp.Pure{Epsilon: times * a.loss.Epsilon}
}

func (a *asking) query() *aggregate.Query[visit, int, int] {
	q := &aggregate.Query[visit, int, int]{
		Dataset: "visits", UnitName: "patient", UnitIsEvent: a.event, MaxGroups: 2, MaxRowsPerGroup: 1, Unit: func(v visit) int { return v.who },
	}
	if a.group != "" {
		q.Group, q.GroupName, q.LeastGroup = func(v visit) int { return v.ward }, a.group, a.least
		if a.given {
			q.Groups, q.LeastGroup = []int{1, 2}, 0
		}
	}
	switch a.consent {
	case "opt-in":
		q.Consent = &aggregate.Consent[int]{Mode: aggregate.OptIn, Purpose: a.purpose, Source: silent{}}
	case "opt-out":
		q.Consent = &aggregate.Consent[int]{Mode: aggregate.OptOut, Purpose: a.purpose, Source: silent{}}
	}
	if a.retain > 0 {
		q.Retention = &aggregate.Retention[visit]{Days: a.retain, Time: func(visit) time.Time { return time.Now() }}
	}
	return q
}

func (a *asking) columns(q *aggregate.Query[visit, int, int]) []aggregate.AnyColumn {
	columns := []aggregate.AnyColumn{q.Count()}
	if a.units {
		columns[0] = q.Units()
	}
	if a.column != "" {
		x := aggregate.PerUnit(q, a.column, func(v visit) int64 { return int64(v.x) }, aggregate.Bounds[int64]{Lower: 0, Upper: int64(a.upper)})
		columns = append(columns, x.Sum())
	}
	return columns
}

var steps = map[string]aggregate.Step{"day": aggregate.Day, "week": aggregate.Week}

// ask asks for real. The plan of a question that cannot be asked is an error that says so.
func (a *asking) ask(ctx context.Context, account *budget.Account, key hpke.PrivateKey) error {
	q, r, rows := a.query(), aggregate.Request{Key: a.key, Purpose: a.purpose, Analyst: a.analyst}, aggregate.Slice([]visit{{1, 1, 1}, {2, 2, 1}})
	switch a.kind {
	case "series":
		s := aggregate.Series[visit, int, int]{
			Query: q, Time: func(visit) time.Time { return time.Now() }, Zone: time.UTC, Step: steps[a.step], First: time.Now(), Periods: 1, AtOnce: true,
			Views: []aggregate.View{aggregate.EachPeriod(1)},
		}
		plan, err := s.Plan(a.lossOf(1), a.columns(q)...)
		if err != nil {
			return noPlan{err}
		}
		_, err = aggregate.Advance(ctx, plan, account, r, 1, rows)
		return err
	case "alert":
		s := aggregate.Alert[visit, int, int]{
			Query: q, Time: func(visit) time.Time { return time.Now() }, Zone: time.UTC, Step: steps[a.step], First: time.Now(), Periods: 1,
			When: aggregate.Above(50), Most: 1,
		}
		columns := a.columns(q)
		plan, err := s.Plan(a.lossOf(1), columns[len(columns)-1])
		if err != nil {
			return noPlan{err}
		}
		_, err = aggregate.Watch(ctx, plan, account, key, r, 1, rows)
		return err
	case "left out":
		of := q.LeftOutQuery()
		plan, err := of.Plan(a.lossOf(1), of.Units())
		if err != nil || q.Consent == nil {
			return noPlan{err}
		}
		_, err = plan.Run(ctx, account, r, q.LeftOut(ctx, rows))
		return err
	}
	plan, err := q.Plan(a.lossOf(1), a.columns(q)...)
	if err != nil {
		return noPlan{err}
	}
	if units, _ := plan.Threshold(); a.group != "" && !a.given {
		a.least = int(units)
	}
	if a.kind == "reserved" {
		whole := plan.Charge(r)
		whole.Key, whole.Loss = a.key+" whole", a.lossOf(2)
		for i := range whole.Events {
			whole.Events[i].Count *= 2
		}
		v, err := account.Reserve(ctx, whole)
		if err != nil {
			return err
		}
		_, err = plan.Run(ctx, v, r, rows)
		return err
	}
	_, err = plan.Run(ctx, account, r, rows)
	return err
}

type noPlan struct{ err error }

func (e noPlan) Error() string { return fmt.Sprint("there is no such question: ", e.err) }

// allowed is the policy in words of one line each, of the document as it was written.
func (a *asking) allowed(doc map[string]any, counted map[string]bool) bool {
	u, ok := doc["purposes"].(map[string]any)[a.purpose].(map[string]any)
	if !ok {
		return false
	}
	people, groups := doc["people"].(map[string]any), u["groups"].([]string)
	paid, _ := people["paid_under"].(string)
	least, _ := doc["least_group"].(int)
	retain, _ := doc["retain_days"].(int)
	modules, pinned := doc["modules"].([]string)
	columns, _ := u["columns"].(map[string]any)
	asked := *a
	if a.kind == "left out" { // it has no groups, no values, and asks nobody's consent
		asked.group, asked.column, asked.consent, asked.units = "", "", "", false // of all units it tells nothing
	}
	if a.kind == "alert" {
		asked.units = false
	}
	rules := []bool{
		u["until"] == "2999-12-31",
		slices.Contains(u["askers"].([]string), asked.analyst),
		fits(asked.loss, doc["largest"].(map[string]any)),
		paid == "" || counted[paid] || paid == asked.key && asked.countsAll() && asked.kind != "reserved", // a reservation is no release
		!asked.event || doc["unit_is_event"].(bool),
		!pinned || slices.Contains(modules, module.Version()),
		u["consent"] == "none" || u["consent"] == asked.consent,
		retain == 0 || asked.retain > 0 && asked.retain <= retain,
		asked.group == "" || slices.Contains(groups, asked.group),
		asked.group == "" || u["keys"] == "any" || (u["keys"] == "given") == asked.given,
		asked.group == "" || asked.given || asked.least >= least,
		asked.step == "" || slices.Contains(groups, asked.step),
		asked.step == "" || u["keys"] != "selected",
	}
	if asked.column != "" {
		b, ok := columns[asked.column].(map[string]any)
		rules = append(rules, ok && asked.upper <= b["upper"].(int))
	}
	return !slices.Contains(rules, false)
}

func (a *asking) countsAll() bool { return a.units && a.group == "" && a.step == "" }

// fits says by hand whether a loss is at most the largest. A ρ of 0.0001 is an ε of less than 0.1 at a δ of 1e-6, and one
// of 0.5 an ε of more than 4.
func fits(p dp.Parts, largest map[string]any) bool {
	most := func(name string) float64 {
		x, _ := largest[name].(float64)
		return x
	}
	if p.Delta > most("delta") {
		return false
	}
	if rho := most("rho"); rho > 0 {
		return p.Rho <= rho && p.Epsilon*p.Epsilon <= 2*rho
	}
	if p.Rho > 0 {
		return most("delta") > 0 && p.Rho < 0.001
	}
	return p.Epsilon <= most("epsilon")
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func someOf(r *rand.Rand, words ...string) []string {
	list := []string{pick(r, words...)}
	for _, w := range words {
		if r.IntN(2) == 0 && !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	return list
}

func randomDocument(r *rand.Rand, version int, key string) map[string]any {
	doc := map[string]any{
		"version": version, "dataset": "visits", "about": "visits", "holder": "the clinic", "unit": "patient", "unit_means": "all visits of one",
		"unit_is_event": r.IntN(2) == 0, "people": map[string]any{"at_least": 1, "at_most": 1000, "stated_by": "the clinic"},
		"why": "enough", "decided_by": "Rao", "decided_on": "2019-01-01",
		"largest": pick(r, map[string]any{"epsilon": 0.5, "delta": 1e-6}, map[string]any{"epsilon": 2.0, "delta": 1e-5}, map[string]any{"epsilon": 3.0, "delta": 1e-5},
			map[string]any{"rho": 0.125}, map[string]any{"rho": 0.5, "delta": 1e-6}),
	}
	selected := doc["largest"].(map[string]any)["delta"] != nil
	if r.IntN(5) == 0 {
		doc["people"] = map[string]any{"at_least": 1, "at_most": 1000, "paid_under": key}
	}
	if r.IntN(3) == 0 {
		doc["retain_days"] = pick(r, 3, 10)
	}
	if r.IntN(4) == 0 {
		doc["modules"] = pick(r, []string{module.Version()}, []string{"v0.0.1"}, []string{"v0.0.1", module.Version()})
	}
	least := selected && r.IntN(5) == 0
	if least {
		doc["least_group"] = pick(r, 1, 20, 5000)
	}
	purposes := map[string]any{}
	for _, name := range pick(r, []string{"a", "b"}, someOf(r, "a", "b")) {
		u := map[string]any{
			"reason": "r", "basis": "b", "until": pick(r, "2999-12-31", "2999-12-31", "2999-12-31", "2020-01-01"), "askers": pick(r, []string{"ann", "ben"}, someOf(r, "ann", "ben")),
			"keys": pick(r, "any", "any", "given"), "consent": pick(r, "none", "none", "none", "opt-in", "opt-out"), "groups": someOf(r, "ward", "day", "week", "age"),
			"columns": map[string]any{"x": map[string]any{"lower": 0, "upper": 1 + r.IntN(3)}},
		}
		if r.IntN(2) == 0 {
			u["groups"] = []string{"ward", "day", "week"}
		}
		if least || selected && r.IntN(4) == 0 {
			u["keys"] = "selected"
		}
		purposes[name] = u
	}
	doc["purposes"] = purposes
	return doc
}

func randomAsking(r *rand.Rand, key string) *asking {
	a := &asking{
		kind: pick(r, "plan", "plan", "plan", "series", "alert", "left out", "reserved"), key: key, purpose: pick(r, "a", "b"), analyst: pick(r, "ann", "ann", "ben"),
		group: pick(r, "", "ward", "ward", "age"), given: r.IntN(2) == 0, least: pick(r, 0, 0, 40, 6000), event: r.IntN(8) == 0, consent: pick(r, "", "", "opt-in", "opt-out"),
		retain: pick(r, 0, 3, 10, 40), upper: 1 + r.IntN(3), column: pick(r, "", "x", "x", "y"), units: r.IntN(2) == 0,
		loss: pick(r, dp.Parts{Epsilon: 0.5}, dp.Parts{Epsilon: 2.5}, dp.Parts{Epsilon: 0.5, Delta: 1e-6}, dp.Parts{Epsilon: 2, Delta: 1e-5}, dp.Parts{Rho: 0.0001}, dp.Parts{Rho: 0.5},
			dp.Parts{Rho: 0.0001, Delta: 1e-7}, dp.Parts{Rho: 0.5, Delta: 1e-6}),
	}
	if a.kind == "series" || a.kind == "alert" {
		a.group, a.loss = pick(r, a.group, ""), pick(r, a.loss, dp.Parts{Rho: 0.0001})
		a.step, a.given = pick(r, "day", "week"), true
	}
	return a
}

// Real plans, series, alerts, reservations and questions about opt-outs are decided as a plain reference
// decides, which reads the document as it was written and the question as it was asked.
func TestRealPlansAreDecidedAsAPlainReferenceDecides(t *testing.T) {
	key, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	policies := 20
	if *long {
		policies = 2000
	}
	accepted, refused := map[string]int{}, map[string]int{}
	for seed := range policies {
		r := rand.New(rand.NewPCG(uint64(seed), 13))
		account, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Approx{Epsilon: 1e4, Delta: 0.5}})
		if err != nil {
			t.Fatal(err)
		}
		counted := map[string]bool{}
		for n := range 25 {
			doc := randomDocument(r, n+1, fmt.Sprint("k", max(0, n-3+r.IntN(5))))
			text := putInForce(t, account, doc)
			a := randomAsking(r, fmt.Sprint("k", n))
			err = a.ask(t.Context(), account, key)
			if errors.As(err, new(noPlan)) {
				continue
			}
			want := a.allowed(doc, counted)
			if (err == nil) != want {
				t.Fatalf("seed %d, question %d: %v, and the reference says %t\n%s\n%+v", seed, n, err, want, text, *a)
			}
			if err == nil {
				accepted[a.kind]++
				counted[a.key] = a.kind != "series" && a.kind != "alert" && a.kind != "left out" && a.countsAll()
			} else if refused[a.kind]++; !strings.Contains(err.Error(), "policy") {
				t.Fatalf("seed %d, question %d: %v", seed, n, err)
			}
		}
		if report, err := account.Verify(t.Context()); err != nil || report.AgainstPolicy != nil {
			t.Fatalf("seed %d: %+v, %v", seed, report, err)
		}
	}
	for _, kind := range []string{"plan", "series", "alert", "left out", "reserved"} {
		if accepted[kind] < policies/20 || refused[kind] < policies/20 {
			t.Errorf("%s: %d were accepted and %d refused; the test asks nothing", kind, accepted[kind], refused[kind])
		}
	}
}

// The policy that is shown as an example lets ask how many opt-outs were honoured, of the rows that it
// keeps, and nothing else of who opted out.
func TestHowManyOptedOutCanBeAskedUnderTheExample(t *testing.T) {
	account, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Approx{Epsilon: 2, Delta: 1e-5}})
	if err != nil {
		t.Fatal(err)
	}
	if err := account.SetPolicy(t.Context(), visits(t), "the first", "Rao"); err != nil {
		t.Fatal(err)
	}
	a := &asking{kind: "left out", key: "opt-outs", purpose: "accountability", analyst: "ann", consent: "opt-out", retain: 730, loss: dp.Parts{Epsilon: 0.1}}
	if err := a.ask(t.Context(), account, nil); err != nil {
		t.Error(err)
	}
	for want, edit := range map[string]func(*asking){
		"the question reads all":                 func(a *asking) { a.retain = 0 },
		"the question reads the last 731 days":   func(a *asking) { a.retain = 731 },
		"consent must be opt-out":                func(a *asking) { a.purpose = "opening hours" },
		`column "stay" is none that purpose`:     func(a *asking) { a.kind, a.consent, a.column, a.upper = "plan", "", "stay", 1 },
		`"cleo" may not ask for purpose "accoun`: func(a *asking) { a.analyst = "cleo" },
	} {
		other := *a
		other.key = want
		edit(&other)
		if err := other.ask(t.Context(), account, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// A search for bounds asks by sizes of a value: a policy that lists the name of these groups, which is in the
// charge, allows it, and no other does.
func TestASearchForBoundsIsAllowedByItsName(t *testing.T) {
	account, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 5}})
	if err != nil {
		t.Fatal(err)
	}
	q := (&asking{}).query()
	x := aggregate.PerUnit(q, "x", func(v visit) int64 { return int64(v.x) }, aggregate.Bounds[int64]{Lower: 0, Upper: 1000})
	search, err := aggregate.FindBounds(q, x, dp.Pure{Epsilon: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	r := aggregate.Request{Key: "bounds", Purpose: "a", Analyst: "ann"}
	find := func(version int, keys string, groups ...string) error {
		doc := randomDocument(rand.New(rand.NewPCG(1, 1)), version, "")
		delete(doc, "least_group")
		delete(doc, "retain_days")
		delete(doc, "modules")
		doc["largest"], doc["unit_is_event"], doc["people"] = "epsilon=1,delta=1e-6", false, map[string]any{"at_least": 1, "at_most": 1000, "stated_by": "the clinic"}
		doc["purposes"] = map[string]any{"a": map[string]any{
			"reason": "r", "basis": "b", "until": "2999-12-31", "askers": []string{"ann"}, "keys": keys, "consent": "none", "groups": groups,
			"columns": map[string]any{"x": map[string]any{"lower": 0, "upper": 1000}},
		}}
		putInForce(t, account, doc)
		_, err = search.Run(t.Context(), account, r, aggregate.Slice([]visit{{1, 1, 1}}))
		return err
	}
	name := search.Charge(r).States.Groups
	if err := find(1, "any", "ward"); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("groups by %q are none", name)) {
		t.Errorf("%v, want that the name is not allowed", err)
	}
	if err := find(2, "selected", name); err == nil || !strings.Contains(err.Error(), "groups that are selected") {
		t.Errorf("%v, want that sizes are given", err)
	}
	if err := find(3, "given", name); err != nil {
		t.Error(err)
	}
}

// putInForce sets the policy that a document says, and returns its text.
func putInForce(t *testing.T, account *budget.Account, doc map[string]any) (text []byte) {
	t.Helper()
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := account.SetPolicy(t.Context(), p, "r", "Rao"); err != nil {
		t.Fatal(err)
	}
	return text
}
