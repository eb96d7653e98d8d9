package aggregate_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

type stay struct {
	patient, ward int
	days          float64
}

func stays() (*aggregate.Query[stay, int, int], *aggregate.Value[float64]) {
	q := &aggregate.Query[stay, int, int]{
		Dataset: "stays", UnitName: "patient", Unit: func(s stay) int { return s.patient }, Group: func(s stay) int { return s.ward },
		MaxGroups: 2, MaxRowsPerGroup: 1, Groups: []int{0, 1, 2},
	}
	return q, aggregate.PerRow(q, "days", func(s stay) float64 { return s.days }, aggregate.Bounds[float64]{Lower: 0, Upper: 90})
}

func manyStays() (rows []stay) {
	for i := range 900 {
		rows = append(rows, stay{i, i % 3, float64(i%89) + 0.5})
	}
	return rows
}

var threeLosses = []dp.Loss{dp.Pure{Epsilon: 1}, dp.Concentrated{Rho: 0.5}, dp.Approx{Epsilon: 1, Delta: 1e-6}}

// The file has charges and releases of commit d90b317, which read all quantiles from
// trees. Today they are drawn, for another charge: whoever paid then gets the answer
// of then, with its intervals, at no cost.
func TestQuantilesThatWerePaidForAsTreesAreStillGiven(t *testing.T) {
	text, err := os.ReadFile("testdata/quantiles_from_trees.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		Answers []struct{ Value, Low, High float64 }
		Charge  dp.Charge
		Release json.RawMessage
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	q, days := stays()
	for i, loss := range threeLosses {
		plan, err := q.Plan(loss, q.Count(), days.Quantile(0.5), days.Quantile(0.95))
		if err != nil {
			t.Fatal(err)
		}
		account, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "stays", Unit: "patient", Limit: loss})
		if err != nil {
			t.Fatal(err)
		}
		old := all[i]
		if _, err := account.Spend(t.Context(), old.Charge); err != nil {
			t.Fatal(err)
		}
		if _, err := account.Keep(t.Context(), old.Charge, old.Release); err != nil {
			t.Fatal(err)
		}
		release, err := plan.Run(t.Context(), account, aggregate.Request{Key: "stays", Purpose: "report"}, aggregate.Slice(manyStays()))
		if err != nil {
			t.Fatalf("%v: %v", loss, err)
		}
		n := 0
		for _, c := range release.All() {
			for _, column := range []aggregate.Column[float64]{days.Quantile(0.5), days.Quantile(0.95)} {
				e, want := column.Of(c), old.Answers[n]
				lo, hi := e.Interval(0.95)
				if !e.Unknown && e.Value != want.Value || lo != want.Low || hi != want.High {
					t.Errorf("%v: %v is %v, was %v", loss, column, e, want)
				}
				n++
			}
		}
	}
}

// Few ranks are drawn and many read from a tree, and the price list says why; fewer
// are drawn with intervals.
func TestFewRanksAreDrawnAndManyAreReadFromATree(t *testing.T) {
	q, days := stays()
	floors := aggregate.PerRow(q, "floor", func(s stay) int { return s.ward }, aggregate.Bounds[int]{Lower: 0, Upper: 200})
	for _, c := range []struct {
		name  string
		ranks int
		of    func(rank float64) aggregate.AnyColumn
		drawn bool
	}{
		{"with intervals", 4, func(r float64) aggregate.AnyColumn { return days.Quantile(r) }, true},
		{"with intervals", 5, func(r float64) aggregate.AnyColumn { return days.Quantile(r) }, false},
		{"without", 32, func(r float64) aggregate.AnyColumn { return days.QuantileWithoutInterval(r) }, true},
		{"without", 33, func(r float64) aggregate.AnyColumn { return days.QuantileWithoutInterval(r) }, false},
		{"few steps", 32, func(r float64) aggregate.AnyColumn { return floors.QuantileWithoutInterval(r) }, true},
		{"few steps", 33, func(r float64) aggregate.AnyColumn { return floors.QuantileWithoutInterval(r) }, false},
	} {
		var columns []aggregate.AnyColumn
		for i := range c.ranks {
			columns = append(columns, c.of(float64(i+1)/float64(c.ranks+1)))
		}
		for _, loss := range threeLosses {
			plan, err := q.Plan(loss, columns...)
			if err != nil {
				t.Fatal(err)
			}
			price := plan.Prices()[0]
			if drawn := price.Mechanism == dp.BoundedRange; drawn != c.drawn || price.Why == "" || !strings.Contains(plan.String(), price.Why) {
				t.Errorf("%v: %d ranks %s are from %q: %s\n%v", loss, c.ranks, c.name, price.Mechanism, price.Why, plan)
			}
		}
	}
}

