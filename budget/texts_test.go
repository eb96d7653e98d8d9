package budget

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

var update = flag.Bool("update", false, "write the texts of errors anew")

const textsFile = "testdata/errors.txt"

// An error names the record, the value, the rule and the fix: what is wrong in a text
// misleads whoever repairs a ledger. The file has the text of each.
func TestTheTextsOfErrors(t *testing.T) {
	var got bytes.Buffer
	for _, says := range []func(*testing.T, func(string, error)){textsOfTerms, textsOfCharges, textsOfRecords, textsOfActs, textsOfExports, textsOfCheckpoints, textsOfAnswers} {
		says(t, func(name string, err error) {
			if err == nil {
				t.Errorf("%s: no error", name)
				return
			}
			fmt.Fprintf(&got, "%s\n\t%s\n", name, strings.ReplaceAll(err.Error(), "\n", "\n\t"))
		})
	}
	if *update {
		if err := os.WriteFile(textsFile, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(textsFile)
	if err != nil {
		t.Fatal(err)
	}
	a, b := strings.Split(got.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			t.Fatalf("line %d of %s is another now; if it was meant, run go test ./budget -run Texts -update\n%q\n%q", i+1, textsFile, slices.Concat(a, []string{"", ""})[i], slices.Concat(b, []string{"", ""})[i])
		}
	}
}

func textsOfTerms(t *testing.T, says func(string, error)) {
	limit := dp.Approx{Epsilon: 1, Delta: 1e-6}
	wrong := map[string]func(*Terms){
		"1 terms of nothing":                  func(m *Terms) { *m = Terms{} },
		"2 terms with a long name":            func(m *Terms) { m.Dataset = strings.Repeat("x", 513) },
		"3 terms with too many refusals":      func(m *Terms) { m.Refusals = 1001 },
		"4 terms with fewer than none":        func(m *Terms) { m.Refusals = -1 },
		"5 terms that allow nothing":          func(m *Terms) { m.Purposes = map[string]dp.Loss{} },
		"6 terms with all of the event share": func(m *Terms) { m.EventShare = 1 },
		"7 terms of an unknown rule":          func(m *Terms) { m.Rule = 9 },
		"8 terms that a rule cannot keep":     func(m *Terms) { m.Rule, m.Limit = GDP, dp.Pure{Epsilon: 1} },
		"9 terms without a part's limit":      func(m *Terms) { m.Purposes = map[string]dp.Loss{"ads": nil} },
	}
	for _, name := range slices.Sorted(maps.Keys(wrong)) {
		terms := testTerms(limit)
		wrong[name](&terms)
		says(name, terms.Check())
	}
	_, err := ParseRule("renyi")
	says("a rule", err)
	_, err = ParseAnchor("1:2:3")
	says("an anchor", err)
}

func textsOfCharges(t *testing.T, says func(string, error)) {
	a := newAccount(t, testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6}))
	spend := func(name string, change func(*dp.Charge)) {
		c := testCharge("k", dp.Pure{Epsilon: 0.25})
		change(&c)
		_, err := a.Spend(t.Context(), c)
		says(name, err)
	}
	spend("a charge of others", func(c *dp.Charge) { c.Dataset, c.Unit = "orders", "customer" })
	spend("a charge with a long key", func(c *dp.Charge) { c.Key = strings.Repeat("x", 513) })
	spend("a charge without a period", func(c *dp.Charge) { c.Periods = []string{""} })
	spend("a charge of an event that declares nothing", func(c *dp.Charge) { c.Events = append(c.Events, dp.Event{Mechanism: dp.Declared, Count: 1}) })
	spend("a charge that declares too little", func(c *dp.Charge) { c.Loss = dp.Pure{Epsilon: 0.125} })
	spend("a charge that is too long", func(c *dp.Charge) { c.Events = slices.Repeat(c.Events, 40_000); c.Loss = dp.Pure{Epsilon: 1e6} })
	spend("a charge", func(c *dp.Charge) { c.Key = "\xff" })
	for _, n := range []int{512, 513} {
		c := testCharge(strings.Repeat("y", n), dp.Pure{Epsilon: 0.125})
		if _, err := a.Spend(t.Context(), c); (err == nil) != (n == 512) {
			t.Errorf("a key of %d bytes: %v", n, err)
		}
	}
	_, err := a.Payment(t.Context(), "never")
	says("a payment of nothing", err)
	says("a refund", a.Refund(t.Context(), strings.Repeat("y", 512)))
	if _, err := a.Keep(t.Context(), testCharge("never", dp.Pure{Epsilon: 0.125}), nil); err != nil {
		says("a nil release", err)
	}
	_, err = a.Reserve(t.Context(), testCharge(strings.Repeat("y", 512), dp.Pure{Epsilon: 0.125}))
	says("a reservation under a used key", err)
	_, err = a.Once(t.Context(), testCharge("once", dp.Pure{Epsilon: 0.125}), func() ([]byte, error) { return nil, errors.New("no noise") })
	says("a draw that fails", err)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, err = a.Spend(ctx, testCharge("late", dp.Pure{Epsilon: 0.125}))
	says("a caller who has gone", err)
	a.turn <- struct{}{}
	says("an act of one who has gone", a.Freeze(ctx, "why", "who"))
	_, err = a.Payment(ctx, "gone")
	says("a question of one who has gone", err)
	_, err = a.Verify(ctx)
	says("a verification of one who has gone", err)
	a.release()
}

