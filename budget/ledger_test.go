package budget

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// busy returns an account with every kind of record and every kind of limit.
func busy(t testing.TB) *Account {
	t.Helper()
	terms := testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6})
	terms.Purposes = map[string]dp.Loss{"research": dp.Approx{Epsilon: 0.9, Delta: 9e-7}}
	terms.Period = dp.Approx{Epsilon: 0.8, Delta: 8e-7}
	terms.Analyst = dp.Approx{Epsilon: 0.7, Delta: 7e-7}
	a := newAccount(t, terms)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	label := func(c dp.Charge) dp.Charge {
		c.Periods, c.Analyst = []string{"2026-01", "2026-02"}, "ann"
		return c
	}
	for i := range 3 {
		c := label(gaussianCharge(fmt.Sprint("g", i), dp.Approx{Epsilon: 0.2, Delta: 1e-7}, 100))
		must(second(a.Spend(t.Context(), c)))
		must(second(a.Keep(t.Context(), c, []byte("release\n"+c.Key))))
	}
	must(a.Freeze(t.Context(), "incident 7", "officer"))
	must(a.Thaw(t.Context(), "it was nothing", "officer"))
	must(a.Raise(t.Context(), dp.Approx{Epsilon: 2, Delta: 1e-6}, "board of May", "officer"))
	whole := label(testCharge("plan", dp.Approx{Epsilon: 0.2, Delta: 1e-7}))
	whole.Events = []dp.Event{laplaceCharge("", dp.Pure{}, 40).Events[0]}
	whole.Events[0].Count = 4
	v, err := a.Reserve(t.Context(), whole)
	must(err)
	for i := range 2 {
		must(second(v.Spend(t.Context(), label(laplaceCharge(fmt.Sprint("draw", i), dp.Pure{Epsilon: 0.025}, 40)))))
	}
	return a
}

func TestVerifyReadsTheWholeLedger(t *testing.T) {
	a := busy(t)
	r, err := a.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Charges != 6 || r.Releases != 3 || r.Uncovered != nil || r.NotRepeated != nil || r.Backdated != nil || r.Anchor.Seq != 12 {
		t.Errorf("report is %+v", r)
	}
	status, err := a.Status(t.Context())
	if err != nil || fmt.Sprint(status) != fmt.Sprint(r.Status) {
		t.Errorf("recomputed:\n%+v\nin memory:\n%+v\n%v", r.Status, status, err)
	}
	kinds := ""
	for e, err := range a.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		kinds += e.Kind + " "
	}
	if want := "create spend keep spend keep spend keep freeze thaw raise reserve draw draw "; kinds != want {
		t.Errorf("kinds are %q, want %q", kinds, want)
	}
}

