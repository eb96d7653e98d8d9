package aggregatetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// AuditPlan audits a whole plan, with everything that it releases, on a
// catalogue of neighbours: what it collects, the noise, the selection of groups
// and the release are those of the library and of the program's own functions.
// Runs are paid for by a budget that is always full, inside the test. It fails t
// if the plan's loss is refuted on any of them, and returns what was found on
// each. It refuses a catalogue of fewer runs than can refute anything, and says how
// many can.
func AuditPlan[Row any, Unit, Key comparable](t testing.TB, plan *aggregate.Plan[Row, Unit, Key], c Catalogue[Row]) []dptest.Result {
	t.Helper()
	trial, err := c.trial(plan.Charge(aggregate.Request{}).Loss)
	if err != nil {
		t.Fatal(err)
	}
	var results []dptest.Result
	for _, p := range c.pairs() {
		r := trial.Run(released(t, plan, c, p.with), released(t, plan, c, p.without))
		r.Name = p.name
		if r.Refuted {
			t.Errorf("aggregatetest: %s: %v is %v", p.name, trial.Claim, r)
		}
		results = append(results, r)
	}
	return results
}

// released returns a function that runs the whole plan once.
func released[Row any, Unit, Key comparable](t testing.TB, plan *aggregate.Plan[Row, Unit, Key], c Catalogue[Row], rows []Row) func() dptest.Sample {
	request := aggregate.Request{Key: "audit", Purpose: "audit"}
	return func() dptest.Sample {
		release, err := plan.Run(t.Context(), purse{}, request, aggregate.Slice(rows))
		if err != nil {
			return dptest.Sample{Tag: err.Error()}
		}
		return seen(release, c.Read)
	}
}

// seen returns all that a release holds: which groups there are, and their noisy
// numbers. An estimate is a function of these and of the plan, so it tells no more;
// what the program makes of estimates is what read returns.
func seen[Key comparable](release *aggregate.Release[Key], read func(aggregate.Cell) []float64) dptest.Sample {
	var s dptest.Sample
	var tag strings.Builder
	for key, cell := range release.All() {
		numbers := cell.Noisy()
		fmt.Fprintf(&tag, "%v:%d ", key, len(numbers))
		s.Numbers = append(s.Numbers, numbers...)
	}
	if read != nil {
		for _, cell := range release.All() {
			s.Numbers = append(s.Numbers, read(cell)...)
		}
	}
	s.Tag = tag.String()
	return s
}
