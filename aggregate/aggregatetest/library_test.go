package aggregatetest

import (
	"context"
	"flag"
	"fmt"
	"math"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// The default mode runs half the settings, with every other type of release each, and finds
// gross mistakes, such as an answer that differs in kind; -all runs all of them, and -long
// finds a scale that is 30 % too small.
var (
	all  = flag.Bool("all", false, "audit all settings, 1,326 audits, instead of a quarter of them")
	long = flag.Bool("long", false, "audit all settings with 10,000 runs instead of 400; needs -timeout 2h")
)

// The heap of these tests is small and lives shortly; collecting it at each doubling is most of what collecting costs.
var _ = debug.SetGCPercent(400)

// whole converts a made-up value as a program with integer values would.
func whole(x float64) int64 {
	switch {
	case math.IsNaN(x):
		return 0
	case x >= 0x1p63:
		return math.MaxInt64
	case x < -0x1p63:
		return math.MinInt64
	}
	return int64(x)
}

// Bounds of the values of all audited releases: not symmetric, and not a multiple
// of anything.
const lower, upper = -2, 7

// coarse is the step of float quantiles, so that their trees are small and a run
// is quick; other floats have the step that the plan chooses.
const coarse = 0.75

type visitQuery = aggregate.Query[visit, int, int]

// releases are the types of releases: everything that can be asked of a group.
var releases = []struct {
	name    string
	columns func(*visitQuery) []aggregate.AnyColumn
}{
	{"count", func(q *visitQuery) []aggregate.AnyColumn { return []aggregate.AnyColumn{q.Count()} }},
	{"units", func(q *visitQuery) []aggregate.AnyColumn { return []aggregate.AnyColumn{q.Units()} }},
	{"int sum", ofInt(aggregate.PerRow[int64], func(v *aggregate.Value[int64]) []aggregate.AnyColumn { return []aggregate.AnyColumn{v.Sum()} })},
	{"int sum per unit", ofInt(aggregate.PerUnit[int64], func(v *aggregate.Value[int64]) []aggregate.AnyColumn { return []aggregate.AnyColumn{v.Sum()} })},
	{"int mean", ofInt(aggregate.PerRow[int64], func(v *aggregate.Value[int64]) []aggregate.AnyColumn { return []aggregate.AnyColumn{v.Mean()} })},
	{"int variance per unit", ofInt(aggregate.PerUnit[int64], func(v *aggregate.Value[int64]) []aggregate.AnyColumn { return []aggregate.AnyColumn{v.Variance()} })},
	{"int median", ofInt(aggregate.PerRow[int64], func(v *aggregate.Value[int64]) []aggregate.AnyColumn {
		return []aggregate.AnyColumn{v.Quantile(0.5)}
	})},
	{"float sum", ofFloat(aggregate.PerRow[float64], 0, func(v *aggregate.Value[float64]) []aggregate.AnyColumn { return []aggregate.AnyColumn{v.Sum()} })},
	{"float sum per unit", ofFloat(aggregate.PerUnit[float64], 0, func(v *aggregate.Value[float64]) []aggregate.AnyColumn { return []aggregate.AnyColumn{v.Sum()} })},
	{"float mean per unit", ofFloat(aggregate.PerUnit[float64], 0, func(v *aggregate.Value[float64]) []aggregate.AnyColumn { return []aggregate.AnyColumn{v.Mean()} })},
	{"float standard deviation", ofFloat(aggregate.PerRow[float64], 0, func(v *aggregate.Value[float64]) []aggregate.AnyColumn { return []aggregate.AnyColumn{v.StdDev()} })},
	{"float quartile per unit", ofFloat(aggregate.PerUnit[float64], coarse, func(v *aggregate.Value[float64]) []aggregate.AnyColumn {
		return []aggregate.AnyColumn{v.Quantile(0.25)}
	})},
	{"everything", func(q *visitQuery) []aggregate.AnyColumn {
		return slices.Concat([]aggregate.AnyColumn{q.Count(), q.Units()},
			ofInt(aggregate.PerRow[int64], func(v *aggregate.Value[int64]) []aggregate.AnyColumn { return []aggregate.AnyColumn{v.Sum()} })(q),
			ofFloat(aggregate.PerUnit[float64], coarse, func(v *aggregate.Value[float64]) []aggregate.AnyColumn {
				return []aggregate.AnyColumn{v.Mean(), v.Quantile(0.75)}
			})(q))
	}},
}

type valueOf[T dp.Number] func(*visitQuery, string, func(visit) T, aggregate.Bounds[T]) *aggregate.Value[T]

func ofInt(per valueOf[int64], columns func(*aggregate.Value[int64]) []aggregate.AnyColumn) func(*visitQuery) []aggregate.AnyColumn {
	return func(q *visitQuery) []aggregate.AnyColumn {
		return columns(per(q, "spent", func(v visit) int64 { return whole(v.spent) }, aggregate.Bounds[int64]{Lower: lower, Upper: upper}))
	}
}

func ofFloat(per valueOf[float64], step float64, columns func(*aggregate.Value[float64]) []aggregate.AnyColumn) func(*visitQuery) []aggregate.AnyColumn {
	return func(q *visitQuery) []aggregate.AnyColumn {
		return columns(per(q, "spent exactly", func(v visit) float64 { return v.spent }, aggregate.Bounds[float64]{Lower: lower, Upper: upper, Step: step}))
	}
}

// settings are the losses and caps under which types are audited: all of them with -all, else
// in the even ones every other type, so that no type and no family of noise is left out.
var settings = []struct {
	name            string
	loss            dp.Loss
	keys            []int // nil to select them
	maxGroups, rows int
	noise           dp.Mechanism
}{
	{"pure", dp.Pure{Epsilon: 1}, []int{0, 1}, 2, 2, dp.DiscreteLaplace},
	{"approx few groups", dp.Approx{Epsilon: 1, Delta: 1e-3}, []int{0, 1}, 1, 2, dp.DiscreteLaplace},
	{"concentrated", dp.Concentrated{Rho: 0.5}, []int{0, 1}, 2, 1, dp.DiscreteGaussian},
	{"approx many groups", dp.Approx{Epsilon: 1, Delta: 0.05}, []int{0, 1, 2, 3, 4, 5}, 6, 1, dp.DiscreteGaussian},
	{"selected", dp.Approx{Epsilon: 1, Delta: 1e-3}, nil, 1, 1, dp.DiscreteLaplace},
	{"selected many groups", dp.Approx{Epsilon: 2, Delta: 0.2}, nil, 10, 1, dp.DiscreteGaussian},
}

// No audit of any release of the library is refuted. By chance one of a plan may be, with
// a probability of 1.3e-5 at most; then all of the plan are run again, with fresh noise, and
// fail with one of 2e-10.
func TestOurReleasesAreNotRefuted(t *testing.T) {
	const suite = 1e-3
	runs, atLeast := 400, 300
	if *long {
		*all, runs = true, 10_000
	}
	if *all {
		atLeast = 1000
	}
	var audits, refuted atomic.Int64
	t.Run("releases", func(t *testing.T) {
		for i, s := range settings {
			if i%2 == 1 && !*all {
				continue
			}
			for j, r := range releases {
				if (i/2+j)%2 == 1 && !*all {
					continue
				}
				t.Run(s.name+"/"+r.name, func(t *testing.T) {
					t.Parallel()
					q := visits(s.keys)
					q.MaxGroups, q.MaxRowsPerGroup = s.maxGroups, s.rows
					plan, err := q.Plan(s.loss, r.columns(q)...)
					if err != nil {
						t.Fatal(err)
					}
					if got := plan.Charge(aggregate.Request{}).Events[0].Mechanism; r.name == "count" && got != s.noise {
						t.Errorf("the noise is %s, so %s is not audited", got, s.noise)
					}
					c := Catalogue[visit]{
						Row:   func(unit, key int, x float64) visit { return visit{unit, key, x} },
						Lower: lower, Upper: upper, Runs: runs, Alpha: suite / float64(len(settings)*len(releases)),
					}
					isRefuted := func(r dptest.Result) bool { return r.Refuted }
					found := AuditPlan(silent{t}, plan, c)
					if audits.Add(int64(len(found))); slices.ContainsFunc(found, isRefuted) {
						refuted.Add(1)
						AuditPlan(t, plan, c)
					}
				})
			}
		}
	})
	t.Logf("%d audits of %d runs; of %d plans one was refuted at first", audits.Load(), runs, refuted.Load())
	if audits.Load() < int64(atLeast) {
		t.Errorf("%d audits, want at least %d", audits.Load(), atLeast)
	}
}

// The catalogue can tell: a plan whose program takes every row for a unit of its
// own, and one whose values depend on the rows before, are refuted by the pairs
// that are meant to find them.
func TestAuditPlanRefutesMistakesOfAProgram(t *testing.T) {
	var rows atomic.Int64 // pairs are audited at a time
	last := 0.0
	for name, c := range map[string]struct {
		unit  func(visit) int
		spent func(visit) float64
		runs  int
		finds string
	}{
		"every row is a unit":          {func(visit) int { return int(rows.Add(1)) }, func(v visit) float64 { return v.spent }, 600, "many rows in one group, among others"},
		"values depend on rows before": {func(v visit) int { return v.who }, func(v visit) float64 { v.spent, last = v.spent+last, v.spent; return v.spent }, 8000, "the upper bound, among others"},
	} {
		t.Run(name, func(t *testing.T) {
			q := visits([]int{0, 1})
			q.Unit, q.MaxGroups, q.MaxRowsPerGroup = c.unit, 1, 1
			value := aggregate.PerRow(q, "spent", c.spent, aggregate.Bounds[float64]{Lower: lower, Upper: upper})
			plan, err := q.Plan(dp.Pure{Epsilon: 1}, value.Sum())
			if err != nil {
				t.Fatal(err)
			}
			catalogue := Catalogue[visit]{Row: func(unit, key int, x float64) visit { return visit{unit, key, x} }, Lower: lower, Upper: upper}
			for _, p := range catalogue.pairs() {
				if p.name != c.finds {
					continue
				}
				r := dptest.Trial{Claim: dp.Pure{Epsilon: 1}, Runs: c.runs, Alpha: 1e-6}.Run(released(t, plan, catalogue, p.with), released(t, plan, catalogue, p.without))
				if !r.Refuted {
					t.Errorf("%s: %v", p.name, r)
				}
			}
			if c.runs > 600 {
				return
			}
			catalogue.Runs, catalogue.Alpha = c.runs, 1e-6
			note := &recorder{TB: t}
			if AuditPlan(note, plan, catalogue); note.text == "" {
				t.Error("AuditPlan does not fail the test")
			}
		})
	}
}

// The noise is no larger than the claim needs: half the claim is refuted, by the
// plan's own release.
func TestTheLibraryIsTightEnoughToBeRefutedAtHalfTheClaim(t *testing.T) {
	for _, s := range settings[:3] { // one of each kind of loss
		q := visits(s.keys)
		q.MaxGroups, q.MaxRowsPerGroup = 1, 1
		plan, err := q.Plan(s.loss, q.Count())
		if err != nil {
			t.Fatal(err)
		}
		half := map[string]dp.Loss{"pure": dp.Pure{Epsilon: 0.5}, "concentrated": dp.Concentrated{Rho: 0.125}, "approx few groups": dp.Approx{Epsilon: 0.5, Delta: 1e-3}}[s.name]
		c := Catalogue[visit]{}
		runs := 8000
		if s.name == "concentrated" {
			runs = 24000 // of 8,000 one in a hundred would not refute it
		}
		r := dptest.Trial{Claim: half, Runs: runs, Alpha: 1e-6}.Run(released(t, plan, c, []visit{{0, 0, 1}}), released(t, plan, c, nil))
		if !r.Refuted {
			t.Errorf("%s: half the claim is %v", s.name, r)
		}
	}
}

// Silent is a testing.TB that does not fail when an audit does.
type silent struct{ testing.TB }

func (silent) Errorf(string, ...any) {}

// A recorder is a testing.TB that only takes notes.
type recorder struct {
	testing.TB
	text string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) { r.text += fmt.Sprintf(format, args...) }

func (r *recorder) Fatal(args ...any) {
	r.text += fmt.Sprint(args...)
	panic(r)
}

func (r *recorder) Fatalf(format string, args ...any) { r.Fatal(fmt.Sprintf(format, args...)) }

// fatal returns what an audit ends a test with.
func fatal(audit func(testing.TB)) (text string) {
	r := &recorder{}
	defer func() {
		if p := recover(); p != nil && p != any(r) {
			panic(p)
		}
		text = r.text
	}()
	audit(r)
	return ""
}

// What a program shows of a cell is looked at too.
func TestReadIsAudited(t *testing.T) {
	q := visits([]int{0})
	count := q.Count()
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, count)
	if err != nil {
		t.Fatal(err)
	}
	c := Catalogue[visit]{
		Row:   func(unit, key int, x float64) visit { return visit{unit, key, x} },
		Lower: lower, Upper: upper, Runs: 400, Alpha: 1e-6,
		Read: func(cell aggregate.Cell) []float64 {
			e := count.Of(cell)
			lo, hi := e.Interval(0.95)
			return []float64{e.Raw().Value, float64(lo), float64(hi), e.StdDev}
		},
	}
	if s := released(t, plan, c, nil)(); len(s.Numbers) != 5 || s.Numbers[0] != s.Numbers[1] {
		t.Errorf("a run shows %v, want the sum and what Read returns", s.Numbers)
	}
	AuditPlan(t, plan, c)
}

