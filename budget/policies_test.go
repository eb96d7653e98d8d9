package budget

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/budget/policy"
	"github.com/equipoise-dp/equipoise/dp"
)

var long = flag.Bool("long", false, "try 1,500 histories of policies instead of 40")

// A document is a policy as a test writes it.
type document map[string]any

func visitsPolicy() document {
	return document{
		"version": 1, "dataset": "visits", "about": "visits", "holder": "the clinic", "unit": "patient", "unit_means": "all visits of one",
		"unit_is_event": false, "people": document{"at_least": 100, "at_most": 1000, "stated_by": "the clinic"},
		"largest": "epsilon=1,delta=1e-6", "why": "enough", "decided_by": "Rao", "decided_on": "2026-01-01",
		"purposes": document{
			"opening hours": document{
				"reason": "r", "basis": "b", "until": "2999-12-31", "askers": []string{"ann"}, "keys": "any", "consent": "none",
				"limit": "epsilon=1.5,delta=1e-5", "groups": []string{"ward"},
			},
			"teaching": document{"reason": "r", "basis": "b", "until": "2999-12-31", "askers": []string{"ann", "ben"}, "keys": "any", "consent": "opt-in"},
		},
	}
}

func (d document) policy(t testing.TB) *policy.Policy {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func policyTerms() Terms {
	return Terms{Dataset: "visits", Unit: "patient", Limit: dp.Approx{Epsilon: 100, Delta: 1e-3}, Rule: Basic, Refusals: 100}
}

// policyAccount returns an account with the policy of visitsPolicy, and its store.
func policyAccount(t testing.TB) (*Account, Store) {
	t.Helper()
	s := Memory()
	a, err := Create(t.Context(), s, policyTerms())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.SetPolicy(t.Context(), visitsPolicy().policy(t), "the first", "Rao"); err != nil {
		t.Fatal(err)
	}
	return a, s
}

func policyCharge(key, purpose string, epsilon float64) dp.Charge {
	return dp.Charge{
		Dataset: "visits", Unit: "patient", Purpose: purpose, Key: key, Analyst: "ann", Loss: dp.Pure{Epsilon: epsilon},
		Events: []dp.Event{{Mechanism: dp.Declared, Epsilon: mustRat(epsilon), Count: 1}}, States: &dp.Statement{},
	}
}

func mustRat(x float64) *big.Rat {
	r, _, _ := dp.Parts{Epsilon: x}.Exact()
	return r
}

func refusedBecause(t *testing.T, err error, want string) {
	t.Helper()
	if e, ok := errors.AsType[*RefusedError](err); !ok || !strings.Contains(e.Error(), want) {
		t.Errorf("%v, want a refusal with %q", err, want)
	}
}

func TestAPolicyIsInForceFromItsRecordOn(t *testing.T) {
	a, s := policyAccount(t)
	if _, err := a.Spend(t.Context(), policyCharge("k", "opening hours", 1)); err != nil {
		t.Fatal(err)
	}
	_, err := a.Spend(t.Context(), policyCharge("l", "ads", 1))
	refusedBecause(t, err, `policy: purpose "ads" is none of the policy's`)
	refusedBecause(t, a.Afford(t.Context(), policyCharge("l", "opening hours", 1)), `policy "opening hours" has ε=0.5 δ=1e-05 left of ε=1.5 δ=1e-05`)
	_, then, err := a.HowMany(t.Context(), policyCharge("l", "ads", 1))
	if err != nil || then == nil || then.Scope != "policy" {
		t.Errorf("room: %v, %v", then, err)
	}
	again, err := Open(t.Context(), s, "visits")
	if err != nil {
		t.Fatal(err)
	}
	refusedBecause(t, again.Afford(t.Context(), policyCharge("l", "opening hours", 1)), "left of ε=1.5")
	in, err := again.Policy(t.Context())
	if err != nil || in == nil || in.Entry != 1 || in.Digest != visitsPolicy().policy(t).Digest() {
		t.Errorf("the policy in force is %+v, %v", in, err)
	}
	r, err := again.Verify(t.Context())
	if err != nil || r.AgainstPolicy != nil || r.NotRepeated != nil {
		t.Errorf("%+v, %v", r, err)
	}
	kinds := map[string]int{}
	for e, err := range again.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		kinds[e.Kind]++
		if e.Kind == KindPolicy && (e.Policy == nil || e.By != "Rao" || e.Reason != "the first") {
			t.Errorf("%+v", e)
		}
	}
	if kinds[KindPolicy] != 1 || kinds[KindRefuse] == 0 {
		t.Errorf("entries: %v", kinds)
	}
}