func textsOfRecords(t *testing.T, says func(string, error)) {
	records := stored(busy(t))
	charge := func(m map[string]any) map[string]any { return m["charge"].(map[string]any) }
	last := len(records) - 1
	for _, f := range []struct {
		name   string
		at     int
		change func(map[string]any)
	}{
		{"another number", 3, func(m map[string]any) { m["seq"] = 7 }},
		{"another hash before", 3, func(m map[string]any) { m["prev"] = "00" }},
		{"a first record of another kind", 0, func(m map[string]any) {
			m["kind"], m["reason"], m["by"] = "thaw", "r", "b"
			delete(m, "terms")
			delete(m, "engine")
			delete(m, "orders")
		}},
		{"a checkpoint that is not there", 3, func(m map[string]any) { m["checkpoint"] = 2 }},
		{"another account", 0, func(m map[string]any) { m["terms"].(map[string]any)["dataset"] = "orders" }},
		{"an order of one", 0, func(m map[string]any) { m["orders"].(map[string]any)["account"] = 1 }},
		{"terms without a name", 0, func(m map[string]any) { m["terms"].(map[string]any)["dataset"] = "" }},
		{"an engine below one", 0, func(m map[string]any) { m["engine"] = -1 }},
		{"an engine of later", 0, func(m map[string]any) { m["engine"] = 2 }},
		{"a format of later", 3, func(m map[string]any) { m["v"] = 9 }},
		{"a format below one", 3, func(m map[string]any) { m["v"] = 0 }},
		{"a format that had no identity", 1, func(m map[string]any) { m["v"] = 1 }},
		{"a format that had no odometer", 0, func(m map[string]any) { m["v"], m["terms"].(map[string]any)["odometer"] = 3, true }},
		{"a kind that is not known", 3, func(m map[string]any) { m["kind"] = "refund" }},
		{"no charge", 1, func(m map[string]any) { delete(m, "charge") }},
		{"a reason too many", 1, func(m map[string]any) { m["reason"] = "r" }},
		{"a charge without a key", 1, func(m map[string]any) { charge(m)["key"] = "" }},
		{"a charge of another dataset", 1, func(m map[string]any) { charge(m)["dataset"] = "orders" }},
		{"a charge that was refused", 1, func(m map[string]any) { m["took"] = slices.Repeat([]any{""}, 5) }},
		{"a charge of fewer limits", 1, func(m map[string]any) { m["took"] = m["took"].([]any)[1:] }},
		{"a key twice", 3, func(m map[string]any) { charge(m)["key"] = "g0" }},
		{"a draw for another analyst", last, func(m map[string]any) { charge(m)["analyst"] = "bob" }},
		{"a draw of more than is left", last, func(m map[string]any) { charge(m)["events"].([]any)[0].(map[string]any)["count"] = 4 }},
		{"a draw of what is no reservation", last, func(m map[string]any) { m["from"] = 1 }},
		{"a release of what did not pay", 2, func(m map[string]any) { m["from"] = 2 }},
		{"a second release", 4, func(m map[string]any) { m["from"] = 1 }},
		{"an early release of a late charge", 2, func(m map[string]any) { m["early"] = true }},
		{"a release of another time", 2, func(m map[string]any) { m["at"] = "2020-01-01T00:00:00Z" }},
		{"a digest in capitals", 2, func(m map[string]any) { m["digest"] = strings.Repeat("AB", 32) }},
		{"another digest", 2, func(m map[string]any) { m["digest"] = strings.Repeat("0", 64) }},
	} {
		says("a record with "+f.name, judge(t, forge(t, records, f.at, f.change)))
	}
	edits := map[string]func([]Record) []Record{
		"a release missing":     func(all []Record) []Record { all[2].Release = nil; return all },
		"a release cut off":     func(all []Record) []Record { all[2].Release = all[2].Release[:3]; return all },
		"a release beside none": func(all []Record) []Record { all[1].Release = []byte("x"); return all },
	}
	for _, name := range slices.Sorted(maps.Keys(edits)) {
		says(name, judge(t, edits[name](slices.Clone(records))))
	}
	refusals := stored(refusing(t))
	says("more refusals than are kept", judge(t, forge(t, refusals, 0, func(m map[string]any) { m["terms"].(map[string]any)["refusals"] = 1 })))
	again := forge(t, append(slices.Clone(refusals), Record{Seq: 3, Data: refusals[0].Data}), 3, func(m map[string]any) { m["seq"] = 3 })
	says("a second creation", judge(t, again))
	open := must2(unseal(refusals[1].Data))
	_, err := decodeRecord(open)
	says("a record without its sum", err)
}

