package budget_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// A refusal is read back as it was written, and nothing is read that it does not
// say.
func TestRefusalsAreReadBack(t *testing.T) {
	for _, f := range []budget.Refusal{
		{Purpose: "p", Key: "k", Asked: dp.Pure{Epsilon: 0.1}, Scope: "account"},
		{Purpose: "p", Key: "k", Analyst: "ann", Asked: dp.Approx{Epsilon: 1, Delta: 1e-7}, Scope: `purpose "p"`, Left: dp.Approx{Epsilon: 0.5, Delta: 1e-9}, Binds: []string{"epsilon", "delta"}},
		{Purpose: "p", Key: "k", Asked: dp.Concentrated{Rho: 0.25}, Scope: "account", Frozen: true, Reason: "an incident"},
	} {
		text, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		var back budget.Refusal
		if err := json.Unmarshal(text, &back); err != nil || !cmp.Equal(back, f) {
			t.Errorf("%s is read back as %+v, %v", text, back, err)
		}
		more := strings.Replace(string(text), "{", `{"rows":7,`, 1)
		if json.Unmarshal([]byte(more), &back) == nil {
			t.Errorf("%s is read", more)
		}
	}
}

// full refuses every record but the first.
type full struct{ budget.Store }

func (f full) Append(ctx context.Context, account string, records ...budget.Record) error {
	if records[0].Seq > 0 {
		return errors.Join(errors.New("the disk is full"), budget.ErrNotAppended)
	}
	return f.Store.Append(ctx, account, records...)
}

// Whoever is refused is told so, whether or not the refusal can be kept.
func TestARefusalThatCannotBeKeptIsARefusal(t *testing.T) {
	a, err := budget.Create(t.Context(), full{budget.Memory()}, budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 0.5}, Refusals: 9})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Spend(t.Context(), charge("k", 7)); !errors.As(err, new(*budget.RefusedError)) {
		t.Errorf("Spend: %v, want a refusal", err)
	}
	if n := a.Counts().Refused; n != 1 {
		t.Errorf("%d refusals are counted, want 1", n)
	}
}

// lost fails every record but the first, and reads nothing while it does, so that
// nobody knows what is there.
type lost struct {
	budget.Store
	down *bool
}

func (l lost) Append(ctx context.Context, account string, records ...budget.Record) error {
	err := l.Store.Append(ctx, account, records...)
	if *l.down {
		return errors.New("no answer")
	}
	return err
}

func (l lost) Read(ctx context.Context, account string, from uint64) iter.Seq2[budget.Record, error] {
	if *l.down && from > 1 {
		return func(yield func(budget.Record, error) bool) { yield(budget.Record{}, errors.New("no answer")) }
	}
	return l.Store.Read(ctx, account, from)
}

// If nobody knows whether a refusal was kept, it is a refusal all the same; and what
// comes after it is paid once the store answers.
func TestARefusalThatMayBeKeptIsARefusal(t *testing.T) {
	down := false
	a, err := budget.Create(t.Context(), lost{budget.Memory(), &down}, budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 0.5}, Refusals: 9})
	if err != nil {
		t.Fatal(err)
	}
	down = true
	if _, err := a.Spend(t.Context(), charge("k", 7)); !errors.As(err, new(*budget.RefusedError)) || errors.Is(err, budget.ErrUnknown) {
		t.Errorf("Spend: %v, want a refusal", err)
	}
	down = false
	if p, err := a.Spend(t.Context(), charge("small", 1)); err != nil || p.Entry != 2 {
		t.Errorf("Spend of what fits: entry %d, %v, want 2, after the refusal", p.Entry, err)
	}
	if _, err := a.Verify(t.Context()); err != nil {
		t.Errorf("Verify: %v", err)
	}
}

// Callers who are refused at the same time keep no more than the terms say, from
// however many processes.
func TestRefusalsAtTheSameTimeAreNoMoreThanTheTermsKeep(t *testing.T) {
	s := budget.Memory()
	if _, err := budget.Create(t.Context(), s, budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 0.5}, Refusals: 3}); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		a, err := budget.Open(t.Context(), s, "visits")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 8 {
			all.Go(func() { a.Spend(t.Context(), charge(fmt.Sprint("k", i), 7)) })
		}
	}
	all.Wait()
	a, err := budget.Open(t.Context(), s, "visits")
	if err != nil {
		t.Fatal(err)
	}
	if st, err := a.Status(t.Context()); err != nil || st.Entries != 4 {
		t.Errorf("%d entries (%v), want the terms and 3 refusals", st.Entries, err)
	}
}

// A freeze refuses, and its reason is kept with each refusal.
func TestRefusalsWhileFrozenSayWhy(t *testing.T) {
	a, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 1}, Refusals: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Freeze(t.Context(), "an incident", "officer"); err != nil {
		t.Fatal(err)
	}
	a.Spend(t.Context(), charge("k", 1))
	var last budget.Entry
	for e, err := range a.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		last = e
	}
	if f := last.Refused; f == nil || !f.Frozen || f.Reason != "an incident" || f.Key != "k" {
		t.Errorf("the last entry is %+v, want the refusal", last)
	}
}