func TestAPurposeIsWithdrawnAloneAndForGood(t *testing.T) {
	a, s := policyAccount(t)
	if err := a.WithdrawPurpose(t.Context(), "teaching", "a patient objected", "Rao"); err != nil {
		t.Fatal(err)
	}
	c := policyCharge("k", "teaching", 0.1)
	c.States.Consent = "opt-in"
	_, err := a.Spend(t.Context(), c)
	refusedBecause(t, err, `purpose "teaching" was withdrawn`)
	if _, err := a.Spend(t.Context(), policyCharge("l", "opening hours", 0.1)); err != nil {
		t.Errorf("another purpose: %v", err)
	}
	next := visitsPolicy()
	next["version"] = 2
	if err := a.SetPolicy(t.Context(), next.policy(t), "r", "Rao"); err == nil || !strings.Contains(err.Error(), "was withdrawn and does not come back") {
		t.Errorf("a policy with it: %v", err)
	}
	delete(next["purposes"].(document), "teaching")
	if err := a.SetPolicy(t.Context(), next.policy(t), "r", "Rao"); err != nil {
		t.Fatal(err)
	}
	for _, purpose := range []string{"teaching", "nothing"} {
		if err := a.WithdrawPurpose(t.Context(), purpose, "r", "Rao"); err == nil {
			t.Errorf("%q was withdrawn again, or is none", purpose)
		}
	}
	if again, err := Open(t.Context(), s, "visits"); err != nil {
		t.Error(err)
	} else if in, err := again.Policy(t.Context()); err != nil || !slices.Equal(in.Withdrawn, []string{"teaching"}) || in.Policy.Version != 2 {
		t.Errorf("%+v, %v", in, err)
	}
}