// The number in the error is enough, and one less is not: it is what the
// documentation of Catalogue.Runs says.
func TestTooFewRunsAreRefusedWithTheNumberThatIsNeeded(t *testing.T) {
	q := visits([]int{0})
	for epsilon, least := range map[float64]int{1: 400, 5: 5698, 10: 1146398} {
		plan, err := q.Plan(dp.Pure{Epsilon: epsilon}, q.Count())
		if err != nil {
			t.Fatal(err)
		}
		c := Catalogue[visit]{Row: func(int, int, float64) visit { return visit{} }, Lower: lower, Upper: upper, Runs: least - 1, Alpha: 1e-6}
		if got := fatal(func(tb testing.TB) { AuditPlan(tb, plan, c) }); !strings.Contains(got, fmt.Sprintf("must be at least %d", least)) {
			t.Errorf("ε=%v: %d runs are refused with %q, want %d", epsilon, c.Runs, got, least)
		}
		if c.Runs = least; epsilon > 1 {
			if _, err := c.trial(plan.Charge(aggregate.Request{}).Loss); err != nil {
				t.Errorf("ε=%v: %v", epsilon, err)
			}
		}
	}
}

func TestACatalogueHasAsManyPairsAsAlphaIsDividedBy(t *testing.T) {
	c := Catalogue[visit]{Row: func(unit, key int, x float64) visit { return visit{unit, key, x} }, Lower: lower, Upper: upper}
	if n := len(c.pairs()); n != pairsOfCatalogue {
		t.Errorf("a catalogue has %d pairs, Alpha is divided by %d", n, pairsOfCatalogue)
	}
}

