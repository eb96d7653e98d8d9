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
	"time"

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

// askingAll is a query of visits that asks a source.
func askingAll(mode aggregate.ConsentMode, source aggregate.ConsentSource[int]) *aggregate.Query[visit, int, int] {
	return &aggregate.Query[visit, int, int]{Unit: whoOf, Consent: &aggregate.Consent[int]{Mode: mode, Purpose: "ads", Source: source}}
}

// leftOut is who is left out of visits, in order.
func leftOut(t *testing.T, mode aggregate.ConsentMode, source aggregate.ConsentSource[int], rows []visit) (units []int) {
	t.Helper()
	for row, err := range askingAll(mode, source).LeftOut(t.Context(), aggregate.Slice(rows)) {
		if err != nil {
			t.Fatal(err)
		}
		units = append(units, row.Unit)
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
	ok := askingAll(aggregate.OptOut, said{})
	some := aggregate.Slice([]visit{{who: 1}})
	errOfRows := errors.New("line 3")
	broken := func(yield func(visit, error) bool) { yield(visit{}, errOfRows) }
	forgets := askingAll(aggregate.OptOut, said{})
	forgets.Retention = &aggregate.Retention[visit]{Time: func(visit) time.Time { return time.Now() }}
	for want, c := range map[string]struct {
		query *aggregate.Query[visit, int, int]
		rows  func(func(visit, error) bool)
	}{
		"LeftOut needs a query with Consent": {&aggregate.Query[visit, int, int]{Unit: whoOf}, some},
		"with Consent and Unit":              {&aggregate.Query[visit, int, int]{Consent: ok.Consent}, some},
		"one of them is nil":                 {ok, nil},
		"Query.Consent.Mode is 0":            {askingAll(0, said{}), some},
		"Query.Retention.Days is 0":          {forgets, some},
		"line 3":                             {ok, broken},
		"consent could not be asked":         {askingAll(aggregate.OptIn, noSource{}), some},
	} {
		n := 0
		for row, err := range c.query.LeftOut(t.Context(), c.rows) {
			if n++; row != (aggregate.LeftOutUnit[int]{}) || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "customer") {
				t.Errorf("%s: %v, %v", want, row, err)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d rows or errors", want, n)
		}
	}
	for range askingAll(aggregate.OptIn, said{}).LeftOut(t.Context(), aggregate.Slice([]visit{{who: 1}, {who: 2}})) {
		break // nothing is yielded after that
	}
}

// Who has only rows that are too old is not left out: there is nothing to be left out of.
func TestWhoIsForgottenIsNotLeftOut(t *testing.T) {
	q := askingAll(aggregate.OptOut, said{1: aggregate.No, 2: aggregate.No, 3: aggregate.No})
	q.Retention = &aggregate.Retention[visit]{Days: 30, Time: func(v visit) time.Time { return time.Now().AddDate(0, 0, -v.stay) }}
	rows := aggregate.Slice([]visit{{who: 1, stay: 50}, {who: 2, stay: 50}, {who: 2, stay: 3}, {who: 3}, {who: 4}})
	var units []int
	for row, err := range q.LeftOut(t.Context(), rows) {
		if err != nil {
			t.Fatal(err)
		}
		units = append(units, row.Unit)
	}
	if want := []int{2, 3}; !slices.Equal(units, want) {
		t.Errorf("%v, want %v", units, want)
	}
	q.Dataset, q.UnitName = "visits", "patient"
	of := q.LeftOutQuery()
	plan, err := of.Plan(dp.Pure{Epsilon: 40}, of.Units())
	if err != nil {
		t.Fatal(err)
	}
	r := aggregate.Request{Key: "k", Purpose: "accountability"}
	if s := plan.Charge(r).States; s.RetainDays != 30 || s.Consent != "" || s.Grouped || !s.Units || !s.LeftOut {
		t.Errorf("it states %+v", s)
	}
	all := &aggregate.Query[visit, int, string]{Dataset: of.Dataset, UnitName: of.UnitName, MaxGroups: 1, MaxRowsPerGroup: 1, Unit: whoOf, Retention: q.Retention}
	everybody, err := all.Plan(dp.Pure{Epsilon: 40}, all.Units())
	if err != nil {
		t.Fatal(err)
	}
	if c := everybody.Charge(r); c.States.LeftOut || c.Question == plan.Charge(r).Question || everybody.Fingerprint() == plan.Fingerprint() {
		t.Error("how many there are is the same question as how many are left out")
	}
	release, err := plan.Run(t.Context(), newPurse(), r, q.LeftOut(t.Context(), rows))
	if err != nil {
		t.Fatal(err)
	}
	if cell, _ := release.Cell(""); of.Units().Of(cell).Value != 2 {
		t.Errorf("%v, want 2 at a loss of 40", of.Units().Of(cell))
	}
}

// leftOutPlan counts who is left out. Each unit is one row of it.
func leftOutPlan(t *testing.T) *aggregate.Plan[aggregate.LeftOutUnit[int], int, string] {
	t.Helper()
	visits := askingAll(aggregate.OptOut, said{})
	visits.Dataset, visits.UnitName = "visits", "patient"
	q := visits.LeftOutQuery()
	plan, err := q.Plan(dp.Pure{Epsilon: 1.5}, q.Units())
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
		asked := askingAll(aggregate.OptOut, no)
		return func() dptest.Sample {
			release, err := plan.Run(t.Context(), newPurse(), aggregate.Request{Key: "k", Purpose: "audit"}, asked.LeftOut(t.Context(), aggregate.Slice(rows)))
			if err != nil {
				t.Fatal(err)
			}
			cell, _ := release.Cell("")
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
func ExampleQuery_LeftOut() {
	ctx := context.Background()
	account, err1 := budget.Create(ctx, budget.Memory(), budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 1}})
	q := &aggregate.Query[visit, int, int]{
		Dataset: "visits", UnitName: "patient", MaxGroups: 1, MaxRowsPerGroup: 10, Unit: func(v visit) int { return v.who },
		Consent: &aggregate.Consent[int]{Mode: aggregate.OptOut, Purpose: "ads", Source: said{2: aggregate.No}},
	}
	leftOut := q.LeftOutQuery()
	plan, err2 := leftOut.Plan(dp.Pure{Epsilon: 0.1}, leftOut.Units())
	if err := errors.Join(err1, err2); err != nil {
		log.Fatal(err)
	}
	rows := aggregate.Slice([]visit{{who: 1}, {who: 2}, {who: 2}})
	release, err := plan.Run(ctx, account, aggregate.Request{Key: "opt-outs in May", Purpose: "accountability"}, q.LeftOut(ctx, rows))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("how many were left out was told at a loss of", release.Receipt().Loss)
	// Output:
	// how many were left out was told at a loss of ε=0.1
}