// E7: flips every byte of every record, and drops, swaps and
// repeats records: all of it is found, flips without an anchor too.
func TestEveryFlippedByteIsFound(t *testing.T) {
	a := busy(t)
	anchor, err := a.Anchor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var records []Record
	for rec := range a.store.Read(t.Context(), "visits", 0) {
		records = append(records, rec)
	}
	try := func(what string, change func([]Record) []Record, anchors ...Anchor) {
		t.Helper()
		copied := make([]Record, len(records))
		for i, r := range records {
			copied[i] = Record{Seq: r.Seq, Data: bytes.Clone(r.Data)}
		}
		s := Memory()
		for i, r := range change(copied) {
			if err := s.Append(t.Context(), "visits", Record{Seq: uint64(i), Data: r.Data}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Open(t.Context(), s, "visits", anchors...); err == nil {
			t.Errorf("%s: opened", what)
		}
	}
	for i, r := range records {
		for j := range r.Data {
			try(fmt.Sprintf("record %d, byte %d", i, j), func(rs []Record) []Record {
				rs[i].Data[j] ^= 1 << (j % 8)
				return rs
			})
		}
		try(fmt.Sprintf("without record %d", i), func(rs []Record) []Record { return append(rs[:i], rs[i+1:]...) }, anchor)
		try(fmt.Sprintf("up to record %d", i), func(rs []Record) []Record { return rs[:i] }, anchor)
		try(fmt.Sprintf("record %d twice", i), func(rs []Record) []Record { return append(rs[:i+1], rs[i:]...) }, anchor)
	}
}

// A program that declares less than its events cost is refused, whichever way
// the events would be paid.
func TestDeclaredLossMustHoldForTheEvents(t *testing.T) {
	for _, c := range []dp.Charge{
		laplaceCharge("pure", dp.Pure{Epsilon: 0.24}, 4),
		laplaceCharge("approx", dp.Approx{Epsilon: 0.2, Delta: 1e-9}, 4),
		gaussianCharge("gaussian", dp.Approx{Epsilon: 1, Delta: 1e-7}, 4),
		gaussianCharge("concentrated", dp.Concentrated{Rho: 0.031}, 4),
		gaussianCharge("no delta", dp.Pure{Epsilon: 9}, 4),
	} {
		a := newAccount(t, testTerms(dp.Approx{Epsilon: 20, Delta: 1e-3}))
		if _, err := a.Spend(t.Context(), c); err == nil || !strings.Contains(err.Error(), "declare a larger loss") {
			t.Errorf("%s: %v was accepted for events that cost more: %v", c.Key, c.Loss, err)
		}
		if spent := spentOf(t, a); spent != nil {
			t.Errorf("%s: %v spent", c.Key, spent)
		}
	}
}

func TestANewerFormatIsRefused(t *testing.T) {
	s := Memory()
	if err := s.Append(t.Context(), "visits", Record{Data: []byte(`{"v":5,"what":"ever"}`)}); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), s, "visits"); !errors.Is(err, ErrVersion) {
		t.Errorf("Open of a newer format: %v, want ErrVersion", err)
	}
}

func TestAnExportIsReadBackWhole(t *testing.T) {
	a := busy(t)
	var out bytes.Buffer
	if err := a.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	exported := out.String()
	s := Memory()
	b, err := Import(t.Context(), s, strings.NewReader(exported))
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := b.Export(t.Context(), &again); err != nil || again.String() != exported {
		t.Errorf("what was imported exports otherwise, %v", err)
	}
	if p, err := b.Payment(t.Context(), "g1"); err != nil || string(p.Kept) != "release\ng1" {
		t.Errorf("kept release is %q, %v", p.Kept, err)
	}
	if _, err := Import(t.Context(), s, strings.NewReader(exported)); !errors.Is(err, ErrExists) {
		t.Errorf("second import: %v, want ErrExists", err)
	}
	lines := strings.SplitAfter(exported, "\n")
	lines[2] = strings.Replace(lines[2], `"100"`, `"900"`, 1)
	if _, err := Import(t.Context(), Memory(), strings.NewReader(strings.Join(lines, ""))); !errors.Is(err, ErrTampered) {
		t.Errorf("import of a changed line: %v, want ErrTampered", err)
	}
}

