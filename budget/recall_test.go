package budget

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// garbled is a store of which one record is not what it was.
type garbled struct {
	Store
	at uint64
}

func (s *garbled) Read(ctx context.Context, account string, from uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for r, err := range s.Store.Read(ctx, account, from) {
			if r.Seq == s.at {
				r.Data = []byte("{}")
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// A payment from before the checkpoint whose record is not what it was is found when it is asked
// for, and the account is named.
func TestAPaymentThatWasGarbledIsFoundWhenItIsAskedFor(t *testing.T) {
	tails(t, 3)
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 10}))
	for _, key := range []string{"0", "1", "2", "3", "4"} {
		if _, err := a.Spend(t.Context(), testCharge(key, dp.Pure{Epsilon: 0.125})); err != nil {
			t.Fatal(err)
		}
	}
	b, err := Open(t.Context(), &garbled{a.store, 2}, a.name)
	if err != nil || b.state.checkpoint <= 2 {
		t.Fatalf("Open: %v; the test tests nothing", err)
	}
	for name, ask := range map[string]func() error{
		"Spend":   func() error { _, err := b.Spend(t.Context(), testCharge("1", dp.Pure{Epsilon: 0.125})); return err },
		"Payment": func() error { _, err := b.Payment(t.Context(), "1"); return err },
	} {
		if err := ask(); !errors.Is(err, ErrTampered) || !strings.HasPrefix(err.Error(), `budget: account "visits": `) {
			t.Errorf("%s: %v, want ErrTampered and the account", name, err)
		}
	}
	if err := b.recallPayment(t.Context(), 2); !errors.Is(err, ErrTampered) {
		t.Errorf("by its number: %v, want ErrTampered", err)
	}
	for seq, want := range map[uint64]string{0: "", 1: "0", 1 << 40: ""} { // what is no payment has no key
		if key, err := b.keyOf(t.Context(), seq); key != want || err != nil {
			t.Errorf("the key of record %d is %q, %v, want %q", seq, key, err, want)
		}
	}
}
