package aggregate_test

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// Every field of a charge is that of the request, or of the plan: an account decides
// by all of them.
func TestAChargeSaysWhatTheRequestAndThePlanSay(t *testing.T) {
	q := orders()
	q.Groups = nil
	loss := dp.Approx{Epsilon: 1, Delta: 1e-6}
	plan, err := q.Plan(loss, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	request := aggregate.Request{Key: "a key", Purpose: "a purpose", Analyst: "an analyst", Periods: []string{"2026-05", "2026-06"}}
	charge := plan.Charge(request)
	if s := charge.States; s == nil || !s.Grouped || s.KeysGiven || s.LeastGroup < 2 || s.Module == "" {
		t.Errorf("it states %+v", s)
	}
	charge.Events, charge.States = nil, nil
	if len(charge.Question) != 64 || charge.Question == charge.Plan {
		t.Errorf("question is %q", charge.Question)
	}
	want := dp.Charge{
		Dataset: "orders", Unit: "customer", Purpose: "a purpose", Key: "a key", Plan: plan.Fingerprint(), Question: charge.Question,
		Analyst: "an analyst", Periods: []string{"2026-05", "2026-06"}, Loss: loss,
	}
	if diff := cmp.Diff(want, charge); diff != "" {
		t.Error(diff)
	}
	charge.Periods[0] = "another"
	if request.Periods[0] != "2026-05" {
		t.Error("a charge shares its periods with the request")
	}
	var paid dp.Charge
	p := newPurse()
	if _, err := plan.Run(t.Context(), p, request, aggregate.Slice(someOrders)); err != nil {
		t.Fatal(err)
	}
	if paid = p.charges[0]; cmp.Diff(paid, plan.Charge(request), compareRats) != "" {
		t.Errorf("Run pays %v and Charge says %v", paid, plan.Charge(request))
	}
}

var compareRats = cmp.Comparer(func(a, b *big.Rat) bool { return a == b || a != nil && b != nil && a.Cmp(b) == 0 })

// The δ of a plan that selects is paid for: all of it by the threshold with Laplace
// noise, and no more than all of it by threshold and noise with Gaussian noise.
func TestTheThresholdsDeltaIsThatOfThePlan(t *testing.T) {
	for _, maxGroups := range []int{1, 60} {
		q := orders()
		q.Groups, q.MaxGroups = nil, maxGroups
		loss := dp.Approx{Epsilon: 1, Delta: 1e-6}
		plan, err := q.Plan(loss, q.Count())
		if err != nil {
			t.Fatal(err)
		}
		share := big.NewRat(1, 1_000_000)
		if strings.Contains(plan.String(), "gaussian") {
			share = big.NewRat(1, 2_000_000)
		}
		events := plan.Charge(aggregate.Request{}).Events
		if last := events[len(events)-1]; last.Mechanism != dp.Threshold || last.Delta.Cmp(share) != 0 {
			t.Errorf("at most %d groups: the last event is %+v, want a threshold with δ = %v", maxGroups, last, share)
		}
	}
}

// A plan is what it was when it was made, whatever becomes of the query's list.
func TestAPlanKeepsItsOwnKeys(t *testing.T) {
	dptest.NoNoise(t)
	q := orders()
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	q.Groups[0], q.Groups[2] = "sun", "mon"
	var got []string
	for day, c := range run(t, plan, []order{{customer: 1, day: "mon"}, {customer: 1, day: "sun"}}).All() {
		got = append(got, fmt.Sprint(day, q.Count().Of(c).Value))
	}
	if want := []string{"mon1", "tue0", "wed0"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// someoneElses is a Budget whose Keep finds that another program was faster.
type someoneElses struct {
	*purse
	theirs []byte
}

func (s someoneElses) Keep(context.Context, dp.Charge, []byte) ([]byte, error) { return s.theirs, nil }

// Of two programs that answer one request at a time, both show what was kept, and
// nobody what it drew itself and did not keep.
func TestWhatIsKeptIsShownAndNotWhatWasDrawn(t *testing.T) {
	q := orders()
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	request := aggregate.Request{Key: "k", Purpose: "p"}
	first := newPurse()
	theirs, err := plan.Run(t.Context(), first, request, aggregate.Slice(someOrders))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 { // each draws the same three counts with a probability below 0.1
		ours, err := plan.Run(t.Context(), someoneElses{newPurse(), first.kept["k"]}, request, aggregate.Slice(someOrders))
		if err != nil {
			t.Fatal(err)
		}
		for day, c := range theirs.All() {
			if d, ok := ours.Cell(day); !ok || q.Count().Of(d).Raw().Value != q.Count().Of(c).Raw().Value {
				t.Fatalf("%s: what was kept has %v, and what is shown has %v", day, q.Count().Of(c), q.Count().Of(d))
			}
		}
	}
}

// A unit counts once in a group, however many rows it has; rows count each.
func TestUnitsCountOnceAndRowsEach(t *testing.T) {
	dptest.NoNoise(t)
	q := orders()
	q.MaxRowsPerGroup = 3
	cents := aggregate.PerUnit(q, "cents", func(o order) int64 { return o.cents }, aggregate.Bounds[int64]{Lower: 0, Upper: 100})
	euros := aggregate.PerRow(q, "euros", func(o order) float64 { return o.euros }, aggregate.Bounds[float64]{Lower: 0, Upper: 8, Step: 1})
	for name, columns := range map[string][]aggregate.AnyColumn{
		"alone": {q.Units(), q.Count()}, "with a mean per unit": {q.Units(), q.Count(), cents.Mean()}, "with a variance per row": {q.Units(), q.Count(), euros.Variance()},
	} {
		plan, err := q.Plan(dp.Pure{Epsilon: 1}, columns...)
		if err != nil {
			t.Fatal(err)
		}
		rows := []order{{customer: 1, day: "mon"}, {customer: 1, day: "mon"}, {customer: 1, day: "mon"}, {customer: 2, day: "mon"}}
		c, _ := run(t, plan, rows).Cell("mon")
		if units, count := q.Units().Of(c).Value, q.Count().Of(c).Value; units != 2 || count != 4 {
			t.Errorf("%s: %d units and %d rows, want 2 and 4", name, units, count)
		}
	}
}

// Bounds that no grid can serve are refused, each with its rule.
func TestStepsOfIntegersArePowersOfTwo(t *testing.T) {
	for step, ok := range map[int64]bool{1: true, 2: true, 64: true, 3: false, 6: false, 100: false, -1: false, 128: false} {
		q := orders()
		v := aggregate.PerRow(q, "v", func(o order) int64 { return o.cents }, aggregate.Bounds[int64]{Lower: 0, Upper: 100, Step: step})
		if _, err := q.Plan(dp.Pure{Epsilon: 1}, v.Sum()); (err == nil) != ok {
			t.Errorf("a step of %d: %v", step, err)
		}
	}
}