// The price list says how quantiles are found, why, how near they are, and what their intervals cost.
func TestThePriceListSaysHowQuantilesAreFound(t *testing.T) {
	q, days := stays()
	for ranks, want := range map[int][]string{
		1: {"drawn one by one, as they are few, also with intervals (1 of at most 4)",
			"is off by 4.243 ranks (standard deviation) where values are spread evenly; 33 % of the loss pays for intervals, and without them it is off by 2.828\n"},
		12: {"a tree of noisy counts, as 12 ranks are more than 4: each of them costs nothing more"},
	} {
		var columns []aggregate.AnyColumn
		for i := range ranks {
			columns = append(columns, days.Quantile(float64(i+1)/float64(ranks+1)))
		}
		plan, err := q.Plan(dp.Pure{Epsilon: 1}, columns...)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(plan.String(), w) {
				t.Errorf("%d ranks: %q is not in\n%v", ranks, w, plan)
			}
		}
	}
}

// What is drawn without an interval is nearer, as the price list says in both cases;
// its interval is all that the bounds allow, and nothing is said of its noise.
func TestQuantilesWithoutIntervalsAreNearerAndSayNothingOfIt(t *testing.T) {
	q, days := stays()
	for _, loss := range threeLosses {
		with, err := q.Plan(loss, days.Quantile(0.5))
		if err != nil {
			t.Fatal(err)
		}
		bare := days.QuantileWithoutInterval(0.5)
		without, err := q.Plan(loss, bare)
		if err != nil {
			t.Fatal(err)
		}
		a, b := with.Prices()[0], without.Prices()[0]
		if !(b.StdDev < a.StdDev) || math.Abs(a.OwnStdDev/b.StdDev-1) > 0.02 || a.Intervals != a.Share/3 || b.Intervals != 0 {
			t.Errorf("%v: with an interval %+v, without %+v", loss, a, b)
		}
		if !math.IsNaN(b.PlusMinus) || !(a.PlusMinus > 0) {
			t.Errorf("%v: ±%v without an interval, ±%v with one", loss, b.PlusMinus, a.PlusMinus)
		}
		release := run(t, without, manyStays())
		for _, c := range release.All() {
			e := bare.Of(c)
			lo, hi := e.Interval(0.5)
			if lo != 0 || hi != 90 || e.StdDev != 45 || e.Unknown || e.Value < 0 || e.Value > 90 {
				t.Errorf("%v: %v ± %v, unknown %v", loss, e, e.StdDev, e.Unknown)
			}
		}
	}
	if _, err := q.Plan(dp.Pure{Epsilon: 1}, days.Quantile(0.5), days.QuantileWithoutInterval(0.5)); err == nil {
		t.Error("a quantile is accepted with an interval and without one")
	}
}

// All draws of a release, the ends of intervals and what says "too little data", are
// made after it was paid for and kept as one: what could not be kept is not shown, and
// what was kept is not drawn again.
func TestDrawsAreKeptTogetherBeforeAnybodySeesThem(t *testing.T) {
	q, days := stays()
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, days.Quantile(0.5), days.Quantile(0.9))
	if err != nil {
		t.Fatal(err)
	}
	b := newPurse()
	r := aggregate.Request{Key: "k", Purpose: "report"}
	b.fail["Keep"] = errors.New("the disk is full")
	if release, err := plan.Run(t.Context(), b, r, aggregate.Slice(manyStays())); err == nil {
		t.Fatalf("what could not be kept is shown: %v", release)
	}
	delete(b.fail, "Keep")
	var first string
	for range 3 {
		release, err := plan.Run(t.Context(), b, r, aggregate.Slice(manyStays()))
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(release)
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(text)
		}
		if string(text) != first {
			t.Errorf("the same request shows %s and then %s", first, text)
		}
	}
}

