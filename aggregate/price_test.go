package aggregate_test

import (
	"math"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// Whatever can cut rows or values off is on the price list, before anything is paid:
// also a cap that costs nothing.
func TestCapsAndBoundsStandOnThePriceList(t *testing.T) {
	q := orders()
	q.MaxGroups, q.MaxRowsPerGroup = 2, 7
	euros := aggregate.PerUnit(q, "euros", func(o order) float64 { return o.euros }, aggregate.Bounds[float64]{Lower: -3, Upper: 12.5, Step: 0.5})
	list := func() string {
		plan, err := q.Plan(dp.Pure{Epsilon: 1}, euros.Sum())
		if err != nil {
			t.Fatal(err)
		}
		return plan.String()
	}
	for _, want := range []string{"at most 2 groups", "at most 7 rows in each", "euros is clamped to [-3, 12.5] per unit, in steps of 0.5"} {
		if !strings.Contains(list(), want) {
			t.Errorf("%q is not on the price list:\n%s", want, list())
		}
	}
	q.MaxRowsPerGroup = math.MaxInt
	if want := "at most 2 groups, with all its rows in each"; !strings.Contains(list(), want) {
		t.Errorf("%q is not on the price list:\n%s", want, list())
	}
}
