package aggregate_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// What is forecast of a group is what is shown of rows that are as assumed, where no
// noise moves it: the number, and how far its interval reaches.
func TestAForecastIsWhatRowsThatAreAsAssumedGive(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 4))
	for range 12 {
		units, rows, mean := 200+r.IntN(2000), 1+r.IntN(3), 20+60*r.Float64()
		q := bills([]int{7}, 1, 3)
		amount := aggregate.PerRow(q, "amount", amount, aggregate.Bounds[float64]{Upper: 100, Step: 0.01})
		loss := []dp.Loss{dp.Pure{Epsilon: 1}, dp.Concentrated{Rho: 0.1}}[r.IntN(2)]
		plan, err := q.Plan(loss, q.Units(), amount.Mean(), amount.Sum(), amount.StdDev(), q.Count())
		if err != nil {
			t.Fatal(err)
		}
		forecast, err := plan.Forecast(aggregate.Assumed{Units: units, Rows: float64(rows), Means: map[string]float64{"amount": mean}})
		if err != nil {
			t.Fatal(err)
		}
		arm := min(25, mean, 100-mean)
		var made []bill
		for i := range units * rows {
			at := mean + arm*(2*(float64(i)+0.5)/float64(units*rows)-1)
			made = append(made, bill{who: i / rows, where: 7, x: at})
		}
		t.Run("", func(t *testing.T) {
			dptest.NoNoise(t)
			release, err := plan.Run(t.Context(), newPurse(), aggregate.Request{Key: "k", Purpose: "p"}, aggregate.Slice(made))
			if err != nil {
				t.Fatal(err)
			}
			cell, _ := release.Cell(7)
			for i, c := range []aggregate.Column[float64]{amount.Mean(), amount.Sum(), amount.StdDev()} {
				want, e := forecast.Columns[i+1], c.Of(cell)
				lo, hi := e.Interval(0.95)
				if !near(e.Value, want.Value, 2e-3) || !near((hi-lo)/2, want.PlusMinus, 2e-3) {
					t.Errorf("%v of %d units: %v ± %v, forecast %+v", c, units, e.Value, (hi-lo)/2, want)
				}
			}
			for i, c := range []aggregate.Column[int64]{q.Units(), q.Count()} {
				want, e := forecast.Columns[4*i], c.Of(cell)
				lo, hi := e.Interval(0.95)
				if float64(e.Value) != want.Value || math.Abs(float64(hi-lo)/2-want.PlusMinus) > 1 {
					t.Errorf("%v of %d units: %v ± %v, forecast %+v", c, units, e.Value, float64(hi-lo)/2, want)
				}
			}
		})
	}
}

func near(x, y, part float64) bool { return math.Abs(x-y) <= part*math.Abs(y) }

// Numbers are as they were assumed, however coarse the steps of a value are.
func TestAForecastDoesNotRoundWhatIsAssumed(t *testing.T) {
	q := bills([]int{7}, 1, 3)
	visits := aggregate.PerUnit(q, "visits", func(bill) int64 { return 1 }, aggregate.Bounds[int64]{Upper: 4})
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, visits.Sum(), visits.Mean())
	if err != nil {
		t.Fatal(err)
	}
	f, err := plan.Forecast(aggregate.Assumed{Units: 5000, Means: map[string]float64{"visits": 1.14}})
	if err != nil || !near(f.Columns[0].Value, 5700, 1e-12) || f.Columns[1].Value != 1.14 {
		t.Errorf("%+v, %v", f, err)
	}
}

// The probability that a group is shown is that of the noise of the count of units, added
// up from its definition.
func TestTheForecastKnowsHowLikelyAGroupIsShown(t *testing.T) {
	for _, loss := range []dp.Approx{{Epsilon: 1, Delta: 1e-6}, {Epsilon: 0.2, Delta: 1e-3}} {
		q := bills(nil, 1, 1)
		plan, err := q.Plan(loss, q.Units())
		if err != nil {
			t.Fatal(err)
		}
		event := plan.Charge(aggregate.Request{Key: "k", Purpose: "p"}).Events[0]
		if event.Mechanism != dp.DiscreteLaplace {
			t.Fatalf("noise is %v", event.Mechanism)
		}
		scale, _ := event.Scale.Float64()
		at, _ := plan.Threshold()
		for units := 1; float64(units) < 3*at; units += 1 + units/7 {
			f, err := plan.Forecast(aggregate.Assumed{Units: units})
			if err != nil {
				t.Fatal(err)
			}
			want, q := 0.0, math.Exp(-1/scale)
			for x := int(at) - units; x < int(at)+int(60*scale); x++ {
				want += (1 - q) / (1 + q) * math.Pow(q, math.Abs(float64(x)))
			}
			if !near(f.Shown, want, 1e-9) {
				t.Errorf("%v, %d units: shown with %v, want %v", loss, units, f.Shown, want)
			}
		}
		if f, err := plan.Forecast(aggregate.Assumed{Units: 1 << 40}); err != nil || f.Shown != 1 {
			t.Errorf("very many units: %v, %v", f, err)
		}
	}
}

func TestEveryMistakeOfWhatIsAssumedIsNamed(t *testing.T) {
	q := bills([]int{7}, 1, 2)
	amount := aggregate.PerRow(q, "amount", amount, aggregate.Bounds[float64]{Upper: 100})
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, amount.Mean())
	if err != nil {
		t.Fatal(err)
	}
	_, err = plan.Forecast(aggregate.Assumed{Units: 0, Rows: 3, Means: map[string]float64{"amount": math.NaN(), "weight": 1}})
	for _, part := range []string{"Units is 0, must be 1 to", "Rows is 3, must be 1 to 2", `Means["amount"] is NaN, must be within its bounds, 0 to 100`, `"weight", which is no value`} {
		if !strings.Contains(fmt.Sprint(err), part) {
			t.Errorf("%v does not say %q", err, part)
		}
	}
}

// How a ward would be shown, before a row is read.
func ExamplePlan_Forecast() {
	q := wards()
	plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Units())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, units := range []int{20, 28, 500} {
		f, err := plan.Forecast(aggregate.Assumed{Units: units})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%d patients: shown with %.2g, then ± %.0f\n", units, f.Shown, f.Columns[0].PlusMinus)
	}
	// Output:
	// 20 patients: shown with 0.0042, then ± 6
	// 28 patients: shown with 0.23, then ± 6
	// 500 patients: shown with 1, then ± 6
}

// However few units there are, a forecast of what stays within bounds is no further off
// than half of them.
func TestForecastsStayWithinTheBounds(t *testing.T) {
	q := bills([]int{7}, 1, 3)
	amount := aggregate.PerRow(q, "amount", amount, aggregate.Bounds[float64]{Upper: 100, Step: 0.01})
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 0.1}, dp.Concentrated{Rho: 0.001}} {
		plan, err := q.Plan(loss, amount.Mean(), amount.Variance(), amount.StdDev())
		if err != nil {
			t.Fatal(err)
		}
		for _, units := range []int{1, 3, 10} {
			forecast, err := plan.Forecast(aggregate.Assumed{Units: units, Rows: 1})
			if err != nil {
				t.Fatal(err)
			}
			for i, half := range []float64{50, 1250, 25} {
				if c := forecast.Columns[i]; !(c.PlusMinus > 0 && c.PlusMinus <= half*(1+1e-9)) {
					t.Errorf("%v of %d units: %+v, must be within %v", loss, units, c, half)
				}
			}
		}
	}
}