func TestExportDPAccounting(t *testing.T) {
	a := newAccount(t, testTerms(dp.Approx{Epsilon: 9, Delta: 1e-6}))
	c := gaussianCharge("g", dp.Approx{Epsilon: 4, Delta: 1e-7}, 4)
	c.Events[0].Count = 3
	c.Events = append(c.Events, declared(dp.Approx{Epsilon: 0.5, Delta: 1e-8}))
	if _, err := a.Spend(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := a.ExportDPAccounting(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Class  string `json:"class_name"`
		Events []struct {
			Class string `json:"class_name"`
			Count int
			Event struct {
				Noise float64 `json:"noise_multiplier"`
			}
			Epsilon, Delta float64
		}
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Class != "ComposedDpEvent" || len(got.Events) != 2 || got.Events[0].Class != "SelfComposedDpEvent" ||
		got.Events[0].Count != 3 || got.Events[0].Event.Noise < 3.999 || got.Events[0].Event.Noise > 4 ||
		got.Events[1].Class != "EpsilonDeltaDpEvent" || got.Events[1].Epsilon != 0.5 || got.Events[1].Delta != 1e-8 {
		t.Errorf("exported %s", out.String())
	}
}

func TestAFrozenAccountPaysNothing(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	kept, paid := testCharge("kept", dp.Pure{Epsilon: 0.1}), testCharge("paid", dp.Pure{Epsilon: 0.1})
	for _, c := range []dp.Charge{kept, paid} {
		if _, err := a.Spend(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Keep(t.Context(), kept, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := a.Freeze(t.Context(), "incident", ""); err == nil {
		t.Error("frozen by nobody")
	}
	if err := a.Freeze(t.Context(), "incident", "officer"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Spend(t.Context(), kept); err != nil {
		t.Errorf("a release that is out already: %v", err)
	}
	for _, c := range []dp.Charge{paid, testCharge("new", dp.Pure{Epsilon: 0.1})} {
		_, err := a.Spend(t.Context(), c)
		if e, ok := errors.AsType[*RefusedError](err); !ok || !e.Frozen {
			t.Errorf("%s while frozen: %v, want a refusal", c.Key, err)
		}
	}
	if err := a.Thaw(t.Context(), "over", "officer"); err != nil {
		t.Fatal(err)
	}
	if err := a.Thaw(t.Context(), "over", "officer"); err == nil {
		t.Error("thawed twice")
	}
	if _, err := a.Spend(t.Context(), paid); err != nil {
		t.Errorf("after the thaw: %v", err)
	}
}

func TestRaiseOnlyUp(t *testing.T) {
	a := newAccount(t, testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6}))
	for _, l := range []dp.Loss{
		dp.Approx{Epsilon: 0.9, Delta: 1e-5}, dp.Approx{Epsilon: 1, Delta: 1e-6}, dp.Pure{Epsilon: 5}, dp.Concentrated{Rho: 5}, nil,
	} {
		if err := a.Raise(t.Context(), l, "why not", "officer"); err == nil {
			t.Errorf("the limit became %v", l)
		}
	}
}

// What a refusal or a status says is left is accepted, as the
// decimals that are shown, under every rule and after any history.
func TestWhatIsSaidToBeLeftIsAccepted(t *testing.T) {
	for _, rule := range []Rule{Default, Basic, GDP, ZCDP} {
		for history := range 6 {
			terms := testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6})
			terms.Rule = rule
			if rule == GDP || rule == ZCDP {
				terms.EventShare = 0.3
			}
			a := newAccount(t, terms)
			for i := range history {
				c := laplaceCharge(fmt.Sprint("h", i), dp.Pure{Epsilon: 0.1}, 10)
				if i%2 == 1 {
					c = gaussianCharge(fmt.Sprint("h", i), dp.Approx{Epsilon: 0.3, Delta: 1e-8}, 40)
				}
				if _, err := a.Spend(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			status, err := a.Status(t.Context())
			left := status.Whole.Left
			if err != nil || left == nil {
				t.Fatalf("left: %v, %v", left, err)
			}
			if err := a.Afford(t.Context(), testCharge("left", left)); err != nil {
				t.Errorf("rule %v, history %d: what is left does not fit: %v", rule, history, err)
			}
			for _, asked := range []dp.Loss{dp.Pure{Epsilon: 2}, dp.Approx{Epsilon: 2, Delta: 1e-7}, dp.Approx{Epsilon: 0.01, Delta: 0.5}, dp.Concentrated{Rho: 2}} {
				_, err := a.Spend(t.Context(), testCharge("asked", asked))
				e, ok := errors.AsType[*RefusedError](err)
				if !ok {
					t.Fatalf("rule %v: %v was not refused: %v", rule, asked, err)
				}
				if e.Fits == nil {
					if e.Reason == "" {
						t.Errorf("rule %v, history %d: of %v nothing fits and no reason is given: %v", rule, history, asked, e)
					}
					continue
				}
				if err := a.Afford(t.Context(), testCharge("fits", e.Fits)); err != nil {
					t.Errorf("rule %v, history %d: of %v, %v should fit: %v", rule, history, asked, e.Fits, err)
				}
			}
		}
	}
}

func TestKindsOfLoss(t *testing.T) {
	pure := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	_, err := pure.Spend(t.Context(), testCharge("k", dp.Approx{Epsilon: 0.1, Delta: 1e-9}))
	want := `budget: account "visits" refused ε=0.1 δ=1e-09: account: its limit is a dp.Pure, which takes only charges that are dp.Pure; ε=0.1 fits`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %v", err, want)
	}
	rho := newAccount(t, testTerms(dp.Concentrated{Rho: 0.5}))
	if _, err := rho.Spend(t.Context(), testCharge("pure", dp.Pure{Epsilon: 0.5})); err != nil { // ρ = 1/8
		t.Error(err)
	}
	if _, err := rho.Spend(t.Context(), testCharge("rho", dp.Concentrated{Rho: 0.375})); err != nil {
		t.Error(err)
	}
	if l := spentOf(t, rho); l != (dp.Concentrated{Rho: 0.5}) {
		t.Errorf("spent %v, want ρ=0.5", l)
	}
	approx := newAccount(t, testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6}))
	if _, err := approx.Spend(t.Context(), testCharge("rho", dp.Concentrated{Rho: 0.01})); err != nil {
		t.Error(err)
	}
	for _, terms := range []Terms{
		{Dataset: "x", Limit: dp.Pure{Epsilon: 1}, Rule: GDP},
		{Dataset: "x", Limit: dp.Concentrated{Rho: 1}, Rule: Basic},
		{Dataset: "x", Limit: dp.Pure{Epsilon: 1}, Rule: 17},
		{Dataset: "x"},
		{Dataset: "x", Limit: dp.Pure{Epsilon: 1}, Purposes: map[string]dp.Loss{}},
		{Dataset: "x", Limit: dp.Pure{Epsilon: 1}, EventShare: 1},
	} {
		if _, err := Create(t.Context(), Memory(), terms); err == nil {
			t.Errorf("terms %+v were accepted", terms)
		}
	}
	err = Terms{Dataset: "x", Limit: dp.Pure{Epsilon: 1}, EventShare: 1.5, Refusals: 1001}.Check()
	if err == nil || !strings.Contains(err.Error(), "Terms.EventShare is 1.5, ") || !strings.Contains(err.Error(), "Terms.Refusals is 1001, ") {
		t.Errorf("%v, want both fields and their values", err)
	}
}

func TestAReservationIsPaidOnceAndDrawnInParts(t *testing.T) {
	a := newAccount(t, testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6}))
	whole := gaussianCharge("plan", dp.Approx{Epsilon: 1, Delta: 1e-6}, 20)
	whole.Events[0].Count = 23
	if _, err := a.Reserve(t.Context(), whole); err == nil || isRefused(err) {
		t.Errorf("23 Gaussians of σ=20 are not (1, 1e-6): %v", err)
	}
	whole.Events[0].Count = 22 // the exact number, which no filter reaches
	v, err := a.Reserve(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Reserve(t.Context(), whole); err != nil {
		t.Errorf("the same reservation again: %v", err)
	}
	for i := range 22 {
		if _, err := v.Spend(t.Context(), gaussianCharge(fmt.Sprint(i), dp.Approx{Epsilon: 0.2, Delta: 1e-6}, 20)); err != nil {
			t.Fatal(i, err)
		}
	}
	if _, err := v.Spend(t.Context(), gaussianCharge("23rd", dp.Approx{Epsilon: 0.2, Delta: 1e-6}, 20)); !isRefused(err) {
		t.Errorf("a draw beyond the plan: %v, want a refusal", err)
	}
	if err := v.Afford(t.Context(), gaussianCharge("other", dp.Approx{Epsilon: 0.2, Delta: 1e-6}, 21)); !isRefused(err) {
		t.Errorf("a mechanism that is not in the plan: %v, want a refusal", err)
	}
	b, err := Open(t.Context(), a.store, "visits")
	if err != nil {
		t.Fatal(err)
	}
	w, err := b.Reserve(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Spend(t.Context(), gaussianCharge("24th", dp.Approx{Epsilon: 0.2, Delta: 1e-6}, 20)); !isRefused(err) {
		t.Errorf("a draw after reopening: %v, want a refusal", err)
	}
	if r, err := b.Verify(t.Context()); err != nil || r.Charges != 23 {
		t.Errorf("Verify: %+v, %v", r, err)
	}
}

func TestQuestionsAreAnsweredAsSpendingWould(t *testing.T) {
	a := newAccount(t, testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6}))
	c := gaussianCharge("k", dp.Approx{Epsilon: 0.5, Delta: 1e-5}, 20)
	n, _, err := a.HowMany(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	fit := spendMany(t, a, 100, func(key string) dp.Charge { d := c; d.Key = key; return d })
	if n != fit {
		t.Errorf("HowMany said %d, and %d fit", n, fit)
	}
	wide := gaussianCharge("wide", dp.Approx{Epsilon: 0.05, Delta: 1e-7}, 400)
	c.Key = "another"
	status, errs, err := a.WhatIf(t.Context(), wide, c)
	if err != nil || errs[0] != nil || !isRefused(errs[1]) {
		t.Errorf("WhatIf: %v, %v", errs, err)
	}
	if now, err := a.Status(t.Context()); err != nil || status.Entries != now.Entries+1 || now.Entries != uint64(fit)+1 {
		t.Errorf("WhatIf has %d entries, the account %d, %v", status.Entries, now.Entries, err)
	}
}