func TestACatalogueThatSaysNothingIsRefused(t *testing.T) {
	q := visits([]int{0})
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	row := func(int, int, float64) visit { return visit{} }
	for i, c := range []Catalogue[visit]{{}, {Row: row}, {Row: row, Lower: 1, Upper: 1, Runs: 1000, Alpha: 0.1}, {Row: row, Upper: math.Inf(1), Runs: 1000, Alpha: 0.1}, {Row: row, Upper: 1, Alpha: 0.1}, {Row: row, Upper: 1, Runs: 1000}} {
		if fatal(func(tb testing.TB) { AuditPlan(tb, plan, c) }) == "" {
			t.Errorf("catalogue %d is not refused: %+v", i, fmt.Sprint(c))
		}
	}
}

// everybody is a source in which nobody said anything.
type everybody struct{}

func (everybody) Choices(_ context.Context, _ string, units []int) ([]aggregate.Choice, error) {
	return slices.Repeat([]aggregate.Choice{aggregate.Silent}, len(units)), nil
}

// A plan that cannot be run is not audited, rather than passed; one that asks for consent
// is run for what it asks about.
func TestAPlanThatCannotBeRunIsNotPassed(t *testing.T) {
	q := visits([]int{0})
	q.Consent = &aggregate.Consent[int]{Mode: aggregate.OptOut, Purpose: "research", Source: everybody{}}
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	c := Catalogue[visit]{Row: func(unit, key int, x float64) visit { return visit{unit, key, x} }, Lower: lower, Upper: upper, Runs: 400, Alpha: 1e-6}
	if got := fatal(func(tb testing.TB) { AuditPlan(contextual{tb, t}, plan, c) }); !strings.Contains(got, "nothing can be audited") {
		t.Errorf("an audit for another purpose ends with %q", got)
	}
	c.Purpose = "research"
	AuditPlan(t, plan, c)
}

// contextual is a testing.TB with the context of another one.
type contextual struct {
	testing.TB
	of testing.TB
}

func (c contextual) Context() context.Context { return c.of.Context() }
