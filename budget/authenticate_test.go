package budget

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

type signedIn struct{}

// as is a context of whoever signed in, as a service has it.
func as(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, signedIn{}, name)
}

var errNoSession = errors.New("the session ended")

// bySession knows who signed in.
type bySession struct{}

func (bySession) Asker(ctx context.Context) (string, error) {
	if name, ok := ctx.Value(signedIn{}).(string); ok {
		return name, nil
	}
	return "", errNoSession
}

func lastEntry(t *testing.T, a *Account) (last Entry) {
	t.Helper()
	for e, err := range a.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		last = e
	}
	return last
}

func TestWhoAsksIsWhomTheChargeNames(t *testing.T) {
	s := Memory()
	a, err := Create(t.Context(), s, policyTerms())
	if err != nil {
		t.Fatal(err)
	}
	a.Authenticate(bySession{})
	ann, eve := as(t.Context(), "ann"), as(t.Context(), "eve")
	c := policyCharge("k", "opening hours", 1)
	if _, err := a.Spend(ann, c); err != nil {
		t.Fatal(err)
	}
	if e := lastEntry(t, a); !e.Charge.States.Authenticated || c.States.Authenticated {
		t.Errorf("the ledger has %+v, and the caller %+v", e.Charge.States, c.States)
	}
	if _, err := a.Keep(ann, c, []byte("42")); err != nil {
		t.Fatal(err)
	}
	if kept, err := a.Kept(ann, c); string(kept) != "42" || err != nil {
		t.Errorf("who asked is given %q, %v", kept, err)
	}
	fresh := policyCharge("k2", "opening hours", 1)
	reserved, err := a.Reserve(ann, policyCharge("k3", "opening hours", 1))
	if err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]func(context.Context) error{
		"spend":         func(ctx context.Context) error { _, err := a.Spend(ctx, fresh); return err },
		"spend again":   func(ctx context.Context) error { _, err := a.Spend(ctx, c); return err },
		"afford":        func(ctx context.Context) error { return a.Afford(ctx, fresh) },
		"reserve":       func(ctx context.Context) error { _, err := a.Reserve(ctx, fresh); return err },
		"draw":          func(ctx context.Context) error { _, err := reserved.Spend(ctx, fresh); return err },
		"afford a draw": func(ctx context.Context) error { return reserved.Afford(ctx, fresh) },
		"keep":          func(ctx context.Context) error { _, err := a.Keep(ctx, c, []byte("43")); return err },
		"read": func(ctx context.Context) error {
			kept, err := a.Kept(ctx, c)
			if kept != nil {
				t.Errorf("somebody else is given %q", kept)
			}
			return err
		},
	} {
		refusedBecause(t, try(eve), `who asks: "eve" asks, and the charge names "ann"`)
		refusedBecause(t, try(as(t.Context(), "")), "who asks: it could not be authenticated: the authenticator gives no name")
		err := try(t.Context())
		if refusedBecause(t, err, "who asks: it could not be authenticated"); !errors.Is(err, errNoSession) {
			t.Errorf("%s: %v does not wrap why", name, err)
		}
	}
	last := lastEntry(t, a)
	if r := last.Refused; r == nil || r.Scope != "who asks" || strings.Contains(r.Reason, errNoSession.Error()) {
		t.Errorf("the last entry is %+v with the refusal %+v", last, r)
	}
	if n := a.Counts().Refused; n < 3*6 {
		t.Errorf("%d refusals are counted", n)
	}
	again, err := Open(t.Context(), s, "visits")
	if err != nil {
		t.Fatal(err)
	}
	if r, err := again.Verify(t.Context()); err != nil || r.Charges != 2 {
		t.Errorf("of two charges %d are there: %v", r.Charges, err)
	}
}

// Nobody vouches for themselves: that somebody did is said by the account.
func TestThatSomebodyVouchedCannotBeClaimed(t *testing.T) {
	a, _ := policyAccount(t)
	claimed := policyCharge("k", "opening hours", 0.5)
	claimed.States = &dp.Statement{Authenticated: true}
	if _, err := a.Spend(as(t.Context(), "ann"), claimed); err != nil {
		t.Fatal(err)
	}
	if e := lastEntry(t, a); e.Charge.States.Authenticated {
		t.Error("who asks has said of themselves that somebody vouched for them")
	}
	d := visitsPolicy()
	d["version"], d["askers_authenticated"] = 2, true
	if err := a.SetPolicy(t.Context(), d.policy(t), "names can be claimed", "Rao"); err != nil {
		t.Fatal(err)
	}
	claimed.Key = "k2"
	_, err := a.Spend(as(t.Context(), "ann"), claimed)
	refusedBecause(t, err, `nobody vouches that "ann" asks`)
	silent := policyCharge("k3", "opening hours", 0.5)
	silent.States = nil
	_, err = a.Reserve(as(t.Context(), "ann"), silent)
	refusedBecause(t, err, `nobody vouches that "ann" asks`)
	a.Authenticate(bySession{})
	if _, err := a.Spend(as(t.Context(), "ann"), claimed); err != nil {
		t.Error(err)
	}
	a.Authenticate(nil)
	claimed.Key = "k4"
	_, err = a.Spend(as(t.Context(), "ann"), claimed)
	refusedBecause(t, err, `nobody vouches that "ann" asks`)
	if r, err := a.Verify(t.Context()); err != nil || len(r.AgainstPolicy) > 0 {
		t.Errorf("%v, %v", r.AgainstPolicy, err)
	}
}