func TestAHistoryIsPricedByOtherRules(t *testing.T) {
	a := newAccount(t, testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6}))
	spendMany(t, a, 15, func(key string) dp.Charge { return gaussianCharge(key, dp.Approx{Epsilon: 0.25, Delta: 1e-7}, 20) })
	spent := spentOf(t, a).(dp.Approx)
	g, err := a.Reprice(t.Context(), GDP)
	if err != nil || g.Unpriced {
		t.Fatalf("%+v, %v", g, err)
	}
	exact := g.Exact.(dp.Approx)
	if g := g.Loss.(dp.Approx); g.Epsilon > spent.Epsilon || g.Epsilon < exact.Epsilon*(1-1e-6) {
		t.Errorf("GDP %v, exact %v, Default %v: want exact ≤ GDP ≤ Default", g, exact, spent)
	}
	if b, err := a.Reprice(t.Context(), Basic); err != nil || b.Loss.(dp.Approx).Epsilon < spent.Epsilon {
		t.Errorf("Basic: %+v, %v", b, err)
	}
}

type recorder []string

func (r *recorder) Observe(_ context.Context, o Observation) {
	var b bytes.Buffer
	h := slog.NewTextHandler(&b, nil)
	slog.New(h).LogAttrs(context.Background(), slog.LevelInfo, "m", o.Attrs()...)
	*r = append(*r, strings.TrimSpace(b.String()[strings.Index(b.String(), "equipoise"):]))
}

