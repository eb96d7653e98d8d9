package main

import (
	"crypto/hpke"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/aggregate/consent"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/policy"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/module"
)

// unread are rows that nobody may read.
func unread(t *testing.T) iter.Seq2[stayed, error] {
	return func(yield func(stayed, error) bool) {
		t.Error("a row was read")
		yield(stayed{}, nil)
	}
}

// clinicAccount is an account with the policy of a ledger that is kept by the rules.
func clinicAccount(t *testing.T, change func(c *clinic)) *budget.Account {
	t.Helper()
	c := allWell()
	c.policy["modules"] = []string{module.Version()}
	change(c)
	a, err := budget.Create(t.Context(), budget.Memory(), c.terms)
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Parse(asJSON(t, c.policy))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.SetPolicy(t.Context(), p, "the first", "Rao"); err != nil {
		t.Fatal(err)
	}
	return a
}

// daysAreGroups lets a series be asked.
func daysAreGroups(c *clinic) {
	delete(c.policy, "least_group")
	c.purpose()["keys"], c.purpose()["groups"] = "any", []string{"day"}
}

// What the policy does not allow is refused before a row is read, and is on record.
func TestNoRowIsReadForWhatThePolicyRefuses(t *testing.T) {
	a := clinicAccount(t, func(*clinic) {})
	for want, edit := range map[string]func(*aggregate.Query[stayed, int, string], *aggregate.Request){
		`purpose "ads" is none`:    func(_ *aggregate.Query[stayed, int, string], r *aggregate.Request) { r.Purpose = "ads" },
		`"eve" may not ask`:        func(_ *aggregate.Query[stayed, int, string], r *aggregate.Request) { r.Analyst = "eve" },
		`it does not say who asks`: func(_ *aggregate.Query[stayed, int, string], r *aggregate.Request) { r.Analyst = "" },
		`groups by "age" are none`: func(q *aggregate.Query[stayed, int, string], _ *aggregate.Request) { q.GroupName = "age" },
		`groups that are selected`: func(q *aggregate.Query[stayed, int, string], _ *aggregate.Request) {
			q.Groups, q.LeastGroup = []string{"A"}, 0
		},
		`the question reads all`: func(q *aggregate.Query[stayed, int, string], _ *aggregate.Request) { q.Retention = nil },
	} {
		q := clinicQuery()
		r := aggregate.Request{Key: want, Purpose: "opening hours", Analyst: "ann"}
		edit(q, &r)
		plan, err := q.Plan(dp.Approx{Epsilon: 0.5, Delta: 1e-6}, q.Count())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := plan.Run(t.Context(), a, r, unread(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	refused := 0
	for e, err := range a.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Refused != nil && e.Refused.Scope == "policy" {
			refused++
		}
	}
	if refused != 6 {
		t.Errorf("%d refusals are on record, want 6", refused)
	}
}

// A series of what the policy does not allow, or of more, is refused when it is reserved: no row is read,
// and nothing is spent.
func TestASeriesThatThePolicyRefusesReadsAndSpendsNothing(t *testing.T) {
	a := clinicAccount(t, daysAreGroups)
	q := clinicQuery()
	q.Group, q.GroupName, q.LeastGroup = nil, "", 0
	age := aggregate.PerUnit(q, "age", func(r stayed) int64 { return r.stay }, aggregate.Bounds[int64]{Lower: 0, Upper: 50})
	series := aggregate.Series[stayed, int, string]{
		Query: q, Time: func(stayed) time.Time { return time.Time{} }, Zone: time.UTC, Step: aggregate.Day, First: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		Periods: 3, Views: []aggregate.View{aggregate.EachPeriod(1)}, AtOnce: true,
	}
	spent := func() string {
		st, err := a.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(st.Whole.Spent)
	}
	before := spent()
	for want, c := range map[string]struct {
		loss   dp.Loss
		column aggregate.AnyColumn
	}{
		`column "age" is none`:     {dp.Approx{Epsilon: 0.5, Delta: 1e-6}, age.Sum()},
		"is more than ε=1 δ=1e-06": {dp.Approx{Epsilon: 1.5, Delta: 1e-6}, q.Count()},
	} {
		plan, err := series.Plan(c.loss, c.column)
		if err != nil {
			t.Fatal(err)
		}
		r := aggregate.Request{Key: want, Purpose: "opening hours", Analyst: "ann"}
		if _, err := aggregate.Advance(t.Context(), plan, a, r, 3, unread(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if after := spent(); after != before {
			t.Errorf("%s: %v is spent, was %v", want, after, before)
		}
	}
}

// What is left of a series or of an alert is refused before a row is read, once its purpose was withdrawn, and what
// was released is given out.
func TestNoRowIsReadForAPurposeThatWasWithdrawn(t *testing.T) {
	a := clinicAccount(t, daysAreGroups)
	q := clinicQuery()
	q.Group, q.GroupName, q.LeastGroup = nil, "", 0
	first := time.Now().UTC().AddDate(0, 0, -3)
	at := func(stayed) time.Time { return first }
	series := aggregate.Series[stayed, int, string]{
		Query: q, Time: at, Zone: time.UTC, Step: aggregate.Day, First: first, Periods: 3, Views: []aggregate.View{aggregate.EachPeriod(1)},
	}
	trend, err := series.Plan(dp.Approx{Epsilon: 0.5, Delta: 1e-6}, q.Units())
	if err != nil {
		t.Fatal(err)
	}
	alert := aggregate.Alert[stayed, int, string]{
		Query: q, Time: at, Zone: time.UTC, Step: aggregate.Day, First: first, Periods: 3, When: aggregate.Above(1000), Most: 1,
	}
	watch, err := alert.Plan(dp.Pure{Epsilon: 0.5}, q.Units())
	if err != nil {
		t.Fatal(err)
	}
	key, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	run := func(through int, rows iter.Seq2[stayed, error]) []error {
		_, asked := aggregate.Advance(t.Context(), trend, a, aggregate.Request{Key: "series", Purpose: "opening hours", Analyst: "ann"}, through, rows)
		_, watched := aggregate.Watch(t.Context(), watch, a, key, aggregate.Request{Key: "alert", Purpose: "opening hours", Analyst: "ann"}, through, rows)
		return []error{asked, watched}
	}
	if err := errors.Join(run(1, aggregate.Slice([]stayed{{who: 1}}))...); err != nil {
		t.Fatal(err)
	}
	if err := a.WithdrawPurpose(t.Context(), "opening hours", "a patient objected", "Rao"); err != nil {
		t.Fatal(err)
	}
	for _, err := range run(2, unread(t)) {
		if err == nil || !strings.Contains(err.Error(), `purpose "opening hours" was withdrawn`) {
			t.Errorf("%v, want that the purpose was withdrawn", err)
		}
	}
	if err := errors.Join(run(1, unread(t))...); err != nil {
		t.Errorf("what was released: %v", err)
	}
}

func TestALargeReleaseAndAColumnThatIsNotAllowedAreRefused(t *testing.T) {
	a := clinicAccount(t, func(*clinic) {})
	q := clinicQuery()
	wide := aggregate.PerUnit(q, "stay", func(r stayed) int64 { return r.stay }, aggregate.Bounds[int64]{Lower: 0, Upper: 101})
	age := aggregate.PerUnit(q, "age", func(r stayed) int64 { return r.stay }, aggregate.Bounds[int64]{Lower: 0, Upper: 50})
	for want, p := range map[string]struct {
		loss   dp.Loss
		column aggregate.AnyColumn
	}{
		"is more than ε=1 δ=1e-06": {dp.Approx{Epsilon: 1.5, Delta: 1e-6}, q.Count()},
		"must be within [0, 100]":  {dp.Approx{Epsilon: 0.5, Delta: 1e-6}, wide.Sum()},
		`column "age" is none`:     {dp.Approx{Epsilon: 0.5, Delta: 1e-6}, age.Mean()},
	} {
		plan, err := q.Plan(p.loss, p.column)
		if err != nil {
			t.Fatal(err)
		}
		r := aggregate.Request{Key: want, Purpose: "opening hours", Analyst: "ann"}
		if _, err := plan.Run(t.Context(), a, r, unread(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// A policy that asks for consent is satisfied by a query that asks, and by no other; who
// said no is not in the next release, and in the receipt stands that units were asked.
func TestAPolicyThatAsksForConsentGetsIt(t *testing.T) {
	a := clinicAccount(t, func(c *clinic) { c.purpose()["consent"] = "opt-out" })
	q := clinicQuery()
	ask := func(key string) (*aggregate.Release[string], error) {
		plan, err := q.Plan(dp.Approx{Epsilon: 0.5, Delta: 1e-6}, q.Units())
		if err != nil {
			t.Fatal(err)
		}
		var rows []stayed
		for who := range 500 {
			rows = append(rows, stayed{who: who, ward: "A"})
		}
		return plan.Run(t.Context(), a, aggregate.Request{Key: key, Purpose: "opening hours", Analyst: "ann"}, aggregate.Slice(rows))
	}
	if _, err := ask("none"); err == nil || !strings.Contains(err.Error(), "consent must be opt-out, and the question has none") {
		t.Errorf("%v", err)
	}
	file := consent.File[int]{Path: t.TempDir() + "/consent.csv", Text: func(who int) string { return fmt.Sprint(who) }}
	q.Consent = &aggregate.Consent[int]{Mode: aggregate.OptOut, Purpose: "opening hours", Source: file}
	if _, err := ask("no file"); err == nil || !strings.Contains(err.Error(), "consent could not be asked") {
		t.Errorf("%v", err)
	}
	writeFile(t, file.Path, "unit,purpose,choice\n")
	all, err := ask("May")
	if err != nil || all.Len() != 1 || all.Receipt().States.Consent != "opt-out" {
		t.Fatalf("%v, %v", all, err)
	}
	nobody := "unit,purpose,choice\n"
	for who := range 500 {
		nobody += fmt.Sprintf("%d,*,no\n", who)
	}
	writeFile(t, file.Path, nobody)
	if none, err := ask("June"); err != nil || none.Len() != 0 {
		t.Errorf("%d groups are shown after everybody said no, %v", none.Len(), err)
	}
	if again, err := ask("May"); err != nil || again.Len() != 1 {
		t.Errorf("what was published before: %v", err)
	}
}

// The words for a loss stand in the receipt too.
func TestAReceiptNamesWhatProtectsNobody(t *testing.T) {
	a, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 20}})
	if err != nil {
		t.Fatal(err)
	}
	q := clinicQuery()
	q.Groups, q.LeastGroup = []string{"A"}, 0
	plan, err := q.Plan(dp.Pure{Epsilon: 12}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	release, err := plan.Run(t.Context(), a, aggregate.Request{Key: "k", Purpose: "p"}, aggregate.Slice([]stayed{}))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(asJSON(t, release.Receipt())); !strings.Contains(text, `"protects":"this protects nobody"`) {
		t.Error(text)
	}
	if e, ok := errors.AsType[*budget.RefusedError](a.Afford(t.Context(), plan.Charge(aggregate.Request{Key: "l", Purpose: "p"}))); !ok {
		t.Errorf("%v", e)
	}
}
