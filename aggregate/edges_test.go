package aggregate_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// Whoever changes the numbers of a charge does not change what the plan charges.
func TestChargesShareNoNumberWithThePlan(t *testing.T) {
	q := orders()
	plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-9}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprint(plan.Charge(aggregate.Request{}).Events[0].Scale)
	plan.Charge(aggregate.Request{}).Events[0].Scale.SetInt64(1 << 40)
	if after := fmt.Sprint(plan.Charge(aggregate.Request{}).Events[0].Scale); after != before {
		t.Errorf("the scale was %s and is charged as %s", before, after)
	}
	noise, err := dp.Calibrate(dp.Pure{Epsilon: 1}, dp.Sensitivity{L0: 1, LInf: 1})
	if err != nil {
		t.Fatal(err)
	}
	noise.Event().Scale.SetInt64(1 << 30)
	if got := noise.String(); got != "discrete laplace, scale 1" {
		t.Errorf("noise became %s", got)
	}
}

// A sum beyond 64 bits is released as the end of its type, and its interval
// is all that a sum of such values can be.
func TestSumsBeyondTheirTypeAreNotCertain(t *testing.T) {
	dptest.NoNoise(t)
	q := orders()
	took := aggregate.PerRow(q, "took", func(o order) time.Duration { return o.took }, aggregate.Bounds[time.Duration]{Lower: 0, Upper: 1 << 61})
	small := aggregate.PerRow(q, "small", func(o order) uint8 { return uint8(o.cents) }, aggregate.Bounds[uint8]{Lower: 0, Upper: 200})
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, took.Sum())
	if err != nil {
		t.Fatal(err)
	}
	var rows []order
	for i := range 20 {
		rows = append(rows, order{customer: customerID(i), day: "mon", took: 1 << 61})
	}
	c, _ := run(t, plan, rows).Cell("mon")
	e := took.Sum().Of(c)
	if lo, hi := e.Interval(0.95); e.Value != math.MaxInt64 || lo != 0 || hi != math.MaxInt64 {
		t.Errorf("released %d (%d to %d)", e.Value, lo, hi)
	}
	if _, err := q.Plan(dp.Pure{Epsilon: 1}, small.Sum()); err == nil || !strings.Contains(err.Error(), "return an int64") {
		t.Errorf("a sum of uint8 is accepted: %v", err)
	}
}

// Two questions that differ in more than code have two fingerprints.
func TestQuestionsThatDifferHaveTwoFingerprints(t *testing.T) {
	print := func(p interface{ Fingerprint() string }, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return p.Fingerprint()
	}
	q := orders()
	q.Groups = []string{""}
	one := orders()
	one.Group, one.Groups = nil, nil
	ints := &aggregate.Query[order, customerID, int]{Dataset: q.Dataset, UnitName: q.UnitName, Unit: q.Unit, Group: func(order) int { return 1 }, MaxGroups: 3, MaxRowsPerGroup: 2, Groups: []int{1}}
	texts := orders()
	texts.Groups = []string{"1"}
	loss := dp.Pure{Epsilon: 1}
	seen := map[string]bool{}
	for _, f := range []string{print(q.Plan(loss, q.Count())), print(one.Plan(loss, one.Count())), print(ints.Plan(loss, ints.Count())), print(texts.Plan(loss, texts.Count()))} {
		if seen[f] {
			t.Error("two questions have one fingerprint")
		}
		seen[f] = true
	}
}

// D11: a Partial shows nothing in any form, copied, embedded or in a slice.
func TestPartialsShowNothing(t *testing.T) {
	q := orders()
	q.Groups = nil
	plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	part, err := plan.Collect(t.Context(), aggregate.Slice([]order{{customer: 424242, day: "secret"}}))
	if err != nil {
		t.Fatal(err)
	}
	type inside struct {
		part  aggregate.Partial[string]
		Parts []aggregate.Partial[string]
	}
	for _, v := range []any{part, *part, []aggregate.Partial[string]{*part}, inside{*part, nil}, &inside{*part, []aggregate.Partial[string]{*part}}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q", "%t"} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, "secret") || strings.Contains(got, "424242") {
				t.Errorf("%s of %T prints %s", verb, v, got)
			}
		}
	}
	if text, err := json.Marshal(*part); err == nil {
		t.Errorf("a Partial encodes as %s", text)
	}
}

// The account and the plan agree on what every kind of plan costs: a charge that
// declares less than its events cost would be refused.
func TestAccountsAcceptEveryPlan(t *testing.T) {
	for _, loss := range losses {
		for _, selects := range []bool{false, true} {
			q := orders()
			if _, approx := loss.(dp.Approx); selects && !approx {
				continue
			} else if selects {
				q.Groups = nil
			}
			v := aggregate.PerRow(q, "v", func(o order) float64 { return o.euros }, aggregate.Bounds[float64]{Lower: -3, Upper: 100})
			w := aggregate.PerUnit(q, "w", func(o order) int64 { return o.cents }, aggregate.Bounds[int64]{Lower: 0, Upper: 100})
			plan, err := q.Plan(loss, q.Count(), q.Units(), v.Mean(), v.Quantile(0.5), w.StdDev(), w.Quantile(0.9))
			if err != nil {
				t.Fatal(err)
			}
			account, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "orders", Unit: "customer", Limit: loss})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := plan.Run(t.Context(), account, aggregate.Request{Key: "k", Purpose: "p"}, aggregate.Slice[order](nil)); err != nil {
				t.Errorf("%v, selects %t: %v", loss, selects, err)
			}
		}
	}
}
