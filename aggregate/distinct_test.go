package aggregate_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// How many lengths of stay there were in each ward; of a patient at most two count.
func ExampleDistinct() {
	q := wards()
	q.Groups, q.MaxRowsPerGroup = []string{"A", "B"}, 10
	lengths := aggregate.Distinct(q, "minutes of stay", func(v Visit) int { return int(v.Stay.Minutes()) }, 2)
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, lengths)
	fmt.Println(err)
	for _, price := range plan.Prices() {
		fmt.Printf("%s ±%.0f, but for %s\n", price.Column, price.PlusMinus, price.LeavesOut)
	}
	// Output:
	// <nil>
	// minutes of stay distinct values ±12, but for values of a patient in a group beyond 2; rows of a patient in a group beyond 10
}

// Without noise, and with caps that cut nothing, the number is that of a map, for values of any type.
func TestWithoutNoiseDistinctValuesAreCounted(t *testing.T) {
	dptest.NoNoise(t)
	type pair struct {
		A string
		B [2]int8
	}
	q := bills(group, 1, 1000)
	of := func(b bill) int { return int(b.x) }
	columns := []aggregate.Column[int64]{
		aggregate.Distinct(q, "numbers", of, 1000),
		aggregate.Distinct(q, "texts", func(b bill) string { return fmt.Sprint(of(b) % 100) }, 1000),
		aggregate.Distinct(q, "parities", func(b bill) bool { return of(b)%2 == 0 }, 1000),
		aggregate.Distinct(q, "pairs", func(b bill) pair { return pair{fmt.Sprint(of(b) % 7), [2]int8{int8(of(b) % 5), 1}} }, 1000),
	}
	p := plan(t, q, pure, columns[0], columns[1], columns[2], columns[3])
	rng := rand.New(rand.NewPCG(18, 1))
	for _, n := range []int{0, 1, 2, 300} {
		var rows []bill
		want := [4]map[any]bool{{}, {}, {}, {}}
		for range n {
			b := bill{rng.IntN(9), 0, float64(rng.IntN(1000))}
			rows = append(rows, b)
			for i, x := range []any{of(b), of(b) % 100, of(b) % 2, of(b) % 35} {
				want[i][x] = true
			}
		}
		r, err := p.Run(t.Context(), till{}, aggregate.Request{Key: "k", Purpose: "test"}, aggregate.Slice(rows))
		if err != nil {
			t.Fatal(err)
		}
		cell, _ := r.Cell(0)
		for i, c := range columns {
			if got := c.Of(cell).Value; got != int64(len(want[i])) {
				t.Errorf("%d rows: %v is %d, must be %d", n, c, got, len(want[i]))
			}
		}
	}
}

func TestMistakesOfDistinctValuesAreNamed(t *testing.T) {
	q := bills(group, 1, 1)
	of := func(b bill) int { return int(b.x) }
	for _, c := range []struct {
		column aggregate.AnyColumn
		says   string
	}{
		{aggregate.Distinct(q, "v", of, 0), `distinct values "v": at most 0 of a unit count in a group, must be 1 to 2147483648`},
		{aggregate.Distinct(q, "v", of, 1<<31+1), `must be 1 to 2147483648`},
		{aggregate.Distinct(q, "", of, 1), "a value has no name"},
		{aggregate.Distinct[int](q, "v", nil, 1), `value "v": no function given`},
		{aggregate.Distinct(q, "v", amount, 1), `distinct values "v": float64 is of kind float64, which does not compare by content`},
		{aggregate.Distinct(bills(group, 1, 1), "v", of, 1), "column v distinct values belongs to another query"},
	} {
		if _, err := q.Plan(pure, c.column); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v, must say %q", err, c.says)
		}
	}
	s := &aggregate.Series[bill, int, int]{
		Query: q, Time: func(bill) time.Time { return time.Unix(0, 0) }, Zone: time.UTC, Step: aggregate.Day, First: time.Unix(0, 0), Periods: 3,
		Views: []aggregate.View{aggregate.EachPeriod(1)},
	}
	if _, err := s.Plan(dp.Concentrated{Rho: 1}, aggregate.Distinct(q, "v", of, 1)); err == nil || !strings.Contains(err.Error(), "cannot be added up over the periods of a series") {
		t.Errorf("a series of distinct values: %v", err)
	}
}

// Questions with another cap, and another kind of value, are others.
func TestDistinctValuesAreToldApart(t *testing.T) {
	q := bills(group, 1, 9)
	of := func(b bill) int { return int(b.x) }
	a := plan(t, q, pure, aggregate.Distinct(q, "v", of, 2))
	b := plan(t, q, pure, aggregate.Distinct(q, "v", of, 3))
	c := plan(t, q, pure, aggregate.PerUnit(q, "v", of, aggregate.Bounds[int]{Lower: 0, Upper: 2, Step: 1}).Sum())
	if a.Fingerprint() == b.Fingerprint() || a.Fingerprint() == c.Fingerprint() {
		t.Error("two questions have one fingerprint")
	}
	if got := a.String(); !strings.Contains(got, "of v at most 2 distinct values of a unit count in a group") {
		t.Errorf("the price list does not say what counts:\n%s", got)
	}
}
