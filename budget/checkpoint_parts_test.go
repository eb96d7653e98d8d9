package budget

import (
	"errors"
	"fmt"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// Of the record that a later one names as a checkpoint, all must be that of one.
func TestOnlyACheckpointIsTakenForOne(t *testing.T) {
	made := func(change func(*record)) *Record {
		r := record{Seq: 8, Kind: KindCheckpoint, At: "2026-11-25T22:00:00Z", Digest: hexOf(digest{}), Checkpoint: 4}
		change(&r)
		data, _, err := r.encode()
		if err != nil {
			t.Fatal(err)
		}
		return &Record{Seq: 8, Data: data}
	}
	if _, err := checkpointAt(8, made(func(*record) {})); err != nil {
		t.Error(err)
	}
	for name, rec := range map[string]*Record{
		"none":                 nil,
		"another kind":         made(func(r *record) { r.Kind, r.Digest, r.Reason, r.By = KindFreeze, "", "r", "b" }),
		"another number":       made(func(r *record) { r.Seq = 9 }),
		"itself named":         made(func(r *record) { r.Checkpoint = 8 }),
		"a later one named":    made(func(r *record) { r.Checkpoint = 9 }),
		"what is not readable": {Seq: 8, Data: []byte("{}")},
	} {
		if _, err := checkpointAt(8, rec); !errors.Is(err, ErrTampered) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whoever writes a checkpoint knows that it did: nobody was faster.
func TestWhoeverWritesACheckpointHasNoConflict(t *testing.T) {
	tails(t, 3)
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 10}))
	for i := range 12 {
		if _, err := a.Spend(t.Context(), testCharge(fmt.Sprint(i), dp.Pure{Epsilon: 0.125})); err != nil {
			t.Fatal(err)
		}
		if n := len(stored(a)); a.state.next != uint64(n) {
			t.Fatalf("%d records are known of %d", a.state.next, n)
		}
	}
	if c := a.Counts(); c != (Counts{Spent: 12}) || a.state.checkpoint == 0 {
		t.Errorf("%+v, and the last checkpoint is %d", c, a.state.checkpoint)
	}
}

// An index that leads to the payment of another key is found.
func TestAnIndexThatLeadsToAnotherKeyIsFound(t *testing.T) {
	tails(t, 3)
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 10}))
	for i := range 5 {
		if _, err := a.Spend(t.Context(), testCharge(fmt.Sprint(i), dp.Pure{Epsilon: 0.125})); err != nil {
			t.Fatal(err)
		}
	}
	b, err := Open(t.Context(), a.store, a.name)
	if err != nil {
		t.Fatal(err)
	}
	b.state.old.keys[hashOf([]byte("x"))] = b.state.old.keys[hashOf([]byte("0"))]
	if _, err := b.Payment(t.Context(), "x"); !errors.Is(err, ErrTampered) {
		t.Errorf("Payment: %v", err)
	}
}

// What Kept finds is counted as repeated, and what it does not find is not counted.
func TestKeptCountsWhatItGives(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	c := testCharge("k", dp.Pure{Epsilon: 0.25})
	for _, step := range []struct {
		do   func() error
		want Counts
	}{
		{func() error { _, err := a.Kept(t.Context(), c); return err }, Counts{}},
		{func() error { _, err := a.Spend(t.Context(), c); return err }, Counts{Spent: 1}},
		{func() error { _, err := a.Kept(t.Context(), c); return err }, Counts{Spent: 1}},
		{func() error { _, err := a.Keep(t.Context(), c, []byte("41")); return err }, Counts{Spent: 1}},
		{func() error { _, err := a.Kept(t.Context(), c); return err }, Counts{Spent: 1, Repeated: 1}},
	} {
		if err := step.do(); err != nil || a.Counts() != step.want {
			t.Errorf("%v, counted as %+v, want %+v", err, a.Counts(), step.want)
		}
	}
}

func TestAnOrderOfAMillionIsNone(t *testing.T) {
	records := stored(newAccount(t, testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6})))
	for order, sound := range map[float64]bool{1: false, 1.5: true, 999_999: true, 1e6: false} {
		err := judge(t, forge(t, records, 0, func(m map[string]any) { m["orders"].(map[string]any)["account"] = order }))
		if sound != (err == nil) {
			t.Errorf("order %v: %v", order, err)
		}
	}
}
