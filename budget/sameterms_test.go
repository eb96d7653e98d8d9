package budget

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equipoise-dp/equipoise/dp"
)

func fullTerms() Terms {
	return Terms{
		Dataset: "orders", Unit: "customer", Limit: dp.Approx{Epsilon: 2, Delta: 1e-6}, Rule: Default,
		Purposes: map[string]dp.Loss{"ads": dp.Approx{Epsilon: 1, Delta: 1e-6}, "care": dp.Approx{Epsilon: 2, Delta: 1e-6}},
		Period:   dp.Approx{Epsilon: 1, Delta: 1e-6}, Analyst: dp.Approx{Epsilon: 1.5, Delta: 1e-6},
	}
}

func TestOpenOrCreateNamesEveryFieldThatDiffers(t *testing.T) {
	small := dp.Approx{Epsilon: 0.5, Delta: 1e-6}
	for name, test := range map[string]struct {
		change func(*Terms)
		want   []string
	}{
		"nothing":        {func(*Terms) {}, nil},
		"share as meant": {func(t *Terms) { t.EventShare = 0.25 }, nil},
		"unit":           {func(t *Terms) { t.Unit = "" }, []string{`Terms.Unit is "customer", not ""`}},
		"limit":          {func(t *Terms) { t.Limit = small }, []string{"Terms.Limit is ε=2 δ=1e-06, not ε=0.5 δ=1e-06"}},
		"rule":           {func(t *Terms) { t.Rule = GDP; t.EventShare = 0.25 }, []string{"Terms.Rule is default, not gdp"}},
		"purpose": {func(t *Terms) { t.Purposes = map[string]dp.Loss{"ads": small, "care": t.Purposes["care"]} },
			[]string{`Terms.Purposes["ads"] is ε=1 δ=1e-06, not ε=0.5 δ=1e-06`}},
		"a purpose less and one more": {func(t *Terms) { t.Purposes = map[string]dp.Loss{"care": t.Purposes["care"], "new": small} },
			[]string{`Terms.Purposes["ads"] is ε=1 δ=1e-06, not none`, `Terms.Purposes["new"] is none, not ε=0.5 δ=1e-06`}},
		"no purposes": {func(t *Terms) { t.Purposes = nil },
			[]string{`Terms.Purposes is ["ads" "care"], not nil, which allows all`}},
		"period and analyst": {func(t *Terms) { t.Period, t.Analyst = nil, small },
			[]string{"Terms.Period is ε=1 δ=1e-06, not none", "Terms.Analyst is ε=1.5 δ=1e-06, not ε=0.5 δ=1e-06"}},
		"refusals": {func(t *Terms) { t.Refusals = 3 }, []string{"Terms.Refusals is 0, not 3"}},
		"share":    {func(t *Terms) { t.EventShare = 0.5 }, []string{"Terms.EventShare is 0.25, not 0.5"}},
	} {
		s := Memory()
		if _, err := OpenOrCreate(t.Context(), s, fullTerms()); err != nil {
			t.Fatal(err)
		}
		given := fullTerms()
		test.change(&given)
		a, err := OpenOrCreate(t.Context(), s, given)
		var got []string
		if e, ok := errors.AsType[*TermsError](err); ok {
			got = e.Fields
		}
		if (err == nil) != (test.want == nil) || (a == nil) != (err != nil) || !cmp.Equal(got, test.want) {
			t.Errorf("%s: %v\n%s", name, err, cmp.Diff(test.want, got))
		}
	}
}

// A raise is no other terms: a program that starts with the limit of the first
// day opens the account, and so does one that has the new limit.
func TestOpenOrCreateAfterARaise(t *testing.T) {
	s := Memory()
	a, err := OpenOrCreate(t.Context(), s, fullTerms())
	if err != nil {
		t.Fatal(err)
	}
	raised := dp.Approx{Epsilon: 3, Delta: 1e-6}
	if err := a.Raise(t.Context(), raised, "board decision", "ann"); err != nil {
		t.Fatal(err)
	}
	for limit, opens := range map[dp.Loss]bool{fullTerms().Limit: true, raised: true, dp.Approx{Epsilon: 2.5, Delta: 1e-6}: false} {
		given := fullTerms()
		given.Limit = limit
		if _, err := OpenOrCreate(t.Context(), s, given); (err == nil) != opens {
			t.Errorf("given %v: %v", limit, err)
		}
	}
}

func TestOpenOrCreateMakesNoAccountThatAnAnchorRemembers(t *testing.T) {
	a, err := OpenOrCreate(t.Context(), Memory(), fullTerms())
	if err != nil {
		t.Fatal(err)
	}
	anchor, err := a.Anchor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lost := Memory()
	if _, err := OpenOrCreate(t.Context(), lost, fullTerms(), anchor); !errors.Is(err, ErrTampered) {
		t.Errorf("got %v", err)
	}
	if names, err := lost.Accounts(t.Context()); len(names) != 0 || err != nil {
		t.Errorf("accounts %q, %v", names, err)
	}
}

func TestOpenOrCreateRefusesTermsThatMakeNoSense(t *testing.T) {
	if _, err := OpenOrCreate(t.Context(), Memory(), Terms{}); err == nil {
		t.Error("no error")
	}
}