func textsOfActs(t *testing.T, says func(string, error)) {
	a := newAccount(t, testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6}))
	ctx := t.Context()
	says("a thaw of what is not frozen", a.Thaw(ctx, "why", "who"))
	says("a raise to less", a.Raise(ctx, dp.Approx{Epsilon: 0.5, Delta: 1e-6}, "why", "who"))
	says("an act without a name", a.Freeze(ctx, "why", ""))
	says("an act without a reason", a.Freeze(ctx, "", "who"))
	says("a purpose without a policy", a.WithdrawPurpose(ctx, "ads", "why", "who"))
	says("no policy", a.SetPolicy(ctx, nil, "why", "who"))
	p := visitsPolicy()
	p["dataset"], p["unit"], p["version"] = "orders", "customer", 1
	says("a policy of others", a.SetPolicy(ctx, p.policy(t), "why", "who"))
	if err := a.SetPolicy(ctx, visitsPolicy().policy(t), "why", "who"); err != nil {
		t.Fatal(err)
	}
	says("the same policy", a.SetPolicy(ctx, visitsPolicy().policy(t), "why", "who"))
	says("a purpose that is none", a.WithdrawPurpose(ctx, "ads", "why", "who"))
	if err := a.WithdrawPurpose(ctx, "teaching", "why", "who"); err != nil {
		t.Fatal(err)
	}
	says("a purpose twice", a.WithdrawPurpose(ctx, "teaching", "why", "who"))
	says("a release on no day", a.RecordOutside(ctx, Outside{What: "a table", By: "us", On: "May"}, "why", "who"))
	b := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	b.store = lost{b.store}
	says("an act whose outcome is unknown", b.Freeze(ctx, "why", "who"))
	c := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	c.store = locked{c.store}
	says("an act that was not appended", c.Freeze(ctx, "why", "who"))
	_, err := Create(ctx, a.store, a.Terms())
	says("a creation of what is there", err)
	_, err = Create(ctx, locked{Memory()}, a.Terms())
	says("a creation that was not appended", err)
	_, err = Open(ctx, Memory(), "visits")
	says("an account that is not there", err)
	anchor, err := a.Anchor(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_, err = OpenOrCreate(ctx, Memory(), a.Terms(), anchor)
	says("an account that an anchor says was there", err)
	anchors := map[string]func(*Anchor){
		"1 an anchor of another account": func(x *Anchor) { x.Account = "orders" },
		"2 an anchor of more":            func(x *Anchor) { x.Seq = 9 },
		"3 an anchor of another record":  func(x *Anchor) { x.Hash = [32]byte{} },
	}
	for _, name := range slices.Sorted(maps.Keys(anchors)) {
		x := anchor
		anchors[name](&x)
		_, err := Open(ctx, a.store, "visits", x)
		says(name, err)
	}
}

// lost is a store of which nobody knows what became of an append.
type lost struct{ Store }

func (lost) Append(context.Context, string, ...Record) error { return errLost }

