package forecast_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/forecast"
	"github.com/equipoise-dp/equipoise/dp"
)

// An extremeGoal has caps from 1 to 50, few units or very many, aims that are loose or close,
// values around 0, and periods that hundreds of thousands of groups may be.
func extremeGoal(r *rand.Rand) (*aggregate.Query[sale, int, string], forecast.Goal) {
	q := &aggregate.Query[sale, int, string]{
		Dataset: "sales", UnitName: "customer", Unit: func(s sale) int { return s.Customer }, Group: func(s sale) string { return s.Day },
		MaxGroups: 1 + r.IntN(50), MaxRowsPerGroup: 1 + r.IntN(50),
	}
	g := forecast.Goal{Times: 1, Delta: math.Pow(10, -2-13*r.Float64()), Of: aggregate.Assumed{Units: int(math.Pow(10, 2+6*r.Float64())), Means: map[string]float64{}}}
	if r.IntN(3) == 0 {
		g.Times = 1 + r.IntN(20_000)
	}
	switch r.IntN(3) {
	case 0:
		g.ShownFrom = 1 + r.IntN(g.Of.Units)
	case 1:
		for i := range 50 + r.IntN(1000) {
			q.Groups = append(q.Groups, fmt.Sprint(i))
		}
	default:
		q.Groups = []string{"one", "two"}
		q.MaxGroups = min(q.MaxGroups, 2)
	}
	q.MaxGroups = min(q.MaxGroups, max(len(q.Groups), 50*min(1, g.ShownFrom)))
	lower, upper := -100*r.Float64(), 1000*r.Float64()+1
	euros := aggregate.PerUnit(q, "euros", func(s sale) float64 { return s.Euros }, aggregate.Bounds[float64]{Lower: lower, Upper: upper})
	tips := aggregate.PerRow(q, "tips", func(s sale) float64 { return s.Euros }, aggregate.Bounds[float64]{Upper: upper, Step: upper / 7})
	columns := []aggregate.AnyColumn{q.Units(), q.Count(), euros.Sum(), euros.Mean(), tips.Sum(), tips.Mean(), euros.Quantile(0.5)}
	for _, i := range r.Perm(len(columns))[:1+r.IntN(4)] {
		a := forecast.Aim{Column: columns[i], Part: math.Pow(10, -3+3*r.Float64())}
		if i == len(columns)-1 {
			a.Part = 0
		}
		g.Aims = append(g.Aims, a)
	}
	return q, g
}

// What a proposal says is what its plan, its price list and accounts say, whatever is asked:
// the plan forecasts the same again, every way takes all the reports in an account, and one
// that is a hundredth smaller does not; and what is impossible has an aim that is missed.
func TestWhatAProposalPromisesItsPlanAndAccountsKeep(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 11))
	goals, found, impossible, refused := 25, 0, 0, 0
	if *long {
		goals = 400
	}
	for n := range goals {
		q, g := extremeGoal(r)
		p, err := forecast.PlanFor(q, g)
		var none *forecast.ImpossibleError
		switch {
		case errors.As(err, &none):
			impossible++
			for _, u := range none.Unmet {
				if !(u.Nearest > u.Asked) {
					t.Errorf("goal %d: %+v is met: %v", n, u, err)
				}
			}
			continue
		case err != nil:
			refused++
			t.Logf("goal %d: %v", n, err)
			continue
		}
		found++
		again, err := p.Plan.Forecast(g.Of)
		if err != nil {
			t.Fatal(err)
		}
		prices := p.Plan.Prices()
		for i, c := range p.Forecast.Columns {
			asked := g.Aims[i].Part * math.Abs(c.Value)
			switch {
			case again.Columns[i] != c && !(math.IsNaN(c.PlusMinus) && math.IsNaN(again.Columns[i].PlusMinus)):
				t.Errorf("goal %d: %+v was forecast, and then %+v", n, c, again.Columns[i])
			case asked > 0 && c.PlusMinus > asked:
				t.Errorf("goal %d: %v is ± %v, must be ± %v", n, c.Column, c.PlusMinus, asked)
			case prices[i].Per == aggregate.PerNumber && math.Abs(prices[i].PlusMinus-c.PlusMinus) > 0.51+1e-3*c.PlusMinus:
				t.Errorf("goal %d: the price list has ± %v for %v, the forecast ± %v", n, prices[i].PlusMinus, c.Column, c.PlusMinus)
			}
		}
		if !slices.ContainsFunc(p.Ways, func(w forecast.Way) bool { return w.Limit != nil && !w.Reserved }) {
			t.Errorf("goal %d: no account can pay report by report: %v", n, p.Ways)
		}
		use := forecast.Use{Charge: p.Plan.Charge(aggregate.Request{Key: "k", Purpose: "p"}), Times: g.Times}
		for _, w := range p.Ways {
			if w.Limit == nil {
				continue
			}
			if got := held(t, w, 1, use); got < g.Times {
				t.Errorf("goal %d: %v takes %d of %d reports", n, w, got, g.Times)
			}
			least := dp.PartsOf(w.Limit)
			if got := held(t, w, 0.98, use); got >= g.Times && !w.Reserved && max(least.Epsilon, least.Rho) > 1e-9 {
				t.Errorf("goal %d: 0.98 of %v takes %d reports too", n, w, got)
			}
		}
	}
	t.Logf("%d found, %d impossible, %d refused", found, impossible, refused)
	if found < goals/2 || refused > goals/10 {
		t.Errorf("%d of %d goals were met, and %d refused", found, goals, refused)
	}
}

// held is how many of the reports an account of the way takes, asked by HowMany, or as one reservation.
func held(t *testing.T, w forecast.Way, factor float64, use forecast.Use) int {
	parts := dp.PartsOf(w.Limit)
	parts.Epsilon, parts.Rho = parts.Epsilon*factor, parts.Rho*factor
	a, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: use.Charge.Dataset, Unit: use.Charge.Unit, Limit: parts.Loss(), Rule: w.Rule, EventShare: w.EventShare})
	if err != nil {
		t.Fatal(err)
	}
	if w.Reserved {
		whole, err := forecast.Together(use)
		if err != nil {
			t.Fatal(err)
		}
		whole.Key, whole.Plan, whole.Loss = "all", "all", parts.Loss()
		if _, err := a.Spend(t.Context(), whole); err != nil {
			return 0
		}
		return use.Times
	}
	n, _, err := a.HowMany(t.Context(), use.Charge)
	if err != nil {
		return 0
	}
	return n
}
