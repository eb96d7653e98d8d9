package forecast_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget/forecast"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

func daily() (*aggregate.Query[sale, int, string], *aggregate.Value[float64]) {
	q := &aggregate.Query[sale, int, string]{
		Dataset: "sales", UnitName: "customer", Unit: func(s sale) int { return s.Customer }, Group: func(s sale) string { return s.Day },
		MaxGroups: 3, MaxRowsPerGroup: 2, Groups: []string{"0", "1", "2", "3", "4"},
	}
	return q, aggregate.PerUnit(q, "euros", func(s sale) float64 { return s.Euros }, aggregate.Bounds[float64]{Upper: 100, Step: 0.01})
}

func made(unit, group int, x float64) sale { return sale{unit, fmt.Sprint(group), 50 * x} }

// Without noise a rehearsal shows the shape that was stated.
func TestMadeUpRowsHaveTheirShape(t *testing.T) {
	dptest.NoNoise(t)
	q, euros := daily()
	plan, err := q.Plan(dp.Concentrated{Rho: 1}, q.Units(), q.Count(), euros.Sum())
	if err != nil {
		t.Fatal(err)
	}
	shape := forecast.Shape[sale]{Units: 6000, Groups: 5, Each: 1, Rows: 2, Skew: 1, Row: made}
	release, err := forecast.Rehearse(t.Context(), plan, shape)
	if err != nil {
		t.Fatal(err)
	}
	all := 0.0
	for g := range 5 {
		all += 1 / float64(g+1)
	}
	for g := range 5 {
		cell, _ := release.Cell(fmt.Sprint(g))
		units, rows := float64(q.Units().Of(cell).Value), float64(q.Count().Of(cell).Value)
		want := 6000 / float64(g+1) / all
		if math.Abs(units-want) > 5 || rows != 2*units || math.Abs(euros.Sum().Of(cell).Value/(25*rows)-1) > 0.02 {
			t.Errorf("group %d has %v units, %v rows, %v euros; want %v units", g, units, rows, euros.Sum().Of(cell).Value, want)
		}
	}
	shape.Each, shape.Skew = 3, 0
	if release, err = forecast.Rehearse(t.Context(), plan, shape); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, cell := range release.All() {
		sum += float64(q.Units().Of(cell).Value)
	}
	if sum != 3*6000 {
		t.Errorf("units in three groups each are counted %v times, want %v", sum, 3*6000)
	}
}

// Whatever is stored or printed of a rehearsal says so, and each has noise of its own.
func TestARehearsalIsMarkedAndIsNoRelease(t *testing.T) {
	q, _ := daily()
	plan, err := q.Plan(dp.Pure{Epsilon: 0.1}, q.Units())
	if err != nil {
		t.Fatal(err)
	}
	shape := forecast.Shape[sale]{Units: 100, Groups: 5, Each: 2, Rows: 1, Row: made}
	seen := map[string]bool{}
	for range 3 {
		release, err := forecast.Rehearse(t.Context(), plan, shape)
		if err != nil {
			t.Fatal(err)
		}
		r := release.Receipt()
		if r.Account != forecast.Rehearsed || r.Key != forecast.Rehearsed || r.Purpose != forecast.Rehearsed || r.Entry != 0 || strings.Trim(r.Hash, "0") != "" {
			t.Errorf("the receipt is %+v", r)
		}
		text, err := json.Marshal(release)
		if err != nil || strings.Count(string(text), `"rehearsal":"`+forecast.Rehearsed+`"`) != 1+release.Len() || !strings.HasPrefix(string(text), `{"rehearsal":`) {
			t.Errorf("stored as %s, %v", text, err)
		}
		for _, printed := range []string{fmt.Sprint(release), fmt.Sprintf("%+v", release), fmt.Sprintf("%+v", r)} {
			if !strings.Contains(printed, forecast.Rehearsed) {
				t.Errorf("printed as %s", printed)
			}
		}
		seen[string(text)] = true
	}
	if len(seen) != 3 {
		t.Errorf("three rehearsals show %d different things", len(seen))
	}
}

func TestEveryMistakeOfAShapeIsNamed(t *testing.T) {
	q, _ := daily()
	plan, err := q.Plan(dp.Pure{Epsilon: 0.1}, q.Units())
	if err != nil {
		t.Fatal(err)
	}
	_, err = forecast.Rehearse(t.Context(), plan, forecast.Shape[sale]{Units: -1, Groups: 2, Each: 3, Skew: math.NaN()})
	for _, part := range []string{"Shape.Units is -1, must be 1 to", "Shape.Rows is 0", "Each is 3, must be at most Groups, which is 2", "Skew is NaN", "Row is nil"} {
		if !strings.Contains(fmt.Sprint(err), part) {
			t.Errorf("%v does not say %q", err, part)
		}
	}
}

// What a report of 2,000 customers would look like, before there is a customer.
func ExampleRehearse() {
	q, euros := daily()
	plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Units(), euros.Mean())
	if err != nil {
		fmt.Println(err)
		return
	}
	release, err := forecast.Rehearse(context.Background(), plan, forecast.Shape[sale]{
		Units: 2000, Groups: 5, Each: 2, Rows: 1, Skew: 0.5,
		Row: func(unit, group int, x float64) sale { return sale{unit, fmt.Sprint(group), 80 * x * x} },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(release.Len(), "days;", release.Receipt().Account)
	// Output:
	// 5 days; REHEARSAL on made-up rows, no release
}
