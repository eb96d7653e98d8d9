package budget

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

var pureOne = dp.Pure{Epsilon: 1}

// Of a pure loss the least factor is known: what is asked over what is left.
func TestTheSmallestScaleIsWhatIsAskedOverWhatIsLeft(t *testing.T) {
	for _, factor := range []float64{1.0000001, 1.5, 2, 3, 1000, 524287, 524289, 999_000, 1e6, 1.000_002e6, 1.04e6, 3e6} {
		a := newAccount(t, testTerms(dp.Pure{Epsilon: 1 / factor}))
		got, err := a.SmallestScale(t.Context(), testCharge("k", pureOne))
		switch {
		case factor > 1e6:
			refused, ok := errors.AsType[*RefusedError](err)
			if !ok || got != 0 || refused.Asked != pureOne {
				t.Errorf("%v: %v, %v, want the refusal of the charge", factor, got, err)
			}
		case err != nil || math.Abs(got/factor-1) > 2e-6 || got < factor*(1-1e-12):
			t.Errorf("%v: %v, %v", factor, got, err)
		}
	}
	a := newAccount(t, testTerms(pureOne))
	if got, err := a.SmallestScale(t.Context(), testCharge("k", pureOne)); got != 1 || err != nil {
		t.Errorf("what fits: %v, %v, want 1", got, err)
	}
	c := testCharge("k", pureOne)
	c.Purpose = ""
	if got, err := a.SmallestScale(t.Context(), c); got != 0 || err == nil {
		t.Errorf("a charge without a purpose: %v, %v", got, err)
	}
}

// Noise that is wider by a factor costs an ε that is less by it, a ρ by its square, and the
// same δ.
func TestWiderNoiseCostsLess(t *testing.T) {
	rat := big.NewRat
	c := testCharge("k", dp.Approx{Epsilon: 1, Delta: 1e-6})
	c.Events = []dp.Event{
		{Mechanism: dp.Laplace, Count: 2, Scale: rat(3, 1), Sensitivity: dp.Sensitivity{L0: 1, LInf: 1}},
		{Mechanism: dp.TruncatedGeometric, Count: 1, Epsilon: rat(1, 2), Delta: rat(1, 1000)},
		{Mechanism: dp.Declared, Count: 1, Rho: rat(1, 2)},
	}
	before := mustMarshal(c)
	wide := withNoise(c, 4)
	if l := (dp.Approx{Epsilon: 0.25, Delta: 1e-6}); wide.Loss != l {
		t.Errorf("its loss is %v, want %v", wide.Loss, l)
	}
	e := wide.Events
	if e[0].Scale.Cmp(rat(12, 1)) != 0 || e[0].Count != 2 || e[1].Epsilon.Cmp(rat(1, 8)) != 0 || e[1].Delta.Cmp(rat(1, 1000)) != 0 || e[2].Rho.Cmp(rat(1, 32)) != 0 {
		t.Errorf("its events are %s", mustMarshal(e))
	}
	if e[0].Epsilon != nil || e[0].Rho != nil || e[1].Scale != nil || e[2].Epsilon != nil {
		t.Errorf("its events have what they had not: %s", mustMarshal(e))
	}
	if after := mustMarshal(c); string(after) != string(before) {
		t.Errorf("the charge itself became %s", after)
	}
	if l := withNoise(testCharge("k", dp.Concentrated{Rho: 1}), 2).Loss; l != (dp.Concentrated{Rho: 0.25}) {
		t.Errorf("ρ=1 becomes %v, want ρ=0.25", l)
	}
}

// How many fit is bounded, and is of the limit that binds.
func TestHowManyHasAnEnd(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 2}))
	for epsilon, want := range map[float64]int{1e-6: howManyMost, 1e-7: howManyMost, 2e-6: howManyMost, 4e-6: howManyMost / 2, 2: 1, 3: 0} {
		n, then, err := a.Room(t.Context(), testCharge("k", dp.Pure{Epsilon: epsilon}))
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
