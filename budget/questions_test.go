package budget

import (
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// How many fit is bounded, and is of the limit that binds.
func TestHowManyHasAnEnd(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 2}))
	for epsilon, want := range map[float64]int{1e-6: howManyMost, 1e-7: howManyMost, 2e-6: howManyMost, 4e-6: howManyMost / 2, 2: 1, 3: 0} {
		n, then, err := a.HowMany(t.Context(), testCharge("k", dp.Pure{Epsilon: epsilon}))
		if n != want || err != nil || (then == nil) != (epsilon < 2e-6) {
			t.Errorf("ε=%v: %d, %v, %v, want %d", epsilon, n, then, err, want)
		}
	}
}

// A history under ρ is priced under ρ, and one that cannot be priced so says that.
func TestAHistoryIsPricedUnderARuleThatTakesIt(t *testing.T) {
	a := newAccount(t, Terms{Dataset: "visits", Unit: "patient", Limit: dp.Concentrated{Rho: 1}})
	for _, key := range []string{"a", "b"} {
		if _, err := a.Spend(t.Context(), gaussianCharge(key, dp.Concentrated{Rho: 0.125}, 2)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := a.Reprice(t.Context(), ZCDP)
	if err != nil || r.Rule != ZCDP || r.Loss != (dp.Concentrated{Rho: 0.25}) || r.Exact != nil || r.Unpriced {
		t.Errorf("under ZCDP: %+v, %v", r, err)
	}
	if r, err := a.Reprice(t.Context(), GDP); err == nil || r.Loss != nil {
		t.Errorf("under GDP: %+v, %v, want an error: it keeps no ρ", r, err)
	}
	approx := newAccount(t, testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6}))
	if r, err := approx.Reprice(t.Context(), GDP); err != nil || r.Loss != nil || r.Exact != nil || r.Unpriced {
		t.Errorf("nothing spent: %+v, %v", r, err)
	}
	c := testCharge("k", dp.Approx{Epsilon: 0.5, Delta: 1e-7})
	if _, err := approx.Spend(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if r, err := approx.Reprice(t.Context(), ZCDP); err != nil || r.Loss != nil || !r.Unpriced {
		t.Errorf("a δ under ZCDP: %+v, %v, want unpriced", r, err)
	}
	if r, err := approx.Reprice(t.Context(), Basic); err != nil || r.Loss != (dp.Approx{Epsilon: 0.5, Delta: 1e-7}) || r.Unpriced {
		t.Errorf("under Basic: %+v, %v", r, err)
	}
}
