package aggregate_test

import (
	"errors"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

func twoPlans(t *testing.T, loss dp.Loss) (today, other *aggregate.Plan[order, customerID, string], count aggregate.Column[int64]) {
	t.Helper()
	q := orders()
	today, err := q.Plan(loss, q.Count(), q.Units())
	if err != nil {
		t.Fatal(err)
	}
	return today, aggregate.WithTwiceTheNoise(today), q.Count()
}

// A version of the library that chooses other noise for the same question gives
// the answer that was paid for, and reads no row.
func TestAnAnswerIsGivenWhateverNoiseAPlanOfTodayChooses(t *testing.T) {
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 1}, dp.Approx{Epsilon: 1, Delta: 1e-6}, dp.Concentrated{Rho: 0.5}} {
		today, other, count := twoPlans(t, loss)
		if today.Fingerprint() == other.Fingerprint() {
			t.Fatal("the plans are one")
		}
		account, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "orders", Unit: "customer", Limit: loss})
		if err != nil {
			t.Fatal(err)
		}
		request := aggregate.Request{Key: "k", Purpose: "test"}
		first, err := other.Run(t.Context(), account, request, aggregate.Slice(someOrders))
		if err != nil {
			t.Fatal(err)
		}
		again, err := today.Run(t.Context(), account, request, nil)
		if err != nil || !same(first, again, count) {
			t.Errorf("%v: a plan with other noise: %v", loss, err)
			continue
		}
		for k, c := range first.All() {
			d, _ := again.Cell(k)
			if count.Of(c).StdDev != count.Of(d).StdDev {
				t.Errorf("%v: %v has another accuracy than it had", loss, k)
			}
		}
	}
}

// What was paid and not kept covers the noise that was paid for, and no other.
func TestOtherNoiseIsNotDrawnForWhatWasPaid(t *testing.T) {
	loss := dp.Pure{Epsilon: 1}
	today, other, _ := twoPlans(t, loss)
	account := newAccount(t, loss)
	request := aggregate.Request{Key: "k", Purpose: "test"}
	if _, err := account.Spend(t.Context(), other.Charge(request)); err != nil {
		t.Fatal(err)
	}
	release, err := today.Run(t.Context(), account, request, aggregate.Slice(someOrders))
	if release != nil || !errors.Is(err, dp.ErrOtherNoise) || !errors.Is(err, budget.ErrKeyReused) {
		t.Errorf("Run: %v, %v", release, err)
	}
	if _, err := account.Spend(t.Context(), today.Charge(request)); !errors.Is(err, dp.ErrOtherNoise) {
		t.Errorf("Spend: %v", err)
	}
	if _, err := account.Keep(t.Context(), today.Charge(request), []byte("x")); !errors.Is(err, dp.ErrOtherNoise) {
		t.Errorf("Keep: %v", err)
	}
	if _, err := other.Run(t.Context(), account, request, aggregate.Slice(someOrders)); err != nil {
		t.Errorf("the version that paid: %v", err)
	}
}

// So are quantiles that are drawn: one, two with losses of their own, three, first
// roughly in many groups, and with intervals.
func TestDrawsThatWerePaidForAreGivenWhateverAPlanOfTodayChooses(t *testing.T) {
	for _, ranks := range [][]float64{{0.5}, {0.5, 0.95}, {0.25, 0.5, 0.75}} {
		for _, groups := range []int{1, 12} {
			for _, ends := range []bool{false, true} {
				q, _ := stays()
				q.Groups, q.MaxGroups = nil, 1
				for g := range groups {
					q.Groups = append(q.Groups, g)
				}
				v := aggregate.PerRow(q, "days", func(s stay) float64 { return s.days }, aggregate.Bounds[float64]{Lower: 0, Upper: 1e6})
				var columns []aggregate.AnyColumn
				for _, r := range ranks {
					if c := v.QuantileWithoutInterval(r); !ends {
						columns = append(columns, c)
					} else {
						columns = append(columns, v.Quantile(r))
					}
				}
				loss := dp.Concentrated{Rho: 0.5}
				today, err := q.Plan(loss, columns...)
				if err != nil {
					t.Fatal(err)
				}
				other := aggregate.WithTwiceTheNoise(today)
				if today.Fingerprint() == other.Fingerprint() {
					t.Fatal("the plans are one")
				}
				account, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "stays", Unit: "patient", Limit: loss})
				if err != nil {
					t.Fatal(err)
				}
				request := aggregate.Request{Key: "k", Purpose: "test"}
				first, err := other.Run(t.Context(), account, request, aggregate.Slice([]stay{{1, 0, 40}}))
				if err != nil {
					t.Fatal(err)
				}
				again, err := today.Run(t.Context(), account, request, nil)
				if err != nil {
					t.Errorf("%v, %d groups, intervals %v: %v", ranks, groups, ends, err)
					continue
				}
				if first.String() != again.String() {
					t.Errorf("%v, %d groups, intervals %v: another answer", ranks, groups, ends)
				}
			}
		}
	}
}
