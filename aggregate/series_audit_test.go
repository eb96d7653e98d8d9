package aggregate

import (
	"math/big"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// Mistakes in sharing noise are found where neighbours are a person's whole history.
func TestPlantedMistakesOfASeriesAreFound(t *testing.T) {
	const periods = 8
	q, series := sales(periods, 1, 1, false)
	loss := dp.Approx{Epsilon: 1, Delta: 1e-3}
	plan, err := series.Plan(loss, q.Units())
	if err != nil {
		t.Fatal(err)
	}
	var history []sale
	for day := range periods {
		history = append(history, sale{1, "a", day, 1})
	}
	capped := *plan
	inside := *plan.seriesCore
	inside.cap = periods
	inner := *plan.inner
	compiled := *plan.inner.compiled
	compiled.maxGroups = periods
	inner.compiled, inside.compiled = &compiled, &compiled
	capped.seriesCore, capped.inner = &inside, &inner

	sums := func(p *SeriesPlan[sale, int, string]) (both [2]*seriesSums[string]) {
		for i, rows := range [][]sale{nil, history} {
			var err error
			if both[i], err = p.collect(t.Context(), periods, Slice(rows)); err != nil {
				t.Fatal(err)
			}
		}
		return both
	}
	right, wrong := sums(plan), sums(&capped)
	m := plan.measures[0]
	rowsOf := func(sums *seriesSums[string], copies int) []*big.Int {
		all := make([]*big.Int, periods)
		x := sums.part("a", periods, 0)
		core.InSession(func(session *core.Session) {
			for i := range copies {
				for t, row := range m.noisy(session, 0, periods, x, exact.Int(0)) {
					if i == 0 {
						all[t] = new(big.Int)
					}
					all[t].Add(all[t], row)
				}
			}
		})
		return all
	}
	for name, mutant := range map[string]func(there int) []*big.Int{
		"":                            func(there int) []*big.Int { return rowsOf(right[there], 1) },
		"a person counted more often": func(there int) []*big.Int { return rowsOf(wrong[there], 1) },
		"noise of two periods shared": func(there int) []*big.Int {
			x := right[there].part("a", periods, 0)
			noise := rowsOf(right[0], 1)[0]
			first, second := m.strategy.Encode(0, x, exact.Int(0)), m.strategy.Encode(1, x, exact.Int(0))
			return []*big.Int{first.Add(first, noise), second.Add(second, noise)}
		},
		"a state restored from a copy": func(there int) []*big.Int {
			return rowsOf(right[there], 32) // what people see who were shown each of 32 answers
		},
	} {
		sample := func(there int) func() dptest.Sample {
			return func() (s dptest.Sample) {
				for _, row := range mutant(there) {
					f, _ := new(big.Float).SetInt(row).Float64()
					s.Numbers = append(s.Numbers, f)
				}
				s.Numbers = append(s.Numbers, s.Numbers[1]-s.Numbers[0])
				return s
			}
		}
		runs := 2000
		if name == "a person counted more often" { // the least of the mistakes: with 2,000 runs it is missed once in six times
			runs = 8000
		}
		r := dptest.Trial{Claim: loss, Runs: runs, Alpha: 1e-9}.Run(sample(1), sample(0))
		if r.Refuted != (name != "") {
			t.Errorf("%q: %v", name, r)
		}
	}
}
