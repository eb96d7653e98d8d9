package aggregate_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// The audits of this file compare whole runs of plans on inputs that broke other
// designs. Each refutes a true claim with probability alpha at most, and [holds] asks twice.
const (
	alpha = 1e-6
	runs  = 1200
)

type bill struct {
	who, where int
	x          float64
}

func bills(keys []int, maxGroups, maxRows int) *aggregate.Query[bill, int, int] {
	return &aggregate.Query[bill, int, int]{
		Dataset: "bills", UnitName: "payer", Unit: func(b bill) int { return b.who }, Group: func(b bill) int { return b.where },
		MaxGroups: maxGroups, MaxRowsPerGroup: maxRows, Groups: keys,
	}
}

func amount(b bill) float64 { return b.x }

func whole(b bill) int64 {
	switch {
	case math.IsNaN(b.x):
		return 0
	case b.x >= 0x1p63:
		return math.MaxInt64
	case b.x < -0x1p63:
		return math.MinInt64
	}
	return int64(b.x)
}

// till is a budget that always affords and does not remember, so that every run
// draws noise.
type till struct{}

func (till) Afford(context.Context, dp.Charge) error { return nil }
func (till) Spend(context.Context, dp.Charge) (dp.Payment, error) {
	return dp.Payment{At: time.Unix(0, 0)}, nil
}
func (till) Keep(_ context.Context, _ dp.Charge, release []byte) ([]byte, error) { return release, nil }
func (till) Kept(context.Context, dp.Charge) ([]byte, error)                     { return nil, nil }

// shown runs a plan once and returns all that a program could show.
func shown(t testing.TB, p *aggregate.Plan[bill, int, int], rows []bill, read func(aggregate.Cell) []float64) func() dptest.Sample {
	return func() dptest.Sample {
		r, err := p.Run(t.Context(), till{}, aggregate.Request{Key: "k", Purpose: "audit"}, aggregate.Slice(rows))
		if err != nil {
			return dptest.Sample{Tag: err.Error()}
		}
		var s dptest.Sample
		for key, cell := range r.All() {
			s.Tag += string(rune('a' + key))
			s.Numbers = append(s.Numbers, read(cell)...)
		}
		return s
	}
}

func value[T dp.Number](c aggregate.Column[T]) func(aggregate.Cell) []float64 {
	return func(cell aggregate.Cell) []float64 {
		e := c.Of(cell)
		lo, hi := e.Raw().Interval(0.9)
		return []float64{numberOf(e), lo, hi}
	}
}

// numberOf returns what an attacker reads of an estimate: the raw number, and one
// that no mean has if it is unknown.
func numberOf[T dp.Number](e dp.Estimate[T]) float64 {
	if e.Unknown {
		return -1e9
	}
	return e.Raw().Value
}

