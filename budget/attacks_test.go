package budget

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

func isRefused(err error) bool {
	_, ok := errors.AsType[*RefusedError](err)
	return ok
}

func spentOf(t *testing.T, a *Account) dp.Loss {
	t.Helper()
	s, err := a.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.Whole.Spent
}

// E1: charges that are no numbers.
func TestChargesThatAreNoNumbersAreRefused(t *testing.T) {
	a := newAccount(t, testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6}))
	for i, l := range []dp.Loss{
		dp.Pure{Epsilon: math.NaN()}, dp.Pure{Epsilon: -1}, dp.Pure{Epsilon: math.Inf(1)}, dp.Pure{Epsilon: 0},
		dp.Approx{Epsilon: 0.1, Delta: 1.5}, dp.Approx{Epsilon: 0.1, Delta: math.NaN()}, dp.Approx{Epsilon: 0.1, Delta: -1e-9},
		dp.Concentrated{Rho: math.Inf(-1)}, nil,
	} {
		c := testCharge(fmt.Sprint("bad ", i), dp.Pure{Epsilon: 0.1})
		c.Loss = l
		if _, err := a.Spend(t.Context(), c); err == nil || isRefused(err) {
			t.Errorf("loss %v: %v, want an error about the charge", l, err)
		}
	}
	for i, break_ := range []func(*dp.Charge){
		func(c *dp.Charge) { c.Dataset = "other" },
		func(c *dp.Charge) { c.Unit = "household" },
		func(c *dp.Charge) { c.Key = "" },
		func(c *dp.Charge) { c.Key = "\xff" },
		func(c *dp.Charge) { c.Purpose = strings.Repeat("x", maxName+1) },
		func(c *dp.Charge) { c.Events = nil },
		func(c *dp.Charge) { c.Events[0].Count = 0 },
		func(c *dp.Charge) { c.Periods = []string{""} },
	} {
		c := testCharge(fmt.Sprint("broken ", i), dp.Pure{Epsilon: 0.1})
		break_(&c)
		if _, err := a.Spend(t.Context(), c); err == nil || isRefused(err) {
			t.Errorf("broken charge %d: %v, want an error about the charge", i, err)
		}
	}
	if l := spentOf(t, a); l != nil {
		t.Errorf("bad charges spent %v", l)
	}
	if _, err := a.Spend(t.Context(), testCharge("over", dp.Pure{Epsilon: 1.1})); !isRefused(err) {
		t.Errorf("a charge over the limit: %v, want a refusal", err)
	}
}

// E2: charges too small for a float sum.
func TestTinyChargesAreCounted(t *testing.T) {
	for _, tiny := range []float64{1e-17, 5e-324} {
		a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
		if _, err := a.Spend(t.Context(), testCharge("half", dp.Pure{Epsilon: 0.5})); err != nil {
			t.Fatal(err)
		}
		const n = 200
		if got := spendMany(t, a, n, func(key string) dp.Charge { return testCharge(key, dp.Pure{Epsilon: tiny}) }); got != n {
			t.Fatalf("%d of %d tiny charges fit", got, n)
		}
		want := exact.Decimal(tiny)
		want.Mul(want, big.NewRat(n, 1)).Add(want, big.NewRat(1, 2))
		if got := exact.Decimal(spentOf(t, a).(dp.Pure).Epsilon); got.Cmp(want) < 0 {
			t.Errorf("spent %v is less than the exact sum", got)
		}
		if _, err := a.Spend(t.Context(), testCharge("rest", dp.Pure{Epsilon: 0.5})); !isRefused(err) {
			t.Errorf("0.5 after 0.5 and tiny charges: %v, want a refusal", err)
		}
	}
}

// E3: rounding lets too much through.
func TestDecimalsAddUpExactly(t *testing.T) {
	a := newAccount(t, testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6}))
	got := spendMany(t, a, 20, func(key string) dp.Charge { return testCharge(key, dp.Pure{Epsilon: 0.1}) })
	if got < 10 {
		t.Errorf("%d tenths fit into 1, want at least 10", got)
	}
	terms := testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6})
	terms.Rule = Basic
	b := newAccount(t, terms)
	got = spendMany(t, b, 20, func(key string) dp.Charge { return testCharge(key, dp.Approx{Epsilon: 0.1, Delta: 1e-7}) })
	if got != 10 {
		t.Errorf("%d tenths fit into 1 under Basic, want 10", got)
	}
}

