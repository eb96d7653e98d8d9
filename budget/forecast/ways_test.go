package forecast_test

import (
	"flag"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/forecast"
	"github.com/equipoise-dp/equipoise/dp"
)

var long = flag.Bool("long", false, "try many more lists")

// payable is a charge that an account takes: what it declares holds for its event.
func payable(r *rand.Rand) dp.Charge {
	c := dp.Charge{Dataset: "d", Unit: "person", Purpose: "test"}
	switch r.IntN(3) {
	case 0:
		scale := int64(10 + r.IntN(90))
		c.Loss = dp.Pure{Epsilon: 1 / float64(scale) * (1 + 1e-9)}
		c.Events = []dp.Event{{Mechanism: dp.DiscreteLaplace, Scale: big.NewRat(scale, 1), Sensitivity: dp.Sensitivity{L0: 1, LInf: 1}, Count: 1}}
	case 1:
		sigma := int64(10 + r.IntN(90))
		c.Loss = dp.Concentrated{Rho: 0.5 / float64(sigma*sigma) * (1 + 1e-9)}
		c.Events = []dp.Event{{Mechanism: dp.Gaussian, Scale: big.NewRat(sigma, 1), Sensitivity: dp.Sensitivity{L0: 1, LInf: 1}, Count: 1}}
	default:
		delta := big.NewRat(1+r.Int64N(9), 1e10)
		d, _ := delta.Float64()
		c.Loss = dp.Approx{Epsilon: 0.05, Delta: d * (1 + 1e-9)}
		c.Events = []dp.Event{
			{Mechanism: dp.DiscreteLaplace, Scale: big.NewRat(21, 1), Sensitivity: dp.Sensitivity{L0: 1, LInf: 1}, Count: 1},
			{Mechanism: dp.Threshold, Delta: delta, Count: 1},
		}
	}
	return c
}

// Every way is tried with an account: under its limit all uses are paid, and under those
// that are smaller, by two parts in a thousand (under Default by one in a hundred) or by
// much, one of them is refused. Under larger ones all are paid again, but where a way of Default says that it is to be
// taken exactly; and such ways are found.
func TestAccountsTakeWhatTheirWaySaysAndNotMuchLess(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 3))
	lists, tried := 6, map[budget.Rule]int{}
	if *long {
		lists = 100
	}
	for n := range lists {
		var uses []forecast.Use
		for range 1 + r.IntN(3) {
			uses = append(uses, forecast.Use{Charge: payable(r), Times: 1 + r.IntN(8)})
		}
		ways, err := forecast.Ways(1e-6, uses...)
		if err != nil {
			t.Fatal(err)
		}
		least := 0.0
		for _, w := range ways {
			if least = max(least, w.Epsilon); least > w.Epsilon {
				t.Errorf("list %d: %v is not in order", n, w)
			}
			if w.Limit == nil || w.Reserved {
				continue
			}
			tried[w.Rule]++
			if !takes(t, w, 1, uses) {
				t.Errorf("list %d: %v does not take %+v", n, w, uses)
			}
			for _, factor := range []float64{1 - 2e-3, 0.99, 0.9, 0.7, 0.5, 0.3} {
				if (factor <= 0.99 || w.Rule != budget.Default) && takes(t, w, factor, uses) {
					t.Errorf("list %d: %v times %v takes it too: %+v", n, w, factor, uses)
				}
			}
			for _, factor := range []float64{1.1, 1.3, 2, 5} {
				if !w.Exactly && !takes(t, w, factor, uses) {
					t.Errorf("list %d: %v times %v takes less: %+v", n, w, factor, uses)
				}
			}
		}
	}
	if len(tried) != 4 {
		t.Errorf("tried %v", tried)
	}
}

// A limit of Default that is larger can take less, and the way says so.
func TestALimitThatIsToBeTakenExactlySaysSo(t *testing.T) {
	r, found := rand.New(rand.NewPCG(17, 33)), false
	for range 36 {
		var uses []forecast.Use
		for range 1 + r.IntN(3) {
			uses = append(uses, forecast.Use{Charge: payable(r), Times: 1 + r.IntN(40)})
		}
		if found || len(uses) < 2 || len(uses[0].Charge.Events) < 2 {
			continue // what begins with a threshold is where it happens
		}
		ways, err := forecast.Ways(1e-6, uses...)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range ways {
			if w.Exactly {
				found = true
				if w.Rule != budget.Default || !strings.HasSuffix(w.String(), "and not more: the first charge would choose otherwise") || !takes(t, w, 1, uses) {
					t.Errorf("%v is said to be exact", w)
				}
			}
		}
	}
	if !found {
		t.Error("no limit is to be taken exactly")
	}
}

func takes(t *testing.T, w forecast.Way, factor float64, uses []forecast.Use) bool {
	parts := dp.PartsOf(w.Limit)
	parts.Epsilon, parts.Rho = parts.Epsilon*factor, parts.Rho*factor
	a, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "d", Limit: parts.Loss(), Rule: w.Rule, EventShare: w.EventShare})
	if err != nil {
		t.Fatal(err)
	}
	for i, u := range uses {
		for j := range u.Times {
			c := u.Charge
			c.Key = fmt.Sprint(i, " ", j)
			if _, err := a.Spend(t.Context(), c); err != nil {
				return false
			}
		}
	}
	return true
}

// A year of weekly reports and a few larger ones: what an account must hold.
func ExampleWays() {
	noise, err := dp.Calibrate(dp.Concentrated{Rho: 0.0008}, dp.Sensitivity{L0: 1, LInf: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	week := dp.Charge{Loss: noise.Loss(), Events: []dp.Event{noise.Event()}}
	noise, err = dp.Calibrate(dp.Concentrated{Rho: 0.004}, dp.Sensitivity{L0: 1, LInf: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	board := dp.Charge{Loss: noise.Loss(), Events: []dp.Event{noise.Event()}}
	ways, err := forecast.Ways(1e-6, forecast.Use{Charge: week, Times: 52}, forecast.Use{Charge: board, Times: 10})
	for _, w := range ways {
		fmt.Println(w)
	}
	fmt.Println(err)
	// Output:
	// one reservation: ε=1.7849 δ=1e-06
	// zcdp: ρ=0.0816, which is ε=1.918 at that δ
	// zcdp: ε=1.9179 δ=1e-06
	// default: ε=1.9369 δ=1e-06
	// basic: ε=15.129 δ=1e-06
	// gdp: the rule of the account has no measure for this mechanism
	// basic: its limit is a dp.Pure, which takes only charges that are dp.Pure
	// <nil>
}

// The whole year declared at once.
func ExampleLeastLoss() {
	noise, err := dp.Calibrate(dp.Pure{Epsilon: 0.06}, dp.Sensitivity{L0: 1, LInf: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	week := forecast.Use{Times: 52, Charge: dp.Charge{Loss: noise.Loss(), Events: []dp.Event{noise.Event()}}}
	loss, err := forecast.LeastLoss(1e-6, week)
	fmt.Println(loss, err)
	year, err := forecast.Together(week)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(year.Events[0].Count, "uses, declared one by one: ε =", math.Round(52*6)/100)
	// Output:
	// ε=1.8646 δ=1e-06 <nil>
	// 52 uses, declared one by one: ε = 3.12
}