func plan(t testing.TB, q *aggregate.Query[bill, int, int], loss dp.Loss, columns ...aggregate.AnyColumn) *aggregate.Plan[bill, int, int] {
	t.Helper()
	p, err := q.Plan(loss, columns...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// audit audits one column on one pair of neighbours.
func audit[T dp.Number](t *testing.T, loss dp.Loss, q *aggregate.Query[bill, int, int], c aggregate.Column[T], a, b []bill) {
	t.Helper()
	p := plan(t, q, loss, c)
	holds(t, dptest.Trial{Claim: loss, Runs: runs, Alpha: alpha}, shown(t, p, a, value(c)), shown(t, p, b, value(c)))
}

var (
	pure         = dp.Pure{Epsilon: 1}
	concentrated = dp.Concentrated{Rho: 0.5}
	group        = []int{0}
)

func payers(xs ...float64) []bill {
	var rows []bill
	for i, x := range xs {
		rows = append(rows, bill{i, 0, x})
	}
	return rows
}

// A2, A4: the bits of a float sum, mean and standard deviation, for values that are
// zero, the bound, twice it, and on no grid.
func TestLowestBitsOfFloatsTellNothing(t *testing.T) {
	const u = 100
	for _, loss := range []dp.Loss{pure, concentrated} {
		for _, p := range [][2][]bill{{payers(), payers(u)}, {payers(u), payers(u, u)}, {payers(), payers(u / 3.0)}, {payers(0.1), payers(0.1, u/3.0)}} {
			q := bills(group, 1, 1)
			v := aggregate.PerRow(q, "x", amount, aggregate.Bounds[float64]{Lower: -u, Upper: u})
			audit(t, loss, q, v.Sum(), p[0], p[1])
			audit(t, loss, q, v.Mean(), p[0], p[1])
			audit(t, loss, q, v.StdDev(), p[0], p[1])
		}
	}
}

// B3, B4: values whose float or int64 sum overflows.
func TestSumsThatWouldOverflowKeepTheirClaim(t *testing.T) {
	const u = 0x1p490
	q := bills(group, 1, 1)
	floats := aggregate.PerRow(q, "x", amount, aggregate.Bounds[float64]{Lower: -u, Upper: u})
	audit(t, pure, q, floats.Sum(), payers(u, -u, -u), payers(u, u, -u, -u))
	audit(t, pure, q, floats.Mean(), payers(math.MaxFloat64), payers(math.MaxFloat64, math.MaxFloat64))
	ints := aggregate.PerRow(q, "n", whole, aggregate.Bounds[int64]{Lower: -1 << 61, Upper: 1 << 61})
	audit(t, pure, q, ints.Sum(), payers(0x1p62), payers(0x1p62, 0x1p62))
	audit(t, concentrated, q, ints.Sum(), payers(0x1p63, 1), payers(0x1p63, 1, 1))
}

// B5: bounds on either side of zero and around it.
func TestBoundsOnEitherSideOfZeroKeepTheirClaim(t *testing.T) {
	for _, b := range []aggregate.Bounds[float64]{{Lower: -10, Upper: 1}, {Lower: 3, Upper: 5}, {Lower: -5, Upper: -3}} {
		q := bills(group, 1, 1)
		v := aggregate.PerRow(q, "x", amount, b)
		for _, x := range []float64{b.Lower, b.Upper} {
			audit(t, pure, q, v.Sum(), payers(), payers(x))
			audit(t, concentrated, q, v.Sum(), payers(), payers(x))
		}
	}
}

// B7: a mean whose number of rows changes by one.
func TestMeansHideTheirSize(t *testing.T) {
	q := bills(group, 1, 1)
	v := aggregate.PerRow(q, "x", amount, aggregate.Bounds[float64]{Lower: 0, Upper: 1})
	audit(t, pure, q, v.Mean(), payers(1), payers(1, 0))
	hundred := make([]float64, 100)
	audit(t, pure, q, v.Mean(), payers(hundred...), payers(append(hundred, 1)...))
}

// B10, B17: one unit in all groups with all rows, and everything is looked at
// together.
func TestAUnitInManyGroupsWithManyRowsIsHidden(t *testing.T) {
	q := bills([]int{0, 1, 2, 3}, 4, 3)
	var rows []bill
	for i := range 16 {
		rows = append(rows, bill{0, i % 4, 1})
	}
	for _, loss := range []dp.Loss{pure, concentrated, dp.Approx{Epsilon: 1, Delta: 1e-3}} {
		audit(t, loss, q, q.Count(), nil, rows)
		audit(t, loss, q, q.Units(), nil, rows)
	}
	one := bills(group, 1, 1)
	audit(t, pure, one, one.Count(), nil, rows[:4])
}

// B13, B14: special values are clamped, counted and summed alike.
func TestSpecialValuesKeepTheirClaim(t *testing.T) {
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), math.SmallestNonzeroFloat64, math.MaxFloat64} {
		q := bills(group, 1, 1)
		v := aggregate.PerRow(q, "x", amount, aggregate.Bounds[float64]{Lower: -1, Upper: 3})
		audit(t, pure, q, v.Sum(), payers(), payers(x))
		audit(t, pure, q, v.Mean(), payers(2), payers(2, x))
		audit(t, pure, q, v.Variance(), payers(), payers(x))
	}
}

// B18: replacing one unit is removing one and adding one, and costs twice: the claim
// of a plan is about adding or removing, as its package says, and twice the claim
// holds for replacing. Once the claim does not: the audit says so.
func TestReplacingOneUnitCostsTwice(t *testing.T) {
	q := bills(group, 1, 1)
	v := aggregate.PerRow(q, "x", amount, aggregate.Bounds[float64]{Lower: -1, Upper: 1})
	p := plan(t, q, pure, v.Sum())
	low, high := shown(t, p, payers(-1), value(v.Sum())), shown(t, p, payers(1), value(v.Sum()))
	holds(t, dptest.Trial{Claim: dp.Pure{Epsilon: 2}, Runs: runs, Alpha: alpha}, low, high)
	if r := dptest.Audit(silent{t}, dptest.Trial{Claim: pure, Runs: 8 * runs, Alpha: alpha}, low, high); !r.Refuted {
		t.Errorf("replacing one unit is not distinguished from adding one: %v", r)
	}
}

