package aggregate_test

import (
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/aggregate/aggregatetest"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// C1: whole runs that release nothing but which groups there are, by coins and by looks,
// at a δ so large that one unit is often found.
func TestWhichGroupsThereAreHidesEveryUnit(t *testing.T) {
	nothing := func(aggregate.Cell) []float64 { return nil }
	everywhere := func(who int) (rows []bill) {
		for where := range 12 {
			rows = append(rows, bill{who: who, where: where})
		}
		return rows
	}
	others := append(payers(1, 1, 1), everywhere(3)...)
	for maxGroups, loss := range map[int]dp.Approx{1: {Epsilon: 1, Delta: 0.1}, 10: {Epsilon: 1, Delta: 0.3}} {
		q := bills(nil, maxGroups, 1)
		p := plan(t, q, loss)
		for _, pair := range [][2][]bill{
			{nil, everywhere(9)}, {others, append(everywhere(9), others...)}, {others, append([]bill{{who: 9}}, others...)},
		} {
			holds(t, dptest.Trial{Claim: loss, Runs: runs, Alpha: alpha}, shown(t, p, pair[0], nothing), shown(t, p, pair[1], nothing))
		}
		if *long {
			aggregatetest.AuditPlan(t, p, aggregatetest.Catalogue[bill]{
				Row: func(unit, key int, x float64) bill { return bill{unit, key, x} }, Lower: 0, Upper: 1, Runs: 2000, Alpha: alpha,
			})
		}
		if r := dptest.Audit(silent{t}, dptest.Trial{Claim: dp.Approx{Epsilon: 0.01, Delta: 1e-6}, Runs: 4 * runs, Alpha: alpha}, shown(t, p, nil, nothing), shown(t, p, everywhere(9), nothing)); !r.Refuted {
			t.Errorf("MaxGroups %d: a δ that is far too small is not refuted: %v", maxGroups, r)
		}
	}
}
