package aggregate_test

import (
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// A1, B17: several numbers of a unit that are released as one vector, for one unit at
// both ends of the bounds, among others and alone. That the claim is tight is seen too: half of it is
// refuted.
func TestOneVectorOfManyNumbersHidesEveryUnit(t *testing.T) {
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 2}, dp.Concentrated{Rho: 1}} {
		q := bills([]int{0, 1}, 2, 1)
		first := aggregate.PerUnit(q, "first", amount, aggregate.Bounds[float64]{Lower: 0, Upper: 1})
		second := aggregate.PerUnit(q, "second", func(b bill) float64 { return 1 - b.x }, aggregate.Bounds[float64]{Lower: 0, Upper: 1})
		p := plan(t, q, loss, q.Units(), first.Sum(), second.Sum())
		if got := p.Charge(aggregate.Request{}).Events; len(got) != 1 {
			t.Fatalf("%v: there are %d events", loss, len(got))
		}
		noisy := func(cell aggregate.Cell) []float64 { return cell.Noisy() }
		one := []bill{{9, 0, 1}, {9, 1, 0}}
		holds(t, dptest.Trial{Claim: loss, Runs: 2 * runs, Alpha: alpha}, shown(t, p, payers(1, 0), noisy), shown(t, p, append(one, payers(1, 0)...), noisy))
		less := dp.Loss(dp.Pure{Epsilon: 0.3})
		if r := dptest.Audit(silent{t}, dptest.Trial{Claim: less, Runs: 2 * runs, Alpha: alpha}, shown(t, p, nil, noisy), shown(t, p, one, noisy)); !r.Refuted {
			t.Errorf("%v: a claim of %v is not refuted: %v", loss, less, r)
		}
	}
}