// silent is a testing.TB whose errors are expected.
// holds audits a claim that must hold. What is refuted is audited again, with noise of its own, and fails t if it is
// refuted again: by chance with a probability of alpha² at most.
func holds(t *testing.T, trial dptest.Trial, a, b func() dptest.Sample) {
	t.Helper()
	if trial.Run(a, b).Refuted {
		dptest.Audit(t, trial, a, b)
	}
}

type silent struct{ testing.TB }

func (silent) Errorf(string, ...any) {}

// C1, C2, C3, C11: a new group with one unit, and ten of them, with either noise.
func TestNewGroupsHideTheirUnit(t *testing.T) {
	for _, c := range []struct {
		loss      dp.Loss
		maxGroups int
	}{{dp.Approx{Epsilon: 1, Delta: 1e-3}, 1}, {dp.Approx{Epsilon: 1, Delta: 0.05}, 10}, {dp.Approx{Epsilon: 0.3, Delta: 0.2}, 3}} {
		q := bills(nil, c.maxGroups, 1)
		var rows []bill
		for i := range c.maxGroups {
			rows = append(rows, bill{0, i, 1})
		}
		p := plan(t, q, c.loss, q.Units())
		holds(t, dptest.Trial{Claim: c.loss, Runs: 5 * runs, Alpha: alpha}, shown(t, p, nil, value(q.Units())), shown(t, p, rows, value(q.Units())))
	}
}

// C7, C9: groups that are given show, with noise, whether or not anyone is in them.
func TestGivenGroupsShowWithNoise(t *testing.T) {
	q := bills([]int{0, 1}, 1, 1)
	v := aggregate.PerRow(q, "x", amount, aggregate.Bounds[float64]{Lower: 0, Upper: 1})
	audit(t, pure, q, q.Count(), nil, []bill{{0, 0, 1}})
	audit(t, pure, q, q.Count(), []bill{{0, 0, 1}}, []bill{{0, 0, 1}, {1, 1, 1}})
	audit(t, pure, q, v.Mean(), nil, []bill{{0, 1, 1}})
}

// C10: no raw count opens or shuts a gate: four and five units, then asked again.
func TestNoGateOnTheRawCount(t *testing.T) {
	loss := dp.Approx{Epsilon: 1, Delta: 0.01}
	q := bills(nil, 1, 1)
	p := plan(t, q, loss, q.Units())
	again := func(rows []bill) func() dptest.Sample {
		return func() dptest.Sample {
			b := newPurse()
			var s dptest.Sample
			for range 2 {
				r, err := p.Run(t.Context(), b, aggregate.Request{Key: "k", Purpose: "audit"}, aggregate.Slice(rows))
				if err != nil {
					return dptest.Sample{Tag: err.Error()}
				}
				for _, cell := range r.All() {
					s.Numbers = append(s.Numbers, numberOf(q.Units().Of(cell)))
				}
			}
			return s
		}
	}
	holds(t, dptest.Trial{Claim: loss, Runs: 5 * runs, Alpha: alpha}, again(payers(1, 1, 1, 1)), again(payers(1, 1, 1, 1, 1)))
}

// C12, D9: what is dropped, clamped or odd shows nowhere: the tag of a sample holds
// errors and groups, and the receipt is the same.
func TestNothingIsSaidAboutRows(t *testing.T) {
	q := bills([]int{0}, 1, 1)
	v := aggregate.PerRow(q, "x", amount, aggregate.Bounds[float64]{Lower: 0, Upper: 1})
	p := plan(t, q, pure, v.Sum(), v.Quantile(0.5))
	receipt := func(rows []bill) func() dptest.Sample {
		return func() dptest.Sample {
			r, err := p.Run(t.Context(), till{}, aggregate.Request{Key: "k", Purpose: "audit"}, aggregate.Slice(rows))
			if err != nil {
				return dptest.Sample{Tag: err.Error()}
			}
			text, err := r.Receipt().MarshalJSON()
			if err != nil {
				return dptest.Sample{Tag: err.Error()}
			}
			return dptest.Sample{Tag: string(text)}
		}
	}
	odd := []bill{{0, 0, math.NaN()}, {0, 0, math.Inf(1)}, {0, 7, 1}, {0, -1, 1e300}, {0, 0, -5}}
	holds(t, dptest.Trial{Claim: dp.Pure{Epsilon: 1e-3}, Runs: 400, Alpha: alpha}, receipt(nil), receipt(odd))
}