// E4: two checks, then two charges.
func TestManyGoroutinesStayWithinTheLimit(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	var accepted atomic.Int64
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 60 {
				_, err := a.Spend(t.Context(), testCharge(fmt.Sprint(g, " ", i), dp.Pure{Epsilon: 0.01}))
				if err == nil {
					accepted.Add(1)
				} else if !isRefused(err) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := accepted.Load(); n != 100 {
		t.Errorf("%d hundredths were accepted, want 100", n)
	}
	if r, err := a.Verify(t.Context()); err != nil || r.Charges != 100 {
		t.Errorf("Verify: %+v, %v", r, err)
	}
}

// E5: several accounts have one store, as several processes
// would. Package budgettest does it with processes.
func TestAccountsOverOneStoreStayWithinTheLimit(t *testing.T) {
	s := Memory()
	if _, err := Create(t.Context(), s, testTerms(dp.Pure{Epsilon: 1})); err != nil {
		t.Fatal(err)
	}
	var accepted atomic.Int64
	var wg sync.WaitGroup
	for h := range 4 {
		a, err := Open(t.Context(), s, "visits")
		if err != nil {
			t.Fatal(err)
		}
		for g := range 4 {
			wg.Go(func() {
				for i := range 20 {
					c := testCharge(fmt.Sprint(h, g, i), dp.Pure{Epsilon: 0.01})
					if _, err := a.Spend(t.Context(), c); err == nil {
						accepted.Add(1)
					} else if !isRefused(err) {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	if n := accepted.Load(); n != 100 {
		t.Errorf("%d hundredths were accepted, want 100", n)
	}
}

// oldCopy is a store as it was some records ago.
func oldCopy(t *testing.T, s Store, n int) Store {
	t.Helper()
	old := Memory()
	for rec, err := range s.Read(t.Context(), "visits", 0) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Seq < uint64(n) {
			if err := old.Append(t.Context(), "visits", rec); err != nil {
				t.Fatal(err)
			}
		}
	}
	return old
}

// E8: an older copy.
func TestAnOlderCopyIsFound(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	spendMany(t, a, 5, func(key string) dp.Charge { return testCharge(key, dp.Pure{Epsilon: 0.1}) })
	anchor, err := a.Anchor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ParseAnchor(anchor.String())
	if err != nil || parsed != anchor {
		t.Fatalf("ParseAnchor(%q) = %v, %v", anchor, parsed, err)
	}
	if _, err := Open(t.Context(), a.store, "visits", anchor); err != nil {
		t.Errorf("Open of the whole account: %v", err)
	}
	old := oldCopy(t, a.store, 3)
	if _, err := Open(t.Context(), old, "visits", anchor); !errors.Is(err, ErrTampered) {
		t.Errorf("Open of an older copy with an anchor: %v, want ErrTampered", err)
	}
	b, err := Open(t.Context(), old, "visits")
	if err != nil {
		t.Fatalf("Open of an older copy without an anchor, which is not covered: %v", err)
	}
	// The fork goes on to be as long as the original.
	spendMany(t, b, 5, func(key string) dp.Charge { return testCharge("other "+key, dp.Pure{Epsilon: 0.1}) })
	if _, err := b.Verify(t.Context(), anchor); !errors.Is(err, ErrTampered) {
		t.Errorf("Verify of a fork with an anchor: %v, want ErrTampered", err)
	}
	a.store = old // under the feet of an open account
	if _, err := a.Spend(t.Context(), testCharge("after", dp.Pure{Epsilon: 0.1})); err == nil {
		t.Error("an open account went on after its store was replaced")
	}
}

// E9: a deleted file is a new budget.
func TestOpenNeverCreates(t *testing.T) {
	s := Memory()
	if _, err := Open(t.Context(), s, "visits"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Open: %v, want ErrNotFound", err)
	}
	for rec := range s.Read(t.Context(), "visits", 0) {
		t.Errorf("Open wrote record %d", rec.Seq)
	}
	if _, err := Create(t.Context(), s, testTerms(dp.Pure{Epsilon: 1})); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(t.Context(), s, testTerms(dp.Pure{Epsilon: 9})); !errors.Is(err, ErrExists) {
		t.Errorf("Create with a larger limit: %v, want ErrExists", err)
	}
}

// E10: a request that is repeated.
func TestOneKeyIsPaidOnce(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	c := testCharge("k", dp.Pure{Epsilon: 0.6})
	first, err := a.Spend(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Keep(t.Context(), c, []byte("release")); err != nil {
		t.Fatal(err)
	}
	again, err := a.Spend(t.Context(), c)
	if err != nil || again.Entry != first.Entry || again.Hash != first.Hash || string(again.Kept) != "release" {
		t.Errorf("second Spend: %+v, %v, want the first payment and its release", again, err)
	}
	if err := a.Afford(t.Context(), c); err != nil {
		t.Errorf("Afford of what was paid: %v", err)
	}
	kept, err := a.Keep(t.Context(), c, []byte("another"))
	if err != nil || string(kept) != "release" {
		t.Errorf("second Keep: %q, %v, want the first release", kept, err)
	}
	if l := spentOf(t, a); l != (dp.Pure{Epsilon: 0.6}) {
		t.Errorf("spent %v, want ε=0.6", l)
	}
	other := c
	other.Plan = "another"
	for name, err := range map[string]error{
		"Spend": second(a.Spend(t.Context(), other)), "Afford": a.Afford(t.Context(), other),
		"Keep": second(a.Keep(t.Context(), other, []byte("x"))),
	} {
		if !errors.Is(err, ErrKeyReused) {
			t.Errorf("%s under a used key: %v, want ErrKeyReused", name, err)
		}
	}
	if _, err := a.Keep(t.Context(), testCharge("never", dp.Pure{Epsilon: 1}), []byte("x")); !errors.Is(err, ErrNotPaid) {
		t.Errorf("Keep without Spend: %v, want ErrNotPaid", err)
	}
}

func second[T any](_ T, err error) error { return err }

func third[T, U any](_ T, _ U, err error) error { return err }

// E10: a request that is repeated.
func TestOneKeyAtOnceIsPaidOnce(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	c := testCharge("k", dp.Pure{Epsilon: 1})
	entries := make(chan uint64, 32)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			p, err := a.Spend(t.Context(), c)
			if err != nil {
				t.Error(err)
			}
			entries <- p.Entry
		})
	}
	wg.Wait()
	close(entries)
	for e := range entries {
		if e != 1 {
			t.Errorf("paid by entry %d, want 1 for all", e)
		}
	}
}

// E11: δ is never checked.
func TestDeltaIsChecked(t *testing.T) {
	for _, rule := range []Rule{Default, Basic, GDP, ZCDP} {
		terms := testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6})
		terms.Rule = rule
		a := newAccount(t, terms)
		_, err := a.Spend(t.Context(), testCharge("k", dp.Approx{Epsilon: 0.1, Delta: 2e-6}))
		if !isRefused(err) {
			t.Errorf("rule %v: a charge with twice the δ: %v, want a refusal", rule, err)
		}
	}
}

// E12: compares what the rules accept with the exact δ of the
// composition of randomised responses, in the hardest case for a formula: all
// equal, up to the limit.
func TestCompositionIsNotCheaperThanTheExactDelta(t *testing.T) {
	for _, rule := range []Rule{Default, GDP, ZCDP, Basic} {
		for _, e := range []float64{0.05, 0.2, 0.5, 1} {
			limit := dp.Approx{Epsilon: 2, Delta: 1e-4}
			terms := testTerms(limit)
			terms.Rule = rule
			n, _, err := newAccount(t, terms).HowMany(t.Context(), testCharge("k", dp.Pure{Epsilon: e}))
			if err != nil {
				t.Fatal(err)
			}
			if delta := binomialDelta(n, e, limit.Epsilon); delta > limit.Delta*(1+1e-9) {
				t.Errorf("rule %v: %d charges of ε=%v have δ = %v, more than %v", rule, n, e, delta, limit.Delta)
			}
		}
	}
}

// binomialDelta is the exact hockey-stick divergence of n randomised responses.
func binomialDelta(n int, e, epsilon float64) float64 {
	p := 1 / (1 + math.Exp(-e))
	delta := 0.0
	for k := range n + 1 {
		lg, _ := math.Lgamma(float64(n + 1))
		lk, _ := math.Lgamma(float64(k + 1))
		lnk, _ := math.Lgamma(float64(n - k + 1))
		mass := math.Exp(lg - lk - lnk + float64(k)*math.Log(p) + float64(n-k)*math.Log(1-p))
		delta += mass * max(0, 1-math.Exp(epsilon-float64(2*k-n)*e))
	}
	return delta
}

// E13: parallel composition of what overlaps.
func TestPeriodsAddUp(t *testing.T) {
	terms := testTerms(dp.Pure{Epsilon: 1})
	terms.Period = dp.Pure{Epsilon: 0.5}
	a := newAccount(t, terms)
	spend := func(key string, e float64, periods ...string) error {
		c := testCharge(key, dp.Pure{Epsilon: e})
		c.Periods = periods
		_, err := a.Spend(t.Context(), c)
		return err
	}
	for _, c := range []struct {
		key     string
		e       float64
		periods []string
		fits    bool
	}{
		{"a", 0.3, []string{"1", "2"}, true},
		{"b", 0.3, []string{"2", "3"}, false}, // 2 would have 0.6
		{"c", 0.5, []string{"3", "3"}, true},  // named twice, counted once
		{"d", 0.3, []string{"4"}, false},      // the account would have 1.1
		{"e", 0.2, nil, false},                // must say which
		{"f", 0.2, []string{"1"}, true},
	} {
		if err := spend(c.key, c.e, c.periods...); (err == nil) != c.fits || (err != nil && !isRefused(err)) {
			t.Errorf("%s: ε=%v of periods %q: %v, want accepted: %v", c.key, c.e, c.periods, err, c.fits)
		}
	}
}

// E14: there is no way to change terms, and what was returned
// is a copy.
func TestTermsAreFinal(t *testing.T) {
	terms := testTerms(dp.Pure{Epsilon: 1})
	terms.Purposes = map[string]dp.Loss{"research": dp.Pure{Epsilon: 0.5}}
	a := newAccount(t, terms)
	terms.Purposes["ads"] = dp.Pure{Epsilon: 1}
	a.Terms().Purposes["research"] = dp.Pure{Epsilon: 9}
	c := testCharge("ads", dp.Pure{Epsilon: 0.1})
	c.Purpose = "ads"
	if _, err := a.Spend(t.Context(), c); !isRefused(err) {
		t.Errorf("a purpose that was added later: %v, want a refusal", err)
	}
	if _, err := a.Spend(t.Context(), testCharge("k", dp.Pure{Epsilon: 0.6})); !isRefused(err) {
		t.Errorf("more than the purpose has: %v, want a refusal", err)
	}
}

// E15: the clock.
func TestTheClockDecidesNothing(t *testing.T) {
	terms := testTerms(dp.Pure{Epsilon: 1})
	terms.Period = dp.Pure{Epsilon: 0.5}
	a := newAccount(t, terms)
	now := time.Now()
	a.now = func() time.Time { return now }
	charge := func(key string) dp.Charge {
		c := testCharge(key, dp.Pure{Epsilon: 0.5})
		c.Periods = []string{"2026-01"}
		return c
	}
	if _, err := a.Spend(t.Context(), charge("first")); err != nil {
		t.Fatal(err)
	}
	for i, step := range []time.Duration{-time.Hour, -200_000 * time.Hour, 876_000 * time.Hour} {
		now = now.Add(step)
		if _, err := a.Spend(t.Context(), charge(fmt.Sprint(i))); !isRefused(err) {
			t.Errorf("after a step of %v: %v, want a refusal", step, err)
		}
	}
	if err := a.Raise(t.Context(), dp.Pure{Epsilon: 2}, "ethics board, 3 May", "officer"); err != nil {
		t.Fatal(err)
	}
	b := testCharge("other", dp.Pure{Epsilon: 0.5})
	b.Periods = []string{"2026-02"}
	if _, err := a.Spend(t.Context(), b); err != nil {
		t.Errorf("after an explicit act: %v", err)
	}
}

// E16: a refund after something was revealed.
func TestNothingIsRefunded(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	ctx, cancel := context.WithCancel(t.Context())
	c := testCharge("k", dp.Pure{Epsilon: 1})
	if _, err := a.Spend(ctx, c); err != nil {
		t.Fatal(err)
	}
	cancel() // the caller fails after noise was drawn
	if _, err := a.Keep(ctx, c, []byte("x")); err == nil {
		t.Error("Keep with a cancelled context succeeded")
	}
	if l := spentOf(t, a); l != (dp.Pure{Epsilon: 1}) {
		t.Errorf("spent %v, want all", l)
	}
}

// E17: the same charges are decided alike whatever is kept.
func TestOnlyChargesDecide(t *testing.T) {
	decisions := func(release string) (out []bool) {
		a := newAccount(t, testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6}))
		for i := range 30 {
			c := gaussianCharge(fmt.Sprint(i), dp.Approx{Epsilon: 0.5, Delta: 1e-7}, int64(10+i))
			_, err := a.Spend(t.Context(), c)
			if err == nil && release != "" {
				if _, err := a.Keep(t.Context(), c, []byte(release)); err != nil {
					t.Fatal(err)
				}
			}
			out = append(out, err == nil)
		}
		return out
	}
	if a, b := decisions(""), decisions("a row"); fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("decisions differ:\n%v\n%v", a, b)
	}
}