// The order of ranks is that of their values, with and without intervals and from
// either mechanism.
func TestDrawnQuantilesAreInOrder(t *testing.T) {
	q, days := stays()
	columns := []aggregate.Column[float64]{days.Quantile(0.9), days.QuantileWithoutInterval(0.3), days.Quantile(0.5), days.QuantileWithoutInterval(0.95)}
	for _, tree := range []bool{false, true} {
		if tree {
			columns = append(columns, days.QuantileWithoutInterval(0.99))
		}
		var asked []aggregate.AnyColumn
		for _, c := range columns {
			asked = append(asked, c)
		}
		plan, err := q.Plan(dp.Pure{Epsilon: 0.1}, asked...)
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			for _, c := range run(t, plan, manyStays()[:60]).All() {
				low, mid, high, top := columns[1].Of(c), columns[2].Of(c), columns[0].Of(c), columns[3].Of(c)
				if !mid.Unknown && low.Value > mid.Value || !high.Unknown && high.Value > top.Value {
					t.Errorf("tree %v: %v, %v, %v, %v", tree, low, mid, high, top)
				}
			}
		}
	}
}

// A tree has a leaf for each step of a stepped value, and leaves that follow
// magnitudes within wide bounds: with hardly any noise it finds the value, where
// leaves of one width would hold many.
func TestTreesFindValuesInWideBounds(t *testing.T) {
	q, _ := stays()
	var rows []stay
	for i := range 3000 {
		rows = append(rows, stay{i, 0, []float64{0.99, 4.99, 7.49, 9.99, 12.99, 19.99}[i%6] + float64(i%6/5)*30})
	}
	stepped := aggregate.PerRow(q, "price", func(s stay) float64 { return s.days }, aggregate.Bounds[float64]{Lower: 0, Upper: 8000, Step: 0.01})
	wide := aggregate.PerRow(q, "wide", func(s stay) float64 { return s.days }, aggregate.Bounds[float64]{Lower: 0, Upper: 1e7})
	want := map[float64]float64{0.1: 0.99, 0.25: 4.99, 0.4: 7.49, 0.6: 9.99, 0.75: 12.99}
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 60}, dp.Concentrated{Rho: 100}} {
		for _, v := range []*aggregate.Value[float64]{stepped, wide} {
			var asked []aggregate.AnyColumn
			for rank := range want {
				asked = append(asked, v.Quantile(rank))
			}
			plan, err := q.Plan(loss, asked...)
			if err != nil {
				t.Fatal(err)
			}
			if plan.Prices()[0].Mechanism == dp.BoundedRange {
				t.Fatal("the ranks are drawn")
			}
			c, _ := run(t, plan, rows).Cell(0)
			for rank, x := range want {
				e := v.Quantile(rank).Of(c)
				lo, hi := e.Interval(0.95)
				if v == stepped && math.Abs(e.Value-x) > 1e-9 || math.Abs(e.Value-x) > 0.01*x || lo > x+0.005 || hi < x-0.005 {
					t.Errorf("%v: %v is %v, want %v", loss, v.Quantile(rank), e, x)
				}
			}
		}
	}
}