func textsOfExports(t *testing.T, says func(string, error)) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	if _, err := a.Once(t.Context(), testCharge("k", dp.Pure{Epsilon: 0.25}), func() ([]byte, error) { return []byte("41"), nil }); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := a.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSuffix(out.String(), "\n"), "\n")
	imported := func(name string, lines ...string) {
		_, err := Import(t.Context(), Memory(), strings.NewReader(strings.Join(lines, "")))
		says("an import "+name, err)
	}
	imported("of nothing")
	imported("without an end", lines[:len(lines)-1]...)
	imported("with a line after the end", append(slices.Clone(lines), "\n{}")...)
	imported("without a release", slices.Delete(slices.Clone(lines), 4, 5)...)
	imported("with a record after releases", slices.Insert(slices.Clone(lines), 5, lines[3])...)
	imported("with a release twice", slices.Insert(slices.Clone(lines), 5, lines[4])...)
	imported("of a later format", append([]string{`{"equipoise_ledger":3,"account":"visits"}` + "\n"}, lines[1:]...)...)
	imported("of no format", append([]string{`{"account":"visits"}` + "\n"}, lines[1:]...)...)
	imported("without records", lines[0], lines[len(lines)-1])
	_, err := Import(t.Context(), a.store, &out)
	says("an import of what is there", err)
}

func textsOfCheckpoints(t *testing.T, says func(string, error)) {
	tails(t, 3)
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 10}))
	for i := range 7 {
		if _, err := a.Spend(t.Context(), testCharge(fmt.Sprint(i), dp.Pure{Epsilon: 0.125})); err != nil {
			t.Fatal(err)
		}
	}
	records := stored(a)
	at := slices.IndexFunc(records, func(r Record) bool { return r.Release != nil })
	edit := func(name string, change func([]Record)) {
		all := slices.Clone(records)
		change(all)
		says(name, judge(t, all))
	}
	edit("a checkpoint missing", func(all []Record) { all[at].Release = nil })
	edit("a checkpoint changed", func(all []Record) { all[at].Release = []byte("{}\n") })
	withForgedCheckpoint(t, a)
	_, err := a.Status(t.Context())
	says("a checkpoint that was forged", err)
	b, err := Open(t.Context(), a.store, "visits")
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range []checkpointPlan{{}, {Seq: 7, Charge: &dp.Charge{}}, {Seq: 7, Charge: chargeOf("x"), Left: map[string]int{"x": 1}}, {Seq: 7, Charge: chargeOf("x")}} {
		says("a reservation of a checkpoint", b.state.restorePlan(j))
	}
	says("what was bought, of a checkpoint", b.state.restoreBought([]checkpointBuy{{"ads", mustMarshal(dp.Pure{Epsilon: 1}), 0}}))
	says("a limit of a checkpoint", b.state.restore([]checkpointHead{{Limit: mustMarshal(dp.Pure{Epsilon: 10}), Filters: []checkpointSpent{{Kind: "analyst", Name: "ann"}}}}))
	says("a lower limit of a checkpoint", b.state.restore([]checkpointHead{{Limit: mustMarshal(dp.Pure{Epsilon: 9})}}))
}

func chargeOf(key string) *dp.Charge {
	c := testCharge(key, dp.Pure{Epsilon: 0.125})
	return &c
}

