package aggregatetest

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp/dptest"
	"github.com/equipoise-dp/equipoise/internal/purse"
)

// AuditPlan audits a whole plan, with everything that it releases, on a
// catalogue of neighbours: what it collects, the noise, the selection of groups
// and the release are those of the library and of the program's own functions.
// Runs are paid for by a budget that is always full, inside the test. It fails t
// if the plan's loss is refuted on any of them, and returns what was found on
// each. It refuses a catalogue of fewer runs than can refute anything, and says how
// many can.
//
// Pairs are audited on all processors at a time, so the functions of the query and
// of the catalogue must be safe for concurrent use, as those of an [aggregate.Plan]
// that runs twice at a time must be.
func AuditPlan[Row any, Unit, Group comparable](t testing.TB, plan *aggregate.Plan[Row, Unit, Group], c Catalogue[Row]) []dptest.Result {
	t.Helper()
	trial, err := c.trial(plan.Charge(aggregate.Request{}).Loss)
	if err != nil {
		t.Fatal(err)
	}
	// What fails on no rows fails on all, and always the same, which refutes nothing.
	if _, err := plan.Run(t.Context(), purse.Free{}, c.request(), aggregate.Slice[Row](nil)); err != nil {
		t.Fatalf("aggregatetest: the plan cannot be run, so nothing can be audited: %v", err)
	}
	results := each(c.pairs(), func(p pair[Row]) dptest.Result {
		r := trial.Run(released(t, plan, c, p.with), released(t, plan, c, p.without))
		r.Name = p.name
		return r
	})
	for _, r := range results {
		if r.Refuted {
			t.Errorf("aggregatetest: %s: %v is %v", r.Name, trial.Claim, r)
		}
	}
	return results
}

// each calls a function for every pair, on all processors.
func each[Row any](pairs []pair[Row], audit func(pair[Row]) dptest.Result) []dptest.Result {
	results := make([]dptest.Result, len(pairs))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(pairs)); i = next.Add(1) - 1 {
				results[i] = audit(pairs[i])
			}
		})
	}
	workers.Wait()
	return results
}

// released returns a function that runs the whole plan once.
func released[Row any, Unit, Group comparable](t testing.TB, plan *aggregate.Plan[Row, Unit, Group], c Catalogue[Row], rows []Row) func() dptest.Sample {
	return func() dptest.Sample {
		release, err := plan.Run(t.Context(), purse.Free{}, c.request(), aggregate.Slice(rows))
		if err != nil {
			return dptest.Sample{Tag: err.Error()}
		}
		return seen(release, c.Read)
	}
}

// seen returns all that a release holds: which groups there are, and their noisy
// numbers. An estimate is a function of these and of the plan, so it tells no more;
// what the program makes of estimates is what read returns.
func seen[Group comparable](release *aggregate.Release[Group], read func(aggregate.Cell) []float64) dptest.Sample {
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
