package budget

import (
	"fmt"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// What was spent stays spent when the limit is raised: the account, then, has taken in
// all as much as one that had the larger limit from the start, and not more.
func TestARaisedAccountTakesWhatAFreshOneTakes(t *testing.T) {
	approx := func(e, d float64) dp.Loss { return dp.Approx{Epsilon: e, Delta: d} }
	gaussian := func(key string) dp.Charge { return gaussianCharge(key, approx(0.5, 1e-5), 20) }
	laplace := func(key string) dp.Charge { return laplaceCharge(key, dp.Pure{Epsilon: 0.05}, 20) }
	declares := func(l dp.Loss) func(string) dp.Charge {
		return func(key string) dp.Charge { return testCharge(key, l) }
	}
	for _, c := range []struct {
		name          string
		rule          Rule
		limit, larger dp.Loss
		charge        func(key string) dp.Charge
	}{
		{"basic", Basic, approx(1, 1e-6), approx(2, 2e-6), declares(approx(0.1, 1e-8))},
		{"basic, by δ", Basic, approx(1, 1e-6), approx(1, 3e-6), declares(approx(0.001, 1e-7))},
		{"pure", Default, dp.Pure{Epsilon: 1}, dp.Pure{Epsilon: 3}, declares(dp.Pure{Epsilon: 0.1})},
		{"ρ", ZCDP, dp.Concentrated{Rho: 0.1}, dp.Concentrated{Rho: 0.2}, gaussian},
		{"zCDP", ZCDP, approx(1, 1e-6), approx(2, 1e-6), gaussian},
		{"GDP", GDP, approx(1, 1e-6), approx(2, 1e-6), gaussian},
		{"GDP of Laplace", GDP, approx(1, 1e-6), approx(2, 1e-6), laplace},
		{"Rényi", Default, approx(1, 1e-6), approx(2, 1e-6), laplace},
	} {
		account := func(limit dp.Loss) *Account {
			terms := testTerms(limit)
			terms.Rule = c.rule
			return newAccount(t, terms)
		}
		key := 0
		spend := func(a *Account) int {
			return spendMany(t, a, 500, func(string) dp.Charge { key++; return c.charge(fmt.Sprint("charge ", key)) })
		}
		a := account(c.limit)
		before := spend(a)
		if err := a.Raise(t.Context(), c.larger, "test", "test"); err != nil {
			t.Fatal(err)
		}
		reopened, err := Open(t.Context(), a.store, "visits")
		if err != nil {
			t.Fatal(err)
		}
		after := spend(reopened)
		fresh := spend(account(c.larger))
		slack := 0
		if c.name == "Rényi" {
			slack = 10 // a fresh account puts most weight on the order that is best for the larger limit
		}
		if before == 0 || after == 0 || before+after > fresh || before+after < fresh-slack {
			t.Errorf("%s: %d charges fit, and %d more after raising the limit; a fresh account takes %d", c.name, before, after, fresh)
		}
	}
}

func TestAnEventThatDeclaresNothingIsRefused(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	c := testCharge("k", dp.Pure{Epsilon: 0.1})
	c.Events = append(c.Events, dp.Event{Mechanism: dp.Declared, Count: 1})
	if err := a.Afford(t.Context(), c); err == nil || isRefused(err) {
		t.Errorf("an event that declares nothing: %v, want an error that names it", err)
	}
}
