package budget

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

func refusalOf(t *testing.T, err error) *RefusedError {
	t.Helper()
	r, ok := errors.AsType[*RefusedError](err)
	if !ok {
		t.Fatalf("got %v, want a refusal", err)
	}
	return r
}

func TestARefusalNamesTheNumberOfTheLimitThatBinds(t *testing.T) {
	approx := func(e, d float64) dp.Loss { return dp.Approx{Epsilon: e, Delta: d} }
	for _, c := range []struct {
		rule         Rule
		limit        dp.Loss
		spent, asked dp.Loss
		binds, text  string
	}{
		{Basic, approx(3, 3e-6), approx(0.5, 2.5e-6), approx(0.5, 1e-6), "delta", "has ε=2.5 δ=5e-07 left of ε=3 δ=3e-06, too little δ; ε=0.5 δ=5e-07 fits"},
		{Basic, approx(3, 3e-6), approx(0.5, 3e-6), approx(0.5, 1e-6), "delta", "has ε=2.5 left of ε=3 δ=3e-06, too little δ; ε=0.5 fits"},
		{Basic, approx(3, 3e-6), approx(2.8, 1e-6), approx(0.5, 1e-6), "epsilon", "too little ε;"},
		{Basic, approx(3, 3e-6), approx(2.8, 2.5e-6), approx(0.5, 1e-6), "epsilon delta", "too little ε and δ;"},
		{Default, approx(3, 3e-6), approx(2, 2.5e-6), approx(0.5, 1e-6), "delta", "too little δ;"},
		{Default, approx(3, 3e-6), approx(2, 1e-6), approx(2, 1e-6), "epsilon", "too little ε;"},
		{Basic, dp.Pure{Epsilon: 1}, dp.Pure{Epsilon: 0.7}, dp.Pure{Epsilon: 0.4}, "epsilon", "has ε=0.3 left of ε=1; ε=0.3 fits"},
		{ZCDP, dp.Concentrated{Rho: 1}, dp.Concentrated{Rho: 0.75}, dp.Concentrated{Rho: 0.5}, "rho", "has ρ=0.25 left of ρ=1; ρ=0.25 fits"},
		{GDP, approx(1, 1e-6), dp.Pure{Epsilon: 0.9}, dp.Pure{Epsilon: 0.9}, "epsilon", ""},
		{GDP, approx(1, 1e-6), dp.Pure{Epsilon: 0.1}, approx(0.1, 1e-7), "delta", "Terms.EventShare"},
	} {
		terms := testTerms(c.limit)
		terms.Rule = c.rule
		a := newAccount(t, terms)
		if _, err := a.Spend(t.Context(), testCharge("first", c.spent)); err != nil {
			t.Fatalf("%v under rule %v: %v", c.spent, c.rule, err)
		}
		r := refusalOf(t, a.Afford(t.Context(), testCharge("second", c.asked)))
		if got := strings.Join(r.Binds, " "); got != c.binds || !strings.Contains(r.Error(), c.text) || r.Scope != "account" {
			t.Errorf("%v after %v under rule %v binds %q, want %q, in %q: %v", c.asked, c.spent, c.rule, got, c.binds, c.text, r)
		}
	}
}

// Of the ways to see a charge, the one in which less is missing says what binds: here
// its events, which have no δ of their own.
func TestARefusalLooksAtTheWayInWhichLessIsMissing(t *testing.T) {
	terms := testTerms(dp.Approx{Epsilon: 0.01, Delta: 1e-6})
	terms.Rule = GDP
	a := newAccount(t, terms)
	if r := refusalOf(t, a.Afford(t.Context(), gaussianCharge("k", dp.Approx{Epsilon: 1, Delta: 1e-5}, 20))); !slices.Equal(r.Binds, []string{"epsilon"}) {
		t.Errorf("%v binds %q, want ε alone", r, r.Binds)
	}
}

// Only what can never fit has a reason beside its amounts.
func TestARefusalOfWhatFittedBeforeIsAMatterOfAmounts(t *testing.T) {
	for _, rule := range []Rule{Default, GDP, ZCDP} {
		terms := testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6})
		terms.Rule = rule
		a := newAccount(t, terms)
		charge := func(key string) dp.Charge { return gaussianCharge(key, dp.Approx{Epsilon: 0.5, Delta: 1e-5}, 20) }
		if n := spendMany(t, a, 100, charge); n < 10 || n > 22 {
			t.Errorf("rule %v: %d Gaussians fit, want 10 to 22", rule, n)
		}
		if r := refusalOf(t, a.Afford(t.Context(), charge("one more"))); r.Reason != "" || !slices.Equal(r.Binds, []string{"epsilon"}) {
			t.Errorf("rule %v: %v binds %q, for the reason %q", rule, r, r.Binds, r.Reason)
		}
	}
}

