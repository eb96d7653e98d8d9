package quantile_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/quantile"
)

// The auditor does not refute what is claimed of the product's own draws, on the
// neighbours that are told apart best, and refutes plans with one mistake.
func TestAuditOfDraws(t *testing.T) {
	session := core.Begin()
	defer session.End()
	first := quantile.Weighing(400, 1, 20, 1)
	ends := quantile.Weighing(20, 1, 20, 1)
	median, quartiles := []float64{0.5}, []float64{0.25, 0.5, 0.75}
	for _, c := range []struct {
		name    string
		base    *quantile.Base
		epsilon string // of a level
		records int64  // that are allowed for
		shares  []float64
		a, b    []int
		refuted bool
	}{
		{"one rank", first, "1", 1, median, []int{0, 0, 1, 1}, []int{0, 0, 0, 1}, false},
		{"two records of a unit", first, "1", 2, median, []int{0, 0, 2, 2}, []int{0, 0, 0, 2}, false},
		{"three ranks", ends, "1/2", 1, quartiles, []int{0, 2, 1, 0}, []int{0, 2, 1, 1}, false},
		{"two thirds of the scale", first, "3/2", 1, median, []int{0, 0, 1, 1}, []int{0, 0, 0, 1}, true},
		{"half the sensitivity", first, "1", 1, median, []int{0, 0, 2, 2}, []int{0, 0, 0, 2}, true},
		{"levels that are not paid for", ends, "1", 1, quartiles, []int{0, 2, 1, 0}, []int{0, 2, 1, 1}, true},
	} {
		p, m := quantile.Small(t, c.base, c.shares, c.epsilon, c.records, 1)
		sample := func(counts []int) func() dptest.Sample {
			exact := quantile.CountsOf(counts)
			return func() dptest.Sample { return dptest.Sample{Tag: fmt.Sprint(p.Draw(session, exact))} }
		}
		runs := 20_000
		if c.refuted {
			runs = 100_000
		}
		a, b := m.Released(c.a), m.Released(c.b)
		trial := dptest.Trial{Claim: dp.Pure{Epsilon: 1}, Runs: runs, Alpha: 1e-9, Features: map[string]func(dptest.Sample) float64{
			"the likelihood": func(s dptest.Sample) float64 { return math.Log(a[s.Tag] / b[s.Tag]) },
		}}
		if !c.refuted {
			dptest.Audit(t, trial, sample(c.a), sample(c.b))
			continue
		}
		quiet := &quiet{TB: t}
		if r := dptest.Audit(quiet, trial, sample(c.a), sample(c.b)); !r.Refuted {
			t.Errorf("%s: %v", c.name, r)
		}
	}
}

// quiet keeps an audit that must fail from failing the test.
type quiet struct{ testing.TB }

func (*quiet) Errorf(string, ...any) {}