func TestTheObserverSeesEveryOutcome(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	var seen recorder
	a.Observe(&seen)
	spend := func(key string, e float64) { a.Spend(t.Context(), testCharge(key, dp.Pure{Epsilon: e})) } //nolint:errcheck
	spend("a", 0.75)
	spend("a", 0.75)
	spend("b", 0.75)
	spend("a", 0.1)
	want := recorder{
		`equipoise.account=visits equipoise.purpose=research equipoise.outcome=spent equipoise.loss.asked="ε=0.75" equipoise.entry=1`,
		`equipoise.account=visits equipoise.purpose=research equipoise.outcome=repeated equipoise.loss.asked="ε=0.75" equipoise.entry=1`,
		`equipoise.account=visits equipoise.purpose=research equipoise.outcome=refused equipoise.loss.asked="ε=0.75" equipoise.loss.left="ε=0.25" equipoise.frozen=false`,
		`equipoise.account=visits equipoise.purpose=research equipoise.outcome=key_reused equipoise.loss.asked="ε=0.1"`,
	}
	if strings.Join(seen, "\n") != strings.Join(want, "\n") {
		t.Errorf("observed\n%s\nwant\n%s", strings.Join(seen, "\n"), strings.Join(want, "\n"))
	}
	if n := a.Counts(); n.Spent != 1 || n.Repeated != 1 || n.Refused != 1 || n.KeyReused != 1 {
		t.Errorf("counts are %+v", n)
	}
}