func TestARefusalNamesTheScopeThatBinds(t *testing.T) {
	terms := testTerms(dp.Approx{Epsilon: 10, Delta: 1e-5})
	terms.Purposes = map[string]dp.Loss{"ads": dp.Approx{Epsilon: 10, Delta: 1e-7}}
	terms.Rule = Basic
	a := newAccount(t, terms)
	c := testCharge("k", dp.Approx{Epsilon: 1, Delta: 1e-6})
	c.Purpose = "ads"
	if r := refusalOf(t, a.Afford(t.Context(), c)); r.Scope != `purpose "ads"` || !slices.Equal(r.Binds, []string{"delta"}) || r.Limit != terms.Purposes["ads"] {
		t.Errorf("%v: binds %q of %v in %s", r, r.Binds, r.Limit, r.Scope)
	}
}

func TestRoomIsWhatFitsAndTheRefusalAfterIt(t *testing.T) {
	for seed := range 60 {
		g := rand.New(rand.NewPCG(uint64(seed), 3))
		terms := testTerms(dp.Approx{Epsilon: 3, Delta: 3e-6})
		terms.Rule = Rule(g.IntN(4))
		terms.EventShare = 0.25
		a := newAccount(t, terms)
		charge := func(key string) dp.Charge {
			return gaussianCharge(key, dp.Approx{Epsilon: 0.5, Delta: 2e-6}, 15)
		}
		if g.IntN(2) == 0 {
			l := dp.Approx{Epsilon: 0.1 + g.Float64(), Delta: 2e-7 * g.Float64()}
			charge = func(key string) dp.Charge { return testCharge(key, l) }
		}
		n, then, err := a.HowMany(t.Context(), charge("k"))
		if err != nil || then == nil {
			t.Fatalf("seed %d: %d fit, then %v, %v", seed, n, then, err)
		}
		for i := range n {
			if _, err := a.Spend(t.Context(), charge(fmt.Sprint(i))); err != nil {
				t.Fatalf("seed %d: %d fit, and of them number %d: %v", seed, n, i, err)
			}
		}
		r := refusalOf(t, a.Afford(t.Context(), charge("k")))
		if !slices.Equal(r.Binds, then.Binds) || r.Scope != then.Scope || r.Limit != then.Limit {
			t.Errorf("seed %d: the next one was to be refused by %v (%v), and is by %v (%v)", seed, then, then.Binds, r, r.Binds)
		}
	}
}

// What a refusal names is enough: with those numbers of the limit raised, and no
// others, the charge fits.
func TestRaisingWhatBindsIsEnough(t *testing.T) {
	named := map[string]int{}
	for seed := range 200 {
		g := rand.New(rand.NewPCG(uint64(seed), 4))
		terms := testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6})
		terms.Rule, terms.EventShare = Rule(g.IntN(4)), 0.3
		a := newAccount(t, terms)
		c := func(key string) dp.Charge {
			switch g.IntN(3) {
			case 0:
				return testCharge(key, dp.Approx{Epsilon: g.Float64(), Delta: 3e-7 * g.Float64()})
			case 1:
				return testCharge(key, dp.Pure{Epsilon: g.Float64()})
			}
			return gaussianCharge(key, dp.Approx{Epsilon: 0.5, Delta: 1e-6}, 10+g.Int64N(40))
		}
		for i := range 200 {
			charge := c(fmt.Sprint(i))
			_, err := a.Spend(t.Context(), charge)
			if err == nil {
				continue
			}
			r := refusalOf(t, err)
			if r.Reason != "" {
				break
			}
			limit := terms.Limit.(dp.Approx)
			for _, name := range r.Binds {
				named[name]++
				switch name {
				case "epsilon":
					limit.Epsilon = 100
				case "delta":
					limit.Delta = 1e-4
				default:
					t.Errorf("seed %d: %v binds %q", seed, r, name)
				}
			}
			if err := a.Raise(t.Context(), limit, "test", "test"); err != nil {
				t.Fatal(err)
			}
			if err := a.Afford(t.Context(), charge); err != nil {
				t.Errorf("seed %d, rule %v: with %v raised, %v", seed, terms.Rule, r.Binds, err)
			}
			break
		}
	}
	if named["epsilon"] < 20 || named["delta"] < 10 {
		t.Errorf("named are %v, want ε and δ often", named)
	}
}
