package budget

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// An odometer refuses nothing for its amount, adds everything up, and is the same when it
// is opened from a checkpoint, verified, exported and imported.
func TestAnOdometerAddsUpWithoutALimit(t *testing.T) {
	tails(t, 5)
	a := newAccount(t, Terms{Dataset: "visits", Unit: "patient", Odometer: true, Rule: ZCDP, Period: dp.Concentrated{Rho: 0.25}})
	for n := range 20 {
		c := gaussianCharge(fmt.Sprint(n), dp.Concentrated{Rho: 0.125}, 2)
		c.Periods = []string{fmt.Sprint(n / 2)}
		if _, err := a.Spend(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	c := gaussianCharge("more", dp.Concentrated{Rho: 0.125}, 2)
	c.Periods = []string{"3"}
	_, err := a.Spend(t.Context(), c)
	if e, ok := errors.AsType[*RefusedError](err); !ok || e.Scope != `period "3"` || e.Left != nil {
		t.Errorf("a period has its limit all the same: %v", err)
	}
	c.Periods = []string{"new"}
	if n, _, err := a.HowMany(t.Context(), c); err != nil || n != 2 {
		t.Errorf("%d more fit into a new period, %v", n, err)
	}
	var written bytes.Buffer
	if err := a.Export(t.Context(), &written); err != nil {
		t.Fatal(err)
	}
	imported, err := Import(t.Context(), Memory(), &written)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := Open(t.Context(), a.store, "visits")
	if err != nil {
		t.Fatal(err)
	}
	if opened.state.checkpoint == 0 {
		t.Error("there is no checkpoint to open from")
	}
	for name, b := range map[string]*Account{"as it is": a, "imported": imported, "opened": opened} {
		s, err := b.Status(t.Context())
		if err != nil || s.Whole.Limit != nil || s.Whole.Left != nil || s.Whole.Spent != (dp.Concentrated{Rho: 2.5}) {
			t.Errorf("%s: %+v, %v", name, s.Whole, err)
		}
		text, err := json.Marshal(s)
		var again Status
		if err != nil || json.Unmarshal(text, &again) != nil || !reflect.DeepEqual(again, s) {
			t.Errorf("%s: %s is not read back, %v", name, text, err)
		}
		if r, err := b.Verify(t.Context()); err != nil || r.NotRepeated != nil {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestAnOdometerSaysWhatItCannotAddUp(t *testing.T) {
	basic := newAccount(t, Terms{Dataset: "visits", Unit: "patient", Odometer: true, Rule: Basic})
	if _, err := basic.Spend(t.Context(), testCharge("k", dp.Concentrated{Rho: 1})); err == nil || !strings.Contains(err.Error(), "use rule zcdp, or a dp.Approx") {
		t.Errorf("a ρ under basic: %v", err)
	}
	if _, err := basic.Spend(t.Context(), testCharge("k", dp.Approx{Epsilon: 100, Delta: 0.5})); err != nil {
		t.Error(err)
	}
	if err := basic.Raise(t.Context(), dp.Pure{Epsilon: 1}, "r", "b"); err == nil || !strings.Contains(err.Error(), "is an odometer and has no limit to raise") {
		t.Errorf("raised: %v", err)
	}
	if r, err := basic.Reprice(t.Context(), Basic); err != nil || r.Loss != (dp.Approx{Epsilon: 100, Delta: 0.5}) {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := basic.Reprice(t.Context(), GDP); err == nil || !strings.Contains(err.Error(), "an odometer's must be basic or zcdp") {
		t.Errorf("priced by what has no sum: %v", err)
	}
	zcdp := newAccount(t, Terms{Dataset: "visits", Unit: "patient", Odometer: true, Rule: ZCDP})
	if _, err := zcdp.Spend(t.Context(), testCharge("k", dp.Approx{Epsilon: 1, Delta: 1e-6})); err == nil || !strings.Contains(err.Error(), "use rule basic") {
		t.Errorf("a δ under zcdp: %v", err)
	}
}

// Terms that earlier versions do not know have the format that they refuse; all others
// are written as before.
func TestOnlyPartsAndOdometersNeedTheNewFormat(t *testing.T) {
	limit := dp.Pure{Epsilon: 1}
	for want, terms := range map[string]Terms{
		`{"v":2,"seq":0,"kind":"create"`:  {Dataset: "d", Limit: limit},
		`{"v":4,"seq":0,"kind":"create"`:  {Dataset: "d", Limit: limit, Parts: map[string]dp.Loss{"d/e": limit}},
		`{"v":4,"seq":0,"kind":"create",`: {Dataset: "d", Odometer: true, Rule: Basic},
	} {
		a := newAccount(t, terms)
		data := stored(a)[0].Data
		if !strings.HasPrefix(string(data), want) {
			t.Errorf("%s does not begin with %s", data, want)
		}
		older := seal([]byte(strings.Replace(string(data[:len(data)-sealLength])+"}", `{"v":4`, `{"v":3`, 1)))
		if _, err := decodeRecord(older); (err == nil) != strings.Contains(want, `"v":2`) {
			t.Errorf("in an earlier format: %v", err)
		}
	}
}