func textsOfAnswers(t *testing.T, says func(string, error)) {
	terms := testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6})
	terms.Purposes = map[string]dp.Loss{"research": dp.Approx{Epsilon: 0.5, Delta: 1e-6}}
	terms.Period, terms.Analyst = dp.Pure{Epsilon: 1}, dp.Pure{Epsilon: 0.25}
	a := newAccount(t, terms)
	ask := func(name string, change func(*dp.Charge)) {
		c := testCharge("k", dp.Pure{Epsilon: 0.125})
		c.Analyst, c.Periods = "ann", []string{"2026"}
		change(&c)
		_, err := a.Spend(t.Context(), c)
		says(name, err)
	}
	ask("a refusal of a purpose", func(c *dp.Charge) { c.Purpose = "ads" })
	ask("a refusal of no period", func(c *dp.Charge) { c.Periods = nil })
	ask("a refusal of no analyst", func(c *dp.Charge) { c.Analyst = "" })
	ask("a refusal of an analyst's limit", func(c *dp.Charge) { c.Loss, c.Events[0] = dp.Pure{Epsilon: 0.5}, declared(dp.Pure{Epsilon: 0.5}) })
	ask("a refusal of δ", func(c *dp.Charge) { c.Loss = dp.Approx{Epsilon: 0.125, Delta: 1e-7} })
	reserved := testCharge("all", dp.Pure{Epsilon: 0.125})
	reserved.Analyst, reserved.Periods = "ann", []string{"2026"}
	v, err := a.Reserve(t.Context(), reserved)
	if err != nil {
		t.Fatal(err)
	}
	draw := func(name string, change func(*dp.Charge)) {
		c := reserved
		c.Key, c.Events = "member", slices.Clone(c.Events)
		change(&c)
		_, err := v.Spend(t.Context(), c)
		says(name, err)
	}
	draw("a draw for another purpose", func(c *dp.Charge) { c.Purpose = "ads" })
	draw("a draw by another", func(c *dp.Charge) { c.Analyst = "ben" })
	draw("a draw on another period", func(c *dp.Charge) { c.Periods = []string{"2027"} })
	draw("a draw of what was not reserved", func(c *dp.Charge) { c.Events[0].Count = 2 })
	if _, err := v.Spend(t.Context(), func() dp.Charge { c := reserved; c.Key = "member"; return c }()); err != nil {
		t.Fatal(err)
	}
	_, err = a.Keep(t.Context(), func() dp.Charge { c := reserved; c.Key = "member"; c.Plan = "another"; return c }(), []byte("x"))
	says("a key of another charge", err)
	if err := a.Freeze(t.Context(), "an incident", "officer"); err != nil {
		t.Fatal(err)
	}
	ask("a refusal while frozen", func(*dp.Charge) {})
	_, err = OpenOrCreate(t.Context(), a.store, testTerms(dp.Pure{Epsilon: 2}))
	says("other terms", err)
	b := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	c := testCharge("k", dp.Pure{Epsilon: 0.125})
	whole := b.store
	b.store = lost{whole}
	_, err = b.Spend(t.Context(), c)
	says("an outcome that is unknown", err)
	b.store = whole
	if _, err := b.Spend(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	b.store = lost{whole}
	_, err = b.Keep(t.Context(), c, []byte("x"))
	says("a release of which nobody knows", err)
	b.store = refuses{whole}
	b.doubt = false
	_, err = b.Spend(t.Context(), testCharge("more", dp.Pure{Epsilon: 0.125}))
	says("a store that contradicts itself", err)
}

// refuses is a store that says that others were faster, and has nothing of them.
type refuses struct{ Store }

func (refuses) Append(context.Context, string, ...Record) error { return ErrConflict }

// diskGone is a store that cannot be read.
type diskGone struct {
	Store
	releases bool // only those
}

var errUnread = errors.New("the disk is gone")

func (s diskGone) Read(ctx context.Context, account string, from uint64) iter.Seq2[Record, error] {
	if s.releases {
		return s.Store.Read(ctx, account, from)
	}
	return func(yield func(Record, error) bool) { yield(Record{}, errUnread) }
}

func (diskGone) Kept(context.Context, string, uint64) ([]byte, error) { return nil, errUnread }

func (diskGone) Releases(context.Context, string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) { yield(Record{}, errUnread) }
}

