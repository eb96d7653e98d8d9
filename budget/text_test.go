package budget

import (
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// texts calls do with every text in v, and its name; v must be addressable.
func texts(name string, v reflect.Value, do func(name string, text reflect.Value)) {
	switch v.Kind() {
	case reflect.String:
		do(name, v)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				texts(name+"."+f.Name, v.Field(i), do)
			}
		}
	case reflect.Pointer:
		if !v.IsNil() && v.Type() != reflect.TypeFor[*big.Rat]() {
			texts(name, v.Elem(), do)
		}
	case reflect.Slice:
		for i := range v.Len() {
			texts(fmt.Sprintf("%s[%d]", name, i), v.Index(i), do)
		}
	}
}

// What is not UTF-8 is written into a record as something else, so two requests could
// be one: every text of a charge, of terms and of an act is refused, whichever it is.
func TestEveryTextThatEntersARecordMustBeUTF8(t *testing.T) {
	terms := Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 1}}
	a := newAccount(t, terms)
	whole := func() dp.Charge {
		return dp.Charge{
			Dataset: "visits", Unit: "patient", Purpose: "test", Key: "k", Plan: "plan", Question: "question", Analyst: "ann",
			Periods: []string{"2026-10", "2026-11"}, Loss: dp.Pure{Epsilon: 0.1},
			Events: []dp.Event{declared(dp.Pure{Epsilon: 0.05}), declared(dp.Pure{Epsilon: 0.05})},
			States: &dp.Statement{Columns: []dp.StatedColumn{{Name: "stay"}}},
		}
	}
	names := []string{}
	c := whole()
	texts("Charge", reflect.ValueOf(&c).Elem(), func(name string, text reflect.Value) { names = append(names, name) })
	for i, name := range names {
		c, n := whole(), 0
		texts("Charge", reflect.ValueOf(&c).Elem(), func(_ string, text reflect.Value) {
			if n == i {
				text.SetString(text.String() + "\xff")
			}
			n++
		})
		if _, err := a.Spend(t.Context(), c); err == nil || isRefused(err) {
			t.Errorf("%s is not UTF-8: %v, want an error about it", name, err)
		}
	}
	if len(names) < 20 {
		t.Errorf("a charge has the texts %q, want more", names)
	}
	for name, change := range map[string]func(*Terms){
		"Dataset":  func(t *Terms) { t.Dataset = "\xff" },
		"Unit":     func(t *Terms) { t.Unit = "\xff" },
		"Purposes": func(t *Terms) { t.Purposes = map[string]dp.Loss{"\xff": dp.Pure{Epsilon: 1}} },
	} {
		broken := terms
		change(&broken)
		if _, err := Create(t.Context(), Memory(), broken); err == nil {
			t.Errorf("terms whose %s is not UTF-8 are taken", name)
		}
	}
	for name, act := range map[string]func(reason, by string) error{
		"Raise":  func(reason, by string) error { return a.Raise(t.Context(), dp.Pure{Epsilon: 2}, reason, by) },
		"Freeze": func(reason, by string) error { return a.Freeze(t.Context(), reason, by) },
		"Thaw":   func(reason, by string) error { return a.Thaw(t.Context(), reason, by) },
		"RecordOutside": func(reason, by string) error {
			return errors.Join(a.RecordOutside(t.Context(), Outside{What: "a table", By: "us", On: "2026-01-01"}, reason, by),
				a.RecordOutside(t.Context(), Outside{What: reason, By: by, On: "2026-01-01"}, "why", "officer"))
		},
	} {
		if act("\xff", "officer") == nil || act("because", "\xff") == nil {
			t.Errorf("%s with what is not UTF-8 is recorded", name)
		}
	}
	if e, err := a.Verify(t.Context()); err != nil || e.Status.Entries != 1 {
		t.Errorf("%+v, %v, want nothing recorded", e, err)
	}
}

// everyKind returns an account with a record of every kind.
func everyKind(t *testing.T) *Account {
	t.Helper()
	tails(t, 8)
	a := newAccount(t, Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 1}, Refusals: 1})
	c := testCharge("k", dp.Pure{Epsilon: 0.1})
	if _, err := a.Once(t.Context(), c, func() ([]byte, error) { return []byte("41"), nil }); err != nil {
		t.Fatal(err)
	}
	reserved := testCharge("plan", dp.Pure{Epsilon: 0.1})
	v, err := a.Reserve(t.Context(), reserved)
	if err == nil {
		reserved.Key = "member"
		_, err = v.Spend(t.Context(), reserved)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Spend(t.Context(), testCharge("too much", dp.Pure{Epsilon: 2})); !isRefused(err) {
		t.Fatal(err)
	}
	for _, err := range []error{
		a.Raise(t.Context(), dp.Pure{Epsilon: 2}, "a survey", "officer"), a.Freeze(t.Context(), "an incident", "officer"), a.Thaw(t.Context(), "it is clear", "officer"),
		a.RecordOutside(t.Context(), Outside{What: "a table", By: "us", On: "2026-01-01"}, "to know it", "officer"),
		a.SetPolicy(t.Context(), visitsPolicy().policy(t), "it is asked for", "officer"), a.WithdrawPurpose(t.Context(), "teaching", "it is over", "officer"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 4 { // the last of which writes a checkpoint
		c := policyCharge(fmt.Sprint("more", i), "opening hours", 0.01)
		if _, err := a.Spend(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// By the nanosecond the time of a record would tell how long rows took to read before
// it, whoever wrote it for what reason.
func TestEveryRecordIsDatedInWholeHours(t *testing.T) {
	seen := map[string]bool{}
	for e, err := range everyKind(t).Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		seen[e.Kind] = true
		if !e.At.Equal(e.At.Truncate(time.Hour)) {
			t.Errorf("entry %d of kind %s is dated %v, want whole hours", e.Seq, e.Kind, e.At)
		}
	}
	if len(seen) != len(fields) {
		t.Errorf("kinds %v are dated in whole hours, want all %d", seen, len(fields))
	}
}