// Of many groups, quantiles within wide bounds are drawn twice where losses add up as
// squares. Both draws are paid for, within the loss; and what is drawn in a group
// without rows is mostly near what is drawn in the others, which no single draw is.
func TestQuantilesOfManyGroupsAreDrawnTwice(t *testing.T) {
	near := func(groups int, loss dp.Loss) (share float64, plan *aggregate.Plan[stay, int, int]) {
		q, _ := stays()
		q.Groups, q.MaxGroups = nil, 1
		var rows []stay
		for g := range groups {
			q.Groups = append(q.Groups, g)
			for i := range 300 {
				if g >= 4 {
					rows = append(rows, stay{g*300 + i, g, 40 + float64(i)/100})
				}
			}
		}
		v := aggregate.PerRow(q, "days", func(s stay) float64 { return s.days }, aggregate.Bounds[float64]{Lower: 0, Upper: 1e6})
		median := v.QuantileWithoutInterval(0.5)
		plan, err := q.Plan(loss, median)
		if err != nil {
			t.Fatal(err)
		}
		found, all := 0.0, 0.0
		for range 100 {
			release := run(t, plan, rows)
			for g := range 4 {
				c, _ := release.Cell(g)
				if x := median.Of(c).Value; x > 21 && x < 82 {
					found++
				}
				all++
			}
		}
		return found / all, plan
	}
	for _, loss := range []dp.Loss{dp.Concentrated{Rho: 0.5}, dp.Approx{Epsilon: 2, Delta: 1e-2}} {
		share, plan := near(24, loss)
		events := plan.Charge(aggregate.Request{Key: "k", Purpose: "p"}).Events
		if _, concentrated := loss.(dp.Concentrated); !concentrated && len(events) == 1 {
			continue // pure draws are more exact
		}
		if share < 0.45 { // 0.6 to be expected, in 400 draws
			t.Errorf("%v: %.2f of the draws in empty groups are near those of the others", loss, share)
		}
		sum := new(big.Rat)
		for _, e := range events {
			square := new(big.Rat).Mul(e.Epsilon, e.Epsilon)
			sum.Add(sum, square.Mul(square, big.NewRat(int64(e.Count), 8)))
		}
		if len(events) != 2 || !strings.Contains(plan.String(), "first roughly") {
			t.Errorf("%v: %d events\n%v", loss, len(events), plan)
		}
		if _, concentrated := loss.(dp.Concentrated); concentrated && sum.Cmp(big.NewRat(1, 2)) > 0 {
			t.Errorf("the draws cost ρ of %v", sum.FloatString(6))
		}
	}
	for _, c := range []struct {
		groups int
		loss   dp.Loss
	}{{7, dp.Concentrated{Rho: 0.5}}, {24, dp.Pure{Epsilon: 2}}} {
		share, plan := near(c.groups, c.loss)
		if n := len(plan.Charge(aggregate.Request{Key: "k", Purpose: "p"}).Events); n != 1 || share > 0.3 {
			t.Errorf("%v, %d groups: %d events, %.2f of the draws in empty groups are near those of the others", c.loss, c.groups, n, share)
		}
	}
}

// Draws are calibrated for all rows of a unit in all its groups: three times the rows
// are three times as far off, and so are three times the groups where losses add up
// themselves; where their squares do it is √3. A value per unit has one record.
func TestDrawsAreCalibratedForAllThatAUnitHas(t *testing.T) {
	scale := func(loss dp.Loss, maxGroups, maxRows int, perUnit bool, ranks ...float64) float64 {
		q, _ := stays()
		q.MaxGroups, q.MaxRowsPerGroup = maxGroups, maxRows
		make := aggregate.PerRow[float64, stay, int, int]
		if perUnit {
			make = aggregate.PerUnit[float64, stay, int, int]
		}
		v := make(q, "days", func(s stay) float64 { return s.days }, aggregate.Bounds[float64]{Lower: 0, Upper: 90})
		var columns []aggregate.AnyColumn
		for _, r := range ranks {
			columns = append(columns, v.QuantileWithoutInterval(r))
		}
		plan, err := q.Plan(loss, columns...)
		if err != nil {
			t.Fatal(err)
		}
		return plan.Prices()[0].StdDev
	}
	pure, rho := dp.Pure{Epsilon: 1}, dp.Concentrated{Rho: 0.125} // one draw of bounded range 1
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"one row in one group", scale(pure, 1, 1, false, 0.5), math.Sqrt2},
		{"at a rank of 0.95", scale(pure, 1, 1, false, 0.95), 1.9 * math.Sqrt2},
		{"three rows", scale(pure, 1, 3, false, 0.5), 3 * math.Sqrt2},
		{"three groups", scale(pure, 3, 1, false, 0.5), 3 * math.Sqrt2},
		{"three rows in three groups, per unit", scale(pure, 3, 3, true, 0.5), 3 * math.Sqrt2},
		{"two ranks", scale(pure, 1, 1, false, 0.5, 0.95), 2.9 * math.Sqrt2},
		{"three ranks on two levels", scale(pure, 1, 1, false, 0.5, 0.25, 0.75), 2 * math.Sqrt2},
		{"one row, as squares", scale(rho, 1, 1, false, 0.5), math.Sqrt2},
		{"three rows, as squares", scale(rho, 1, 3, false, 0.5), 3 * math.Sqrt2},
		{"three groups, as squares", scale(rho, 3, 1, false, 0.5), math.Sqrt(6)},
	} {
		if math.Abs(c.got/c.want-1) > 1e-6 {
			t.Errorf("%s: draws are off by %v, want %v", c.name, c.got, c.want)
		}
	}
}