// Whoever asks an account that cannot read its store is told, whatever is asked: a
// number that is old, or none, could be taken for an answer.
func TestWhatCannotBeReadIsNoAnswer(t *testing.T) {
	limit := dp.Approx{Epsilon: 10, Delta: 1e-5}
	c, fresh := testCharge("k", dp.Pure{Epsilon: 0.25}), testCharge("fresh", dp.Pure{Epsilon: 0.25})
	questions := map[string]func(*Account) error{
		"Status":   func(a *Account) error { _, err := a.Status(t.Context()); return err },
		"Anchor":   func(a *Account) error { _, err := a.Anchor(t.Context()); return err },
		"Policy":   func(a *Account) error { _, err := a.Policy(t.Context()); return err },
		"HowMany":  func(a *Account) error { _, _, err := a.HowMany(t.Context(), c); return err },
		"WhatIf":   func(a *Account) error { _, _, err := a.WhatIf(t.Context(), c); return err },
		"Afford":   func(a *Account) error { return a.Afford(t.Context(), c) },
		"Kept":     func(a *Account) error { _, err := a.Kept(t.Context(), c); return err },
		"unkept":   func(a *Account) error { _, err := a.Kept(t.Context(), fresh); return err },
		"Keep":     func(a *Account) error { _, err := a.Keep(t.Context(), c, []byte("x")); return err },
		"Payment":  func(a *Account) error { _, err := a.Payment(t.Context(), "k"); return err },
		"another":  func(a *Account) error { _, err := a.Payment(t.Context(), "fresh"); return err },
		"Refund":   func(a *Account) error { err := a.Refund(t.Context(), "fresh"); return err },
		"Spend":    func(a *Account) error { _, err := a.Spend(t.Context(), c); return err },
		"Verify":   func(a *Account) error { _, err := a.Verify(t.Context()); return err },
		"Reprice":  func(a *Account) error { _, err := a.Reprice(t.Context(), Basic); return err },
		"Export":   func(a *Account) error { return a.Export(t.Context(), new(bytes.Buffer)) },
		"DP":       func(a *Account) error { return a.ExportDPAccounting(t.Context(), new(bytes.Buffer)) },
		"Cover":    func(a *Account) error { _, err := a.Cover(t.Context()); return err },
		"Raise":    func(a *Account) error { return a.Raise(t.Context(), dp.Approx{Epsilon: 11, Delta: 1e-5}, "why", "who") },
		"Freeze":   func(a *Account) error { return a.Freeze(t.Context(), "why", "who") },
		"Withdraw": func(a *Account) error { return a.WithdrawPurpose(t.Context(), "teaching", "why", "who") },
		"Outside": func(a *Account) error {
			return a.RecordOutside(t.Context(), Outside{What: "a table", By: "us", On: "2026-01-01"}, "why", "who")
		},
		"Entries": func(a *Account) error {
			for _, err := range a.Entries(t.Context()) {
				return err
			}
			return nil
		},
		"Open": func(a *Account) error { _, err := Open(t.Context(), a.store, a.name); return err },
	}
	for name, ask := range questions {
		a := newAccount(t, testTerms(limit))
		if _, err := a.Once(t.Context(), c, func() ([]byte, error) { return []byte("41"), nil }); err != nil {
			t.Fatal(err)
		}
		a.store = diskGone{Store: a.store}
		if err := ask(a); !errors.Is(err, errUnread) {
			t.Errorf("%s: %v, want the error of the store", name, err)
		}
	}
	for _, name := range []string{"Kept", "Keep", "Payment", "Spend", "Verify", "Export", "Cover"} {
		a := newAccount(t, testTerms(limit))
		if _, err := a.Once(t.Context(), c, func() ([]byte, error) { return []byte("41"), nil }); err != nil {
			t.Fatal(err)
		}
		a.store = diskGone{a.store, true}
		if err := questions[name](a); !errors.Is(err, errUnread) {
			t.Errorf("%s, where releases cannot be read: %v, want the error of the store", name, err)
		}
	}
	bad := testCharge("", dp.Pure{Epsilon: 0.25})
	a := newAccount(t, testTerms(limit))
	for name, ask := range map[string]func() error{
		"Spend":   func() error { _, err := a.Spend(t.Context(), bad); return err },
		"Afford":  func() error { return a.Afford(t.Context(), bad) },
		"HowMany": func() error { _, _, err := a.HowMany(t.Context(), bad); return err },
		"WhatIf":  func() error { _, _, err := a.WhatIf(t.Context(), bad); return err },
		"Reserve": func() error { _, err := a.Reserve(t.Context(), bad); return err },
	} {
		if ask() == nil {
			t.Errorf("%s of a charge without a key: no error", name)
		}
	}
}

// full is a writer that takes so many bytes.
type full struct{ left int }

func (f *full) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errUnread
	}
	return len(b), nil
}

// What could not be written is said, wherever the writer ends.
func TestAnExportThatCannotBeWrittenSaysSo(t *testing.T) {
	a := busy(t)
	for name, export := range map[string]func(*full) error{
		"Export":             func(w *full) error { return a.Export(t.Context(), w) },
		"ExportDPAccounting": func(w *full) error { return a.ExportDPAccounting(t.Context(), w) },
	} {
		w := &full{1 << 30}
		if err := export(w); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		size := 1<<30 - w.left
		for left := range size {
			if left%97 != 0 && left < size-2 {
				continue
			}
			if err := export(&full{left}); !errors.Is(err, errUnread) {
				t.Errorf("%s to a writer of %d of %d bytes: %v", name, left, size, err)
			}
		}
	}
}
