package budget_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// someLoss returns a loss, or nothing if that may be.
func someLoss(r *rand.Rand, orNothing bool) dp.Loss {
	switch r.IntN(4) {
	case 0:
		if orNothing {
			return nil
		}
		fallthrough
	case 1:
		return dp.Pure{Epsilon: r.ExpFloat64() + 1e-9}
	case 2:
		return dp.Approx{Epsilon: r.ExpFloat64() + 1e-9, Delta: r.Float64()*1e-3 + 1e-300}
	}
	return dp.Concentrated{Rho: r.ExpFloat64() + 1e-9}
}

func someScope(r *rand.Rand) budget.ScopeStatus {
	return budget.ScopeStatus{
		Scope: "purpose", Name: []string{"", "ads", "\u00e9 \"x\" <&>"}[r.IntN(3)],
		Limit: someLoss(r, false), Spent: someLoss(r, true), Left: someLoss(r, true),
	}
}

// readsBack checks that v is read back as it was, and that a field more is an error.
func readsBack[T any](t *testing.T, v T) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back T
	if err := json.Unmarshal(text, &back); err != nil || !cmp.Equal(back, v) {
		t.Errorf("%s is read back as %+v, %v", text, back, err)
	}
	if pointer, _ := json.Marshal(&v); string(pointer) != string(text) {
		t.Errorf("a pointer is written as %s, the value as %s", pointer, text)
	}
	more := strings.Replace(string(text), "{", `{"rows":7,`, 1)
	if err := json.Unmarshal([]byte(more), &back); err == nil || !strings.Contains(err.Error(), "rows") {
		t.Errorf("%s is read: %v", more, err)
	}
}

// Statuses and refusals are read back as they were written, whatever is in them.
func TestStatusesAndRefusalsAreReadBack(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 12))
	for range 300 {
		s := budget.Status{Account: "visits", Entries: r.Uint64(), Whole: someScope(r)}
		if r.IntN(2) == 0 {
			s.Frozen, s.Reason, s.Parts = true, "an incident", []budget.ScopeStatus{someScope(r), someScope(r)}
		}
		readsBack(t, s)
		readsBack(t, s.Whole)
		e := budget.RefusedError{
			Account: "visits", Scope: `purpose "ads"`, Key: "k", Asked: someLoss(r, false), Limit: someLoss(r, true),
			Spent: someLoss(r, true), Left: someLoss(r, true), Fits: someLoss(r, true),
		}
		if r.IntN(2) == 0 {
			e.Binds, e.Frozen, e.Reason = []string{"epsilon", "delta"}, true, "an incident"
		}
		readsBack(t, e)
	}
}

// What an account says is written in this form.
func TestTheFormOfStatusesAndRefusals(t *testing.T) {
	a, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 0.5}})
	if err != nil {
		t.Fatal(err)
	}
	status, err := a.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Spend(t.Context(), charge("k", 7))
	refused, ok := errors.AsType[*budget.RefusedError](err)
	if !ok {
		t.Fatalf("Spend: %v, want a refusal", err)
	}
	for want, v := range map[string]any{
		`{"account":"visits","entries":1,"frozen":false,"whole":{"scope":"account","limit":{"epsilon":"0.5"},"spent":null,"left":{"epsilon":"0.5"}}}`:                                             status,
		`{"account":"visits","scope":"account","key":"k","asked":{"epsilon":"0.7"},"limit":{"epsilon":"0.5"},"spent":null,"left":{"epsilon":"0.5"},"binds":["epsilon"],"fits":{"epsilon":"0.5"}}`: refused,
	} {
		if got := marshal(t, v); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What lacks a loss that must be there, or has one that is none, is not read.
func TestStatusesAndRefusalsWithoutLossesAreNotRead(t *testing.T) {
	for text, to := range map[string]any{
		`{"scope":"account","spent":null,"left":null}`:                  &budget.ScopeStatus{},
		`{"scope":"account","limit":{"epsilon":"-1"}}`:                  &budget.ScopeStatus{},
		`{"account":"visits","whole":{"scope":"account"}}`:              &budget.Status{},
		`{"scope":"account","key":"k"}`:                                 &budget.RefusedError{},
		`{"scope":"account","key":"k","asked":{}}`:                      &budget.RefusedError{},
		`{"scope":"account","key":"k","asked":null}`:                    &budget.RefusedError{},
		`{"scope":"account","key":"k","purpose":"p"}`:                   &budget.Refusal{},
		`{"scope":"account","key":"k","purpose":"p","asked":"nothing"}`: &budget.Refusal{},
	} {
		if err := json.Unmarshal([]byte(text), to); err == nil {
			t.Errorf("%s is read as %+v", text, to)
		}
	}
}