// TestAllAtOnce runs everything that an account has at the same time; the race
// detector looks on.
func TestAllAtOnce(t *testing.T) {
	a := newAccount(t, testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6}))
	ctx := t.Context()
	plan := laplaceCharge("plan", dp.Pure{Epsilon: 0.1}, 100)
	plan.Events[0].Count = 10
	v, err := a.Reserve(ctx, plan)
	if err != nil {
		t.Fatal(err)
	}
	probe := gaussianCharge("probe", dp.Approx{Epsilon: 0.1, Delta: 1e-8}, 100)
	var wg sync.WaitGroup
	for name, f := range map[string]func(i int) error{
		"Spend": func(i int) error {
			c := probe
			c.Key = fmt.Sprint("spend ", i)
			return second(a.Spend(ctx, c))
		},
		"draw": func(i int) error {
			return second(v.Spend(ctx, laplaceCharge(fmt.Sprint("draw ", i), dp.Pure{Epsilon: 0.01}, 100)))
		},
		"Afford":  func(int) error { return a.Afford(ctx, probe) },
		"Status":  func(int) error { return second(a.Status(ctx)) },
		"HowMany": func(int) error { return third(a.HowMany(ctx, probe)) },
		"Verify":  func(int) error { return second(a.Verify(ctx)) },
		"Anchor":  func(int) error { return second(a.Anchor(ctx)) },
		"Reprice": func(int) error { return second(a.Reprice(ctx, GDP)) },
		"WhatIf": func(int) error {
			_, _, err := a.WhatIf(ctx, probe)
			return err
		},
		"Raise": func(i int) error {
			return a.Raise(ctx, dp.Approx{Epsilon: 2 + float64(i), Delta: 1e-6}, "test", "officer")
		},
	} {
		wg.Go(func() {
			for i := range 8 {
				if err := f(i); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	wg.Wait()
	if r, err := a.Verify(ctx); err != nil || r.Charges != 17 {
		t.Errorf("Verify: %+v, %v", r, err)
	}
}

func TestImportRefusesExponents(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	if _, err := a.Spend(t.Context(), laplaceCharge("k", dp.Pure{Epsilon: 0.1}, 10)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := a.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	bomb := strings.Replace(out.String(), `"scale":"10"`, `"scale":"1e2000000000"`, 1)
	if bomb == out.String() {
		t.Fatal("the export has no scale")
	}
	lines := strings.Split(bomb, "\n")
	open := regexp.MustCompile(`,"sum":"[0-9a-f]*"}$`).ReplaceAllString(lines[2], "}")
	lines[2] = string(seal([]byte(open)))
	bomb = strings.Join(lines, "\n")
	if _, err := Import(t.Context(), Memory(), strings.NewReader(bomb)); !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), "quotient") {
		t.Errorf("import of a number that fills the memory: %v, want ErrTampered", err)
	}
}

// A reservation pays for what is drawn from it under other keys, and for nothing
// under its own.
func TestAReservationsKeyPaysForNoRelease(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	c := laplaceCharge("k", dp.Pure{Epsilon: 1}, 1)
	v, err := a.Reserve(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	_, direct := a.Spend(t.Context(), c)
	_, drawn := v.Spend(t.Context(), c)
	_, kept := a.Keep(t.Context(), c, []byte("a release"))
	for name, err := range map[string]error{"Spend": direct, "draw": drawn, "Keep": kept} {
		if !errors.Is(err, ErrKeyReused) {
			t.Errorf("%s under the key of a reservation: %v, want ErrKeyReused", name, err)
		}
	}
	if again, err := a.Reserve(t.Context(), c); err != nil || again.Payment.Entry != v.Payment.Entry {
		t.Errorf("reserving again: %v", err)
	}
	c.Key = "draw"
	if _, err := v.Spend(t.Context(), c); err != nil {
		t.Errorf("a draw under its own key: %v", err)
	}
}

// A key that was paid and never released is refused once somebody has frozen the
// account, also by those who have not heard of it.
func TestAFreezeBySomebodyElseIsHeardOf(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	b, err := Open(t.Context(), a.store, "visits")
	if err != nil {
		t.Fatal(err)
	}
	c := laplaceCharge("k", dp.Pure{Epsilon: 0.1}, 10)
	if _, err := b.Spend(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := a.Freeze(t.Context(), "an incident", "officer"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Spend(t.Context(), c); !isRefused(err) {
		t.Errorf("a release after the freeze: %v", err)
	}
}

// One tiny charge first does not lock an account into basic composition.
func TestATinyFirstChargeDoesNotDecide(t *testing.T) {
	a := newAccount(t, testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6}))
	c := testCharge("k", dp.Pure{Epsilon: 1e-3})
	c.Events = []dp.Event{declared(dp.Pure{Epsilon: 1e-3})}
	fresh, _, err := a.HowMany(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	tiny := testCharge("tiny", dp.Pure{Epsilon: 1e-7})
	tiny.Events = []dp.Event{declared(dp.Pure{Epsilon: 1e-7})}
	if _, err := a.Spend(t.Context(), tiny); err != nil {
		t.Fatal(err)
	}
	if n, _, err := a.HowMany(t.Context(), c); err != nil || n < fresh*9/10 {
		t.Errorf("%d fit after a tiny charge, %d before it, %v", n, fresh, err)
	}
}

// An export whose end or whose releases are cut off is refused, and an import
// that was interrupted has imported nothing.
func TestExportsAreWhole(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	c := laplaceCharge("k", dp.Pure{Epsilon: 0.1}, 10)
	if _, err := a.Spend(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Keep(t.Context(), c, []byte("the release")); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := a.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSuffix(out.String(), "\n"), "\n")
	for i := range lines {
		short := strings.Join(append(slices.Clone(lines[:i]), lines[i+1:]...), "")
		if _, err := Import(t.Context(), Memory(), strings.NewReader(short)); !errors.Is(err, ErrTampered) {
			t.Errorf("without line %d: %v", i, err)
		}
	}
	wrong := strings.Join(lines[:len(lines)-1], "") + `{"end":7}`
	if _, err := Import(t.Context(), Memory(), strings.NewReader(wrong)); !errors.Is(err, ErrTampered) {
		t.Errorf("with an end that is none: %v", err)
	}
	s := Memory()
	if _, err := Import(t.Context(), locked{s}, strings.NewReader(out.String())); err == nil {
		t.Fatal("an import that cannot be written succeeds")
	}
	b, err := Import(t.Context(), s, strings.NewReader(out.String()))
	if err != nil {
		t.Fatalf("importing again: %v", err)
	}
	if p, err := b.Spend(t.Context(), c); err != nil || string(p.Kept) != "the release" {
		t.Errorf("kept %q, %v", p.Kept, err)
	}
}

// locked is a store that somebody else has locked.
type locked struct{ Store }

func (locked) Append(context.Context, string, ...Record) error {
	return fmt.Errorf("%w: somebody has the lock", ErrNotAppended)
}

// What a store is certain not to have appended is not spent, and is no unknown
// outcome.
func TestALockedStoreSpendsNothing(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	free := a.store
	c := laplaceCharge("k", dp.Pure{Epsilon: 1}, 1)
	a.store = locked{free}
	if _, err := a.Spend(t.Context(), c); err == nil || errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "nothing was spent") {
		t.Errorf("Spend on a locked store: %v", err)
	}
	a.store = free
	if spent := spentOf(t, a); spent != nil {
		t.Errorf("%v spent", spent)
	}
	if _, err := a.Spend(t.Context(), c); err != nil {
		t.Errorf("the same key when the lock is gone: %v", err)
	}
}
