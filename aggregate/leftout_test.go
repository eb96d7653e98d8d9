package aggregate_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// said is a source that has choices; who is not there is silent.
type said map[int]aggregate.Choice

func (s said) Choices(_ context.Context, _ string, units []int) ([]aggregate.Choice, error) {
	answers := make([]aggregate.Choice, len(units))
	for i, u := range units {
		answers[i] = max(s[u], aggregate.Silent)
	}
	return answers, nil
}

func whoOf(v visit) int { return v.who }

// leftOut is who is left out of visits, in order.
func leftOut(t *testing.T, mode aggregate.ConsentMode, source aggregate.ConsentSource[int], rows []visit) (units []int) {
	t.Helper()
	c := &aggregate.Consent[int]{Mode: mode, Purpose: "ads", Source: source}
	for u, err := range aggregate.LeftOut(t.Context(), c, whoOf, aggregate.Slice(rows)) {
		if err != nil {
			t.Fatal(err)
		}
		units = append(units, u)
	}
	slices.Sort(units)
	return units
}

// Who is left out and who is in are all, whatever was said, and nobody is both.
func TestWhoIsLeftOutIsWhoIsNotIn(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 8))
		source, all := said{}, map[int]bool{}
		var rows []visit
		for range r.IntN(40) {
			v := visit{who: r.IntN(12), ward: r.IntN(3)}
			rows, all[v.who] = append(rows, v), true
		}
		want := map[aggregate.ConsentMode][]int{}
		for _, u := range slices.Sorted(maps.Keys(all)) {
			source[u] = aggregate.Choice(1 + r.IntN(3))
			if source[u] == aggregate.No {
				want[aggregate.OptOut] = append(want[aggregate.OptOut], u)
			}
			if source[u] != aggregate.Yes {
				want[aggregate.OptIn] = append(want[aggregate.OptIn], u)
			}
		}
		for _, mode := range []aggregate.ConsentMode{aggregate.OptIn, aggregate.OptOut} {
			if got := leftOut(t, mode, source, rows); !slices.Equal(got, want[mode]) {
				t.Errorf("%d, %v: left out are %v, want %v", seed, mode, got, want[mode])
			}
		}
	}
}

type noSource struct{}

var errOfSource = errors.New("customer 17 is not known")

func (noSource) Choices(context.Context, string, []int) ([]aggregate.Choice, error) {
	return nil, errOfSource
}

func TestWhoIsLeftOutIsNotToldByMistakes(t *testing.T) {
	ok := &aggregate.Consent[int]{Mode: aggregate.OptOut, Purpose: "ads", Source: said{}}
	some := aggregate.Slice([]visit{{who: 1}})
	errOfRows := errors.New("line 3")
	broken := func(yield func(visit, error) bool) { yield(visit{}, errOfRows) }
	for want, c := range map[string]struct {
		consent *aggregate.Consent[int]
		unit    func(visit) int
		rows    func(func(visit, error) bool)
	}{
		"LeftOut needs a consent":        {nil, whoOf, some},
		"a function that tells the unit": {ok, nil, some},
		"one of them is nil":             {ok, whoOf, nil},
		"Query.Consent.Mode is 0":        {&aggregate.Consent[int]{Purpose: "ads", Source: said{}}, whoOf, some},
		"line 3":                         {ok, whoOf, broken},
		"consent could not be asked":     {&aggregate.Consent[int]{Mode: aggregate.OptIn, Purpose: "ads", Source: noSource{}}, whoOf, some},
	} {
		n := 0
		for u, err := range aggregate.LeftOut(t.Context(), c.consent, c.unit, c.rows) {
			if n++; u != 0 || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "customer") {
				t.Errorf("%s: %d, %v", want, u, err)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d units or errors", want, n)
		}
	}
	for range aggregate.LeftOut(t.Context(), &aggregate.Consent[int]{Mode: aggregate.OptIn, Purpose: "ads", Source: said{}}, whoOf, aggregate.Slice([]visit{{who: 1}, {who: 2}})) {
		break // nothing is yielded after that
	}
}

