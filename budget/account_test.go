package budget

import (
	"errors"
	"fmt"
	"math/big"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// testCharge is a charge that declares a loss and nothing else.
func testCharge(key string, l dp.Loss) dp.Charge {
	return dp.Charge{
		Dataset: "visits", Unit: "patient", Purpose: "research", Key: key, Plan: "plan",
		Loss: l, Events: []dp.Event{declared(l)},
	}
}

var pureOne = dp.Pure{Epsilon: 1}

func declared(l dp.Loss) dp.Event {
	e := dp.Event{Mechanism: dp.Declared, Count: 1}
	switch l := l.(type) {
	case dp.Pure:
		e.Epsilon = exact.Decimal(l.Epsilon)
	case dp.Approx:
		e.Epsilon, e.Delta, _ = dp.PartsOf(l).Exact()
	case dp.Concentrated:
		e.Rho = exact.Decimal(l.Rho)
	}
	return e
}

// gaussianCharge adds Gaussian noise of standard deviation sigma to one number.
func gaussianCharge(key string, l dp.Loss, sigma int64) dp.Charge {
	c := testCharge(key, l)
	c.Events = []dp.Event{{
		Mechanism: dp.Gaussian, Count: 1, Scale: big.NewRat(sigma, 1),
		Sensitivity: dp.Sensitivity{L0: 1, LInf: 1},
	}}
	return c
}

func laplaceCharge(key string, l dp.Loss, scale int64) dp.Charge {
	c := gaussianCharge(key, l, scale)
	c.Events[0].Mechanism = dp.Laplace
	return c
}

func testTerms(l dp.Loss) Terms { return Terms{Dataset: "visits", Unit: "patient", Limit: l} }

func newAccount(t testing.TB, terms Terms) *Account {
	t.Helper()
	a, err := Create(t.Context(), Memory(), terms)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// spendMany spends up to n charges and returns how many were accepted.
func spendMany(t testing.TB, a *Account, n int, charge func(key string) dp.Charge) int {
	t.Helper()
	for i := range n {
		_, err := a.Spend(t.Context(), charge(fmt.Sprint("many ", i)))
		if _, ok := errors.AsType[*RefusedError](err); ok {
			return i
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func TestTenTenthsAreOne(t *testing.T) {
	for _, rule := range []Rule{Default, Basic} {
		terms := testTerms(dp.Pure{Epsilon: 1})
		terms.Rule = rule
		a := newAccount(t, terms)
		got := spendMany(t, a, 20, func(key string) dp.Charge { return testCharge(key, dp.Pure{Epsilon: 0.1}) })
		if got != 10 {
			t.Errorf("rule %v: %d tenths fit into 1, want 10", rule, got)
		}
	}
}

func TestWholeLimitAtOnce(t *testing.T) {
	l := dp.Approx{Epsilon: 1, Delta: 1e-6}
	a := newAccount(t, testTerms(l))
	if _, err := a.Spend(t.Context(), testCharge("all", l)); err != nil {
		t.Fatal(err)
	}
	_, err := a.Spend(t.Context(), testCharge("more", dp.Pure{Epsilon: 1e-9}))
	want := `budget: account "visits" refused ε=1e-09: account has nothing left of ε=1 δ=1e-06; nothing fits any more`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %v", err, want)
	}
}

func TestCreateAndOpen(t *testing.T) {
	s := Memory()
	terms := testTerms(dp.Pure{Epsilon: 1})
	if _, err := Open(t.Context(), s, "visits"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Open of nothing: %v, want ErrNotFound", err)
	}
	if _, err := Create(t.Context(), s, terms); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(t.Context(), s, terms); !errors.Is(err, ErrExists) {
		t.Errorf("second Create: %v, want ErrExists", err)
	}
	a, err := Open(t.Context(), s, "visits")
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Terms(); got.Limit != terms.Limit || got.Unit != terms.Unit {
		t.Errorf("terms are %+v, want %+v", got, terms)
	}
}

func TestGaussiansUnderDefault(t *testing.T) {
	a := newAccount(t, testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6}))
	got := spendMany(t, a, 200, func(key string) dp.Charge {
		return gaussianCharge(key, dp.Approx{Epsilon: 0.2, Delta: 1e-6}, 20)
	})
	if got < 17 || got > 22 {
		t.Errorf("%d Gaussian charges fit, want 17 to 22, the exact number if they were declared beforehand", got)
	}
}