func TestAPolicyThatDoesNotFitTheAccountIsRefused(t *testing.T) {
	terms := policyTerms()
	terms.Purposes = map[string]dp.Loss{"teaching": dp.Pure{Epsilon: 1}}
	a, err := Create(t.Context(), Memory(), terms)
	if err != nil {
		t.Fatal(err)
	}
	d := visitsPolicy()
	d["dataset"], d["unit"] = "orders", "order"
	err = a.SetPolicy(t.Context(), d.policy(t), "r", "Rao")
	for _, want := range []string{`dataset "orders"`, `unit "order"`, `"opening hours", which is none of the account's terms`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	b, _ := policyAccount(t)
	if err := b.SetPolicy(t.Context(), visitsPolicy().policy(t), "r", "Rao"); err == nil || !strings.Contains(err.Error(), "count up") {
		t.Errorf("the same version: %v", err)
	}
	if err := b.SetPolicy(t.Context(), nil, "r", "Rao"); err == nil {
		t.Error("nil is no policy")
	}
	if err := b.SetPolicy(t.Context(), visitsPolicy().policy(t), "", ""); err == nil {
		t.Error("an act needs a reason and a name")
	}
}

// What a purpose spent before it had a limit counts, and draws are decided like releases.
func TestALimitCountsWhatWasSpentBeforeIt(t *testing.T) {
	a, err := Create(t.Context(), Memory(), policyTerms())
	if err != nil {
		t.Fatal(err)
	}
	whole := policyCharge("year", "opening hours", 1)
	v, err := a.Reserve(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.SetPolicy(t.Context(), visitsPolicy().policy(t), "the first", "Rao"); err != nil {
		t.Fatal(err)
	}
	refusedBecause(t, a.Afford(t.Context(), policyCharge("k", "opening hours", 0.6)), "left of ε=1.5")
	if err := a.Afford(t.Context(), policyCharge("k", "opening hours", 0.5)); err != nil {
		t.Error(err)
	}
	draw := policyCharge("week", "opening hours", 1)
	draw.Analyst = "eve"
	refusedBecause(t, v.Afford(t.Context(), draw), `"eve" may not ask`)
	draw.Analyst = "ann"
	if _, err := v.Spend(t.Context(), draw); err != nil {
		t.Error(err)
	}
	if r, err := a.Verify(t.Context()); err != nil || r.AgainstPolicy != nil {
		t.Errorf("%+v, %v", r, err)
	}
}

// An account without a policy writes the format that earlier versions read.
func TestOnlyPoliciesNeedTheNewFormat(t *testing.T) {
	a, err := Create(t.Context(), Memory(), policyTerms())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Freeze(t.Context(), "r", "Rao"); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := a.Export(t.Context(), &b); err != nil || strings.Contains(b.String(), `"v":3`) {
		t.Errorf("%s, %v", b.String(), err)
	}
	c, s := policyAccount(t)
	if err := c.RecordOutside(t.Context(), Outside{What: "a table", By: "the ministry", On: "2024-05-01"}, "found", "Rao"); err != nil {
		t.Fatal(err)
	}
	n := 0
	for rec, err := range s.Read(t.Context(), "visits", 1) {
		if n++; err != nil || !strings.HasPrefix(string(rec.Data), `{"v":3`) {
			t.Errorf("%s, %v", rec.Data, err)
		}
		if r, err := decodeRecord(seal([]byte(strings.Replace(string(rec.Data[:len(rec.Data)-sealLength])+"}", `{"v":3`, `{"v":2`, 1)))); err == nil {
			t.Errorf("a record of format 2 is of kind %q", r.Kind)
		}
	}
	if n != 2 {
		t.Errorf("%d records", n)
	}
	if err := c.RecordOutside(t.Context(), Outside{Loss: dp.Pure{}}, "r", "Rao"); err == nil {
		t.Error("an outside release without words")
	}
}

// A charge that another program wrote without asking the policy is found.
func TestVerifyFindsWhatThePolicyDoesNotAllow(t *testing.T) {
	a, s := policyAccount(t)
	a.state.policy = nil // as a program that does not know of policies
	for _, c := range []dp.Charge{policyCharge("k", "ads", 1), policyCharge("l", "teaching", 1)} {
		if _, err := a.Spend(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Open(t.Context(), s, "visits")
	if err != nil {
		t.Fatal(err)
	}
	if r, err := again.Verify(t.Context()); err != nil || !slices.Equal(r.AgainstPolicy, []uint64{2, 3}) {
		t.Errorf("%+v, %v", r, err)
	}
}

// What a charge states of what it reads tells no requests apart.
func TestAStatementTellsNoRequestsApart(t *testing.T) {
	a, err := Create(t.Context(), Memory(), policyTerms())
	if err != nil {
		t.Fatal(err)
	}
	c := policyCharge("k", "p", 1)
	c.States = nil
	for _, question := range []string{"", "q"} {
		c.Question, c.Key = question, "k"+question
		if _, err := a.Spend(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		later := c
		later.States = &dp.Statement{Module: "v9"}
		if p, err := a.Spend(t.Context(), later); err != nil || !p.Repeated {
			t.Errorf("question %q: %+v, %v", question, p, err)
		}
		if _, err := a.Keep(t.Context(), later, []byte("x")); err != nil {
			t.Errorf("question %q: %v", question, err)
		}
	}
}

// Random policies and random charges: the account and a plain reference never disagree,
// and a ledger that is read again says the same.
func TestRandomPoliciesAgreeWithAPlainReference(t *testing.T) {
	histories := 40
	if *long {
		histories = 1500
	}
	accepted, refused := 0, 0
	for seed := range histories {
		h := newHistory(t, uint64(seed))
		for range 40 {
			h.step()
		}
		h.verify()
		accepted, refused = accepted+h.accepted, refused+h.refused
	}
	if accepted < histories*3 || refused < histories*3 {
		t.Errorf("%d charges were accepted and %d refused; the test asks nothing", accepted, refused)
	}
}

type history struct {
	t        *testing.T
	seed     uint64
	r        *rand.Rand
	a        *Account
	s        Store
	day      time.Time
	doc      document // in force, or nil
	gone     map[string]bool
	spent    map[string]*big.Rat // ε per purpose, ever
	keys     map[string]bool
	n        int
	accepted int
	refused  int
}

func newHistory(t *testing.T, seed uint64) *history {
	s := Memory()
	a, err := Create(t.Context(), s, policyTerms())
	if err != nil {
		t.Fatal(err)
	}
	h := &history{
		t: t, seed: seed, r: rand.New(rand.NewPCG(seed, 1)), a: a, s: s, day: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		gone: map[string]bool{}, spent: map[string]*big.Rat{}, keys: map[string]bool{},
	}
	a.now = func() time.Time { return h.day }
	return h
}

func (h *history) pick(words ...string) string { return words[h.r.IntN(len(words))] }

func (h *history) some(words ...string) []string {
	list := []string{h.pick(words...)}
	for _, w := range words {
		if h.r.IntN(2) == 0 && !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	return list
}

func (h *history) step() {
	switch h.r.IntN(10) {
	case 0:
		h.setPolicy()
	case 1:
		h.withdraw()
	case 2:
		h.day = h.day.Add(time.Duration(h.r.IntN(40)) * 24 * time.Hour)
	default:
		h.charge()
	}
}

func (h *history) setPolicy() {
	d := visitsPolicy()
	d["version"] = 1
	if h.doc != nil {
		d["version"] = h.doc["version"].(int) + 1
	}
	d["largest"] = fmt.Sprintf("epsilon=%d,delta=1e-6", 1+h.r.IntN(3))
	selected := h.r.IntN(3) == 0
	if selected {
		d["least_group"] = 1 + h.r.IntN(3)
	}
	if h.r.IntN(2) == 0 {
		d["retain_days"] = 1 + h.r.IntN(3)
	}
	d["unit_is_event"] = h.r.IntN(2) == 0
	if h.r.IntN(4) == 0 {
		d["askers_authenticated"] = h.r.IntN(3) > 0
	}
	if h.r.IntN(3) == 0 {
		d["modules"] = h.some("v1", "v2")
	}
	if h.r.IntN(4) == 0 {
		d["people"] = document{"at_least": 1, "at_most": 10, "paid_under": fmt.Sprint("k", max(1, h.n-5+h.r.IntN(10)))}
	}
	purposes := document{}
	for _, name := range h.some("a", "b", "c") {
		if h.gone[name] {
			continue
		}
		u := document{
			"reason": "r", "basis": "b", "until": h.day.AddDate(0, 0, h.r.IntN(60)).Format(time.DateOnly), "askers": h.some("ann", "ben"),
			"keys": h.pick("any", "given", "selected"), "consent": h.pick("none", "opt-in", "opt-out"), "groups": h.some("ward", "month"),
			"columns": document{"x": document{"lower": 0, "upper": 1 + h.r.IntN(3)}},
		}
		if selected {
			u["keys"] = "selected"
		}
		if h.r.IntN(2) == 0 {
			u["limit"] = fmt.Sprintf("epsilon=%d,delta=1e-5", 1+h.r.IntN(9))
		}
		purposes[name] = u
	}
	if d["purposes"] = purposes; len(purposes) == 0 {
		return
	}
	if err := h.a.SetPolicy(h.t.Context(), d.policy(h.t), "r", "Rao"); err != nil {
		h.t.Fatalf("history %d: %v", h.seed, err)
	}
	h.doc = d
}

func (h *history) withdraw() {
	name := h.pick("a", "b", "c")
	_, known := document{}, false
	if h.doc != nil {
		_, known = h.doc["purposes"].(document)[name]
	}
	err := h.a.WithdrawPurpose(h.t.Context(), name, "r", "Rao")
	if want := known && !h.gone[name]; want != (err == nil) {
		h.t.Fatalf("history %d: withdrawing %q: %v", h.seed, name, err)
	}
	if err == nil {
		h.gone[name] = true
	}
}

func (h *history) charge() {
	h.n++
	c := policyCharge(fmt.Sprint("k", h.n), h.pick("a", "b", "c"), []float64{0.25, 1, 2, 3}[h.r.IntN(4)])
	c.Analyst = h.pick("ann", "ben", "")
	c.States = &dp.Statement{
		Grouped: h.r.IntN(2) == 0, Groups: h.pick("ward", "month"), KeysGiven: h.r.IntN(2) == 0, LeastGroup: h.r.IntN(4),
		Consent: h.pick("", "opt-in", "opt-out"), RetainDays: h.r.IntN(4), Module: h.pick("v1", "v2"), Event: h.r.IntN(8) == 0,
		Units: h.r.IntN(3) > 0,
	}
	if h.r.IntN(4) == 0 {
		c.States.Step = h.pick("week", "month")
	}
	if h.r.IntN(2) == 0 {
		c.States.Columns = []dp.StatedColumn{{Name: h.pick("x", "x", "x", "y"), Lower: h.pick("0", "0", "1/2", "-1"), Upper: h.pick("1", "2", "3", "5/2")}}
	}
	if h.r.IntN(12) == 0 {
		c.States = nil
	}
	var asks string // by whom the service knows, if it does
	h.a.Authenticate(nil)
	if h.r.IntN(2) == 0 {
		asks = h.pick("ann", "ann", "ben", "eve")
		h.a.Authenticate(bySession{})
	}
	ctx := as(h.t.Context(), asks)
	want := (asks == "" || asks == c.Analyst) && h.reference(c, asks != "")
	if err := h.a.Afford(ctx, c); (err == nil) != want {
		h.t.Fatalf("history %d: charge %d: %v, and the reference says %t\n%v\n%+v", h.seed, h.n, err, want, h.doc, c.States)
	}
	_, err := h.a.Spend(ctx, c)
	if (err == nil) != want {
		h.t.Fatalf("history %d: charge %d: Spend says %v, and Afford %t", h.seed, h.n, err, want)
	}
	if err != nil {
		h.refused++
		return
	}
	h.accepted++
	h.keys[c.Key] = c.States != nil && countsAll(c.States)
	h.spent[c.Purpose] = new(big.Rat).Add(h.sum(c.Purpose), c.Events[0].Epsilon)
}

func countsAll(s *dp.Statement) bool { return s.Units && !s.Grouped && s.Step == "" }

func (h *history) sum(purpose string) *big.Rat {
	if h.spent[purpose] == nil {
		return new(big.Rat)
	}
	return h.spent[purpose]
}

// reference is the policy in words of one line each, of the document as it was written.
func (h *history) reference(c dp.Charge, vouched bool) bool {
	if h.doc == nil {
		return true
	}
	u, ok := h.doc["purposes"].(document)[c.Purpose].(document)
	if !ok || h.gone[c.Purpose] || c.States == nil {
		return false
	}
	s, epsilon := c.States, c.Loss.(dp.Pure).Epsilon
	paid, _ := h.doc["people"].(document)["paid_under"].(string)
	modules, pinned := h.doc["modules"].([]string)
	least, _ := h.doc["least_group"].(int)
	retain, retained := h.doc["retain_days"].(int)
	var largest, limit float64
	fmt.Sscanf(h.doc["largest"].(string), "epsilon=%g,", &largest)
	if text, ok := u["limit"].(string); ok {
		fmt.Sscanf(text, "epsilon=%g,", &limit)
	}
	sum, _ := h.sum(c.Purpose).Float64() // quarters, which are exact
	rules := []bool{
		h.day.Format(time.DateOnly) <= u["until"].(string),
		slices.Contains(u["askers"].([]string), c.Analyst),
		h.doc["askers_authenticated"] != true || vouched,
		epsilon <= largest,
		limit == 0 || sum+epsilon <= limit,
		paid == "" || h.keys[paid] || paid == c.Key && countsAll(s),
		s.Step == "" || slices.Contains(u["groups"].([]string), s.Step) && u["keys"] != "selected",
		!s.Event || h.doc["unit_is_event"].(bool),
		!pinned || slices.Contains(modules, s.Module),
		u["consent"] == "none" || u["consent"] == s.Consent,
		!retained || s.RetainDays > 0 && s.RetainDays <= retain,
		!s.Grouped || slices.Contains(u["groups"].([]string), s.Groups),
		!s.Grouped || u["keys"] == "any" || (u["keys"] == "given") == s.KeysGiven,
		!s.Grouped || s.LeastGroup >= least,
	}
	value := map[string]float64{"0": 0, "1/2": 0.5, "-1": -1, "1": 1, "2": 2, "5/2": 2.5, "3": 3}
	for _, col := range s.Columns {
		upper := float64(u["columns"].(document)["x"].(document)["upper"].(int))
		rules = append(rules, col.Name == "x", value[col.Lower] >= 0, value[col.Upper] <= upper)
	}
	return !slices.Contains(rules, false)
}

func (h *history) verify() {
	h.t.Helper()
	again, err := Open(h.t.Context(), h.s, "visits")
	if err != nil {
		h.t.Fatalf("history %d: %v", h.seed, err)
	}
	r, err := again.Verify(h.t.Context())
	if err != nil || r.AgainstPolicy != nil || r.NotRepeated != nil || r.Charges != h.accepted {
		h.t.Fatalf("history %d: %+v, %v", h.seed, r, err)
	}
	if got, want := again.state.bought, h.a.state.bought; !maps.Equal(got, want) {
		h.t.Fatalf("history %d: %v is bought, and %v when read again", h.seed, want, got)
	}
	if got, want := len(again.state.filters), len(h.a.state.filters); got != want {
		h.t.Fatalf("history %d: limits %v, and %v when read again", h.seed, want, got)
	}
}

// A series that was paid for before its periods were stated goes on under the policy, and
// Verify says so; a new one is refused when it is reserved.
func TestAPaidSeriesOfAnEarlierVersionGoesOn(t *testing.T) {
	a, s := policyAccount(t)
	whole := policyCharge("series", "opening hours", 1)
	whole.Question, whole.Events[0].Count = "q", 1
	v, err := a.Reserve(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	draw := policyCharge("series 2026-W05", "opening hours", 1)
	draw.Question, draw.States.Step = "q", "week"
	for _, account := range []func(context.Context, dp.Charge) error{
		v.Afford, func(ctx context.Context, c dp.Charge) error { _, err := v.Spend(ctx, c); return err },
	} {
		if err := account(t.Context(), draw); err != nil {
			t.Error(err)
		}
	}
	later := policyCharge("later", "opening hours", 0.25)
	later.Question, later.States.Step = "q", "week"
	_, err = a.Reserve(t.Context(), later)
	refusedBecause(t, err, `numbers of every week are groups by "week"`)
	again, err := Open(t.Context(), s, "visits")
	if err != nil {
		t.Fatal(err)
	}
	if r, err := again.Verify(t.Context()); err != nil || r.AgainstPolicy != nil {
		t.Errorf("%+v, %v", r, err)
	}
}

// Only a number of all units pays for how many there are, also if it was paid before the
// checkpoint from which the account was opened.
// A reservation releases nothing yet, and a part of the dataset is not all of it.
func TestAReservationAndAPartCountNotAll(t *testing.T) {
	a, err := Create(t.Context(), Memory(), policyTerms())
	if err != nil {
		t.Fatal(err)
	}
	all := policyCharge("how many", "opening hours", 0.25)
	all.States.Units = true
	part := all
	part.Dataset += "/2026"
	for _, c := range []struct {
		charge   *dp.Charge
		reserves bool
		want     string
	}{{&all, false, all.Unit}, {&all, true, ""}, {&part, false, ""}, {&part, true, ""}} {
		if got := a.state.counts(c.charge, c.reserves); got != c.want || all.Unit == "" {
			t.Errorf("%s, reserved is %t: counts all %q, want %q", c.charge.Dataset, c.reserves, got, c.want)
		}
	}
}

func TestTheNumberOfUnitsIsPaidByNothingElse(t *testing.T) {
	tails(t, 4)
	for name, c := range map[string]struct {
		edit func(*dp.Charge)
		ok   bool
	}{
		"a number of units":  {func(*dp.Charge) {}, true},
		"another number":     {func(c *dp.Charge) { c.States.Units = false }, false},
		"of who is left out": {func(c *dp.Charge) { c.States.LeftOut = true }, false},
		"of each ward":       {func(c *dp.Charge) { c.States.Grouped, c.States.Groups = true, "ward" }, false},
		"of each week":       {func(c *dp.Charge) { c.States.Step = "week" }, false},
	} {
		s := Memory()
		a, err := Create(t.Context(), s, policyTerms())
		if err != nil {
			t.Fatal(err)
		}
		counted := policyCharge("how many", "opening hours", 0.25)
		counted.States.Units = true
		c.edit(&counted)
		if _, err := a.Spend(t.Context(), counted); err != nil {
			t.Fatal(err)
		}
		for i := range 8 {
			if _, err := a.Spend(t.Context(), policyCharge(fmt.Sprint("other ", i), "opening hours", 0.0625)); err != nil {
				t.Fatal(err)
			}
		}
		d := visitsPolicy()
		d["people"] = document{"at_least": 100, "at_most": 1000, "paid_under": "how many"}
		if err := a.SetPolicy(t.Context(), d.policy(t), "the first", "Rao"); err != nil {
			t.Fatal(err)
		}
		again, err := Open(t.Context(), s, "visits")
		if err != nil {
			t.Fatal(err)
		}
		if _, before := again.state.old.find("how many"); !before {
			t.Fatal("it was not paid before the checkpoint")
		}
		for _, asked := range []*Account{a, again} {
			if err := asked.Afford(t.Context(), policyCharge("k", "opening hours", 0.25)); (err == nil) != c.ok {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// What was paid and not answered yet is answered only if the policy allows it now, also by somebody who has not
// heard of the change; what was kept is given out, and a reservation can still be named.
func TestWhatIsPaidAndNotAnsweredIsHeldToThePolicyInForce(t *testing.T) {
	a, s := policyAccount(t)
	other, err := Open(t.Context(), s, "visits")
	if err != nil {
		t.Fatal(err)
	}
	pay := func(key string, keep bool) dp.Charge {
		c := policyCharge(key, "teaching", 0.1)
		c.States.Consent = "opt-in"
		if _, err := other.Spend(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if keep {
			if _, err := other.Keep(t.Context(), c, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		return c
	}
	open, kept := pay("open", false), pay("kept", true)
	whole := policyCharge("whole", "teaching", 0.2)
	whole.States.Consent = "opt-in"
	v, err := other.Reserve(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	part := policyCharge("part", "teaching", 0.2)
	part.States.Consent = "opt-in"
	if _, err := v.Spend(t.Context(), part); err != nil {
		t.Fatal(err)
	}
	if err := a.WithdrawPurpose(t.Context(), "teaching", "a patient objected", "Rao"); err != nil {
		t.Fatal(err)
	}
	_, err = other.Spend(t.Context(), open)
	refusedBecause(t, err, `purpose "teaching" was withdrawn`)
	refusedBecause(t, other.Afford(t.Context(), open), `purpose "teaching" was withdrawn`)
	_, err = v.Spend(t.Context(), part)
	refusedBecause(t, err, `purpose "teaching" was withdrawn`)
	refusedBecause(t, v.Afford(t.Context(), part), `purpose "teaching" was withdrawn`)
	if p, err := other.Spend(t.Context(), kept); err != nil || string(p.Kept) != "x" {
		t.Errorf("what was kept: %+v, %v", p, err)
	}
	if _, err := other.Reserve(t.Context(), whole); err != nil {
		t.Errorf("the reservation: %v", err)
	}
}