// leftOutPlan counts who is left out. Each unit is one row of it.
func leftOutPlan(t *testing.T) *aggregate.Plan[int, int, string] {
	t.Helper()
	q := &aggregate.Query[int, int, string]{
		Dataset: "visits", UnitName: "patient", MaxGroups: 1, MaxRowsPerGroup: 1, Groups: []string{"left out"},
		Unit: func(u int) int { return u }, Group: func(int) string { return "left out" },
	}
	plan, err := q.Plan(dp.Pure{Epsilon: 1.5}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// Neighbours are two runs on the same rows, in one of which patient 0 has said no: the
// number of those who are left out is as private as its loss says. The number without
// noise, and one that counts the rows of who is left out, are refuted.
func TestHowManyAreLeftOutIsANumberThatIsPaidFor(t *testing.T) {
	trial := dptest.Trial{Claim: dp.Pure{Epsilon: 1.5}, Runs: 700, Alpha: 1e-9}
	if err := trial.Check(); err != nil {
		t.Fatal(err)
	}
	plan := leftOutPlan(t)
	var rows []visit
	for who := range 6 {
		for range 9 {
			rows = append(rows, visit{who: who})
		}
	}
	counted := func(no said, per int) func() dptest.Sample {
		c := &aggregate.Consent[int]{Mode: aggregate.OptOut, Purpose: "ads", Source: no}
		return func() dptest.Sample {
			release, err := plan.Run(t.Context(), newPurse(), aggregate.Request{Key: "k", Purpose: "audit"}, aggregate.LeftOut(t.Context(), c, whoOf, aggregate.Slice(rows)))
			if err != nil {
				t.Fatal(err)
			}
			cell, _ := release.Cell("left out")
			return dptest.Sample{Numbers: []float64{cell.Noisy()[0] + float64(per*len(no))}}
		}
	}
	without, with := said{3: aggregate.No}, said{3: aggregate.No, 0: aggregate.No}
	if result := trial.Run(counted(without, 0), counted(with, 0)); result.Refuted {
		t.Errorf("a choice is told: %v", result)
	}
	if result := trial.Run(counted(without, 8), counted(with, 8)); !result.Refuted {
		t.Error("a number that counts nine rows of who is left out is not refuted")
	}
	bare := func(no said) func() dptest.Sample {
		return func() dptest.Sample {
			return dptest.Sample{Numbers: []float64{float64(len(leftOut(t, aggregate.OptOut, no, rows)))}}
		}
	}
	if result := trial.Run(bare(without), bare(with)); !result.Refuted {
		t.Error("a number without noise is not refuted")
	}
}

// How many opt-outs were honoured is a question of its own, with a price and noise.
func ExampleLeftOut() {
	ctx := context.Background()
	account, err1 := budget.Create(ctx, budget.Memory(), budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 1}})
	consent := &aggregate.Consent[int]{Mode: aggregate.OptOut, Purpose: "ads", Source: said{2: aggregate.No}}
	q := &aggregate.Query[int, int, string]{
		Dataset: "visits", UnitName: "patient", MaxGroups: 1, MaxRowsPerGroup: 1, Groups: []string{"left out"},
		Unit: func(patient int) int { return patient }, Group: func(int) string { return "left out" },
	}
	plan, err2 := q.Plan(dp.Pure{Epsilon: 0.1}, q.Count())
	if err := errors.Join(err1, err2); err != nil {
		log.Fatal(err)
	}
	rows := aggregate.Slice([]visit{{who: 1}, {who: 2}, {who: 2}})
	honoured := aggregate.LeftOut(ctx, consent, func(v visit) int { return v.who }, rows)
	release, err := plan.Run(ctx, account, aggregate.Request{Key: "opt-outs in May", Purpose: "accountability"}, honoured)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("how many were left out was told at a loss of", release.Receipt().Loss)
	// Output:
	// how many were left out was told at a loss of ε=0.1
}
