package aggregate

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// The tests of this file add up the law of small releases exactly: the product's own
// code is run on every draw that its noise can be, each weighed with the probability
// that the law of the integers gives it. So they compare what is claimed with the
// truth, and not with a sample: a scale, a δ or a sensitivity that is a tenth off, and
// a threshold that is one unit lower, are refuted.

// A distribution gives outputs their probabilities. What is missing to 1 are draws
// beyond the span.
type distribution map[string]float64

func (d distribution) missing() float64 {
	missing := 1.0
	for _, p := range d {
		missing -= p
	}
	return max(missing, 0)
}

// A pair is the laws of two neighbours.
type pair struct{ a, b distribution }

// missing is more than what draws beyond the span can add to a δ at ε.
func (p pair) missing(epsilon float64) float64 {
	return (1 + math.Exp(epsilon)) * max(p.a.missing(), p.b.missing())
}

// delta returns the δ at ε of so many independent copies, in the worse direction.
func (p pair) delta(epsilon float64, copies int64) float64 {
	return max(p.a.beyond(epsilon, p.b, copies), p.b.beyond(epsilon, p.a, copies))
}

// beyond returns the least δ with which d is at most e^ε·other, in all events: the
// sum over all outputs. Outputs with one likelihood ratio are added up first, so that
// copies are few sums.
func (d distribution) beyond(epsilon float64, other distribution, copies int64) float64 {
	losses := map[float64]float64{} // e^loss, rounded, to its probability
	for output, p := range d {
		losses[math.Round(math.Log(p/other[output])*1e9)/1e9] += p
	}
	all := map[float64]float64{0: 1}
	for range copies {
		next := map[float64]float64{}
		for x, p := range all {
			for y, q := range losses {
				next[x+y] += p * q
			}
		}
		all = next
	}
	delta := 0.0
	for loss, p := range all {
		delta += p * max(0, -math.Expm1(epsilon-loss))
	}
	return delta
}

// weight returns the probability of a draw.
func weight(l *core.Law) func(x int64) float64 {
	scale, _ := l.Scale.Float64()
	if l.Family == core.Laplace {
		q := math.Exp(-1 / scale)
		return func(x int64) float64 { return (1 - q) / (1 + q) * math.Exp(-math.Abs(float64(x))/scale) }
	}
	sum := 0.0
	for x := -math.Ceil(40 * scale); x <= 40*scale; x++ {
		sum += math.Exp(-x * x / (2 * scale * scale))
	}
	return func(x int64) float64 { return math.Exp(-float64(x)*float64(x)/(2*scale*scale)) / sum }
}

// lawOf runs a release on every script of draws within spans of the scale, depth
// first: a release that draws less in one case than in another is no matter.
func lawOf(spans float64, release func(*core.Session) string) distribution {
	d := distribution{}
	weights := map[*core.Law]func(int64) float64{}
	span := func(l *core.Law) int64 { s, _ := l.Scale.Float64(); return int64(math.Ceil(spans * s)) }
	var script, ends []int64
	for {
		at, p := 0, 1.0
		output := release(core.Scripted(func(l *core.Law, dst []int64) {
			if weights[l] == nil {
				weights[l] = weight(l)
			}
			for i := range dst {
				if at == len(script) {
					script, ends = append(script, -span(l)), append(ends, span(l))
				}
				dst[i] = script[at]
				p *= weights[l](dst[i])
				at++
			}
		}))
		d[output] += p
		script, ends = script[:at], ends[:at]
		for len(script) > 0 && script[len(script)-1] == ends[len(script)-1] {
			script, ends = script[:len(script)-1], ends[:len(ends)-1]
		}
		if len(script) == 0 {
			return d
		}
		script[len(script)-1]++
	}
}

// releasedLaw returns the law of all that a release of the calibration shows of groups.
func (c *compiled) releasedLaw(spans float64, groups ...group) distribution {
	return lawOf(spans, func(s *core.Session) string {
		output := ""
		for i, g := range groups {
			if cell, shown := c.noisyCell(s, g, nil); shown {
				output += fmt.Sprint(i, cell.sums(), cell.ranks())
			}
		}
		return output
	})
}

// noisyCell adds noise to one group.
func (c *compiled) noisyCell(s *core.Session, g group, draws map[*measure]int64) (cell Cell, shown bool) {
	of := &exacts{width: c.sums, sums: g.sums}
	for _, points := range g.points {
		of.lists = append(of.lists, list{ends: []int{len(points)}, points: points})
	}
	cell.of = c.newResults(1)
	return cell, c.noisy(s, of, []uint32{0}, common{draws: draws}, cell.of, 0) == 1
}

// noisyCells adds noise to all groups.
func noisyCells(c *compiled, all *partial[int]) (cells []Cell) {
	released, of, _ := addNoise(context.Background(), c, all)
	for i := range released {
		cells = append(cells, Cell{of, i})
	}
	return cells
}

// of returns a plan of a calibration, for groups that are made by hand.
func (c *calibration) of(columns ...column) *compiled {
	of := &compiled{calibration: *c}
	of.placeMeasures(columns)
	return of
}

// groupOf returns a group of so many units.
func (c *compiled) groupOf(units int64) group {
	g := c.newGroup()
	g.sums[0] = g.sums[0].Add(exact.Int(units))
	return g
}

// wrong returns a calibration with one mistake.
func (q question) wrong(t *testing.T, family core.Family, mistake string) *calibration {
	t.Helper()
	c, err := q.family(family)
	if err != nil {
		t.Fatal(err)
	}
	u := *c.units()
	c.measures = []*measure{&u}
	times := func(x *big.Rat, num, den int64) *big.Rat { return new(big.Rat).Mul(x, big.NewRat(num, den)) }
	redraw := func(scale, delta *big.Rat) {
		if u.law, err = core.NewLaw(c.family, scale); err != nil {
			t.Fatal(err)
		}
		if c.threshold, err = newThreshold(&u, q.l0, delta); err != nil {
			t.Fatal(err)
		}
	}
	switch mistake {
	case "the scale is 0.9":
		redraw(times(u.law.Scale, 9, 10), c.threshold.delta)
	case "the threshold is one lower":
		th := *c.threshold
		th.at -= 1 << th.shift
		c.threshold = &th
	case "delta is 1.1":
		declared := c.threshold.delta
		redraw(u.law.Scale, times(declared, 11, 10))
		c.threshold.delta = declared
	}
	return c
}

// refutes says by which of its claims a selection is refuted, or "": the loss of the
// whole release, on groups of 0 to a few units more than the threshold and one unit
// more in each of as many groups as the caps allow; and the δ of the threshold, for
// one unit who is alone in them.
func (q question) refutes(c *calibration, spans float64) string {
	p := c.of(column{kind: kindUnits})
	loss := q.loss.(dp.Approx)
	last := p.releasedLaw(spans)
	for units := int64(1); units <= int64(c.threshold.units())+3; units++ {
		next := p.releasedLaw(spans, p.groupOf(units))
		both := pair{next, last}
		if got := both.delta(loss.Epsilon, q.l0); got > loss.Delta*(1+1e-6)+both.missing(loss.Epsilon) {
			return fmt.Sprintf("the loss: %d and %d units have δ=%v", units-1, units, got)
		}
		last = next
	}
	if shown, declared := p.showsAlone(spans), float(c.threshold.event().Delta); 1-math.Pow(1-shown, float64(q.l0)) > declared*(1+1e-6) {
		return fmt.Sprintf("the threshold: one unit shows with probability %v in %d groups", shown, q.l0)
	}
	return ""
}

// showsAlone returns the probability that a group of one unit is released.
func (c *compiled) showsAlone(spans float64) float64 {
	shown := 0.0
	for output, p := range c.releasedLaw(spans, c.groupOf(1)) {
		if output != "" {
			shown += p
		}
	}
	return shown
}

func float(x *big.Rat) float64 { f, _ := x.Float64(); return f }

func TestSelectionKeepsItsClaimExactlyAndATenthLessDoesNot(t *testing.T) {
	// The δ of the first two is a little more than that with which thresholds one
	// lower would do, so that no rounding hides a mistake.
	tail := func(scale float64, at int) float64 { return math.Exp(-float64(at)/scale) / (1 + math.Exp(-1/scale)) }
	for _, c := range []struct {
		name  string
		q     question
		spans float64
	}{
		{"Laplace, one group", selecting(dp.Approx{Epsilon: 1.0 / 12, Delta: tail(12, 110) * (1 + 1e-6)}, 1, true), 25},
		{"Laplace, two groups", selecting(dp.Approx{Epsilon: 1.0 / 6, Delta: 2 * tail(12, 110) * (1 + 1e-6)}, 2, true), 25},
		{"Laplace, ε=1", selecting(dp.Approx{Epsilon: 1, Delta: 1e-3}, 1, true), 30},
	} {
		good, err := c.q.family(core.Laplace)
		if err != nil {
			t.Fatal(err)
		}
		if why := c.q.refutes(good, c.spans); why != "" {
			t.Errorf("%s: a true claim is refuted by %s", c.name, why)
		}
		for _, mistake := range []string{"the scale is 0.9", "the threshold is one lower", "delta is 1.1"} {
			if mistake == "delta is 1.1" && good.units().law.Scale.Cmp(big.NewRat(11, 1)) < 0 {
				continue // the threshold is the same integer
			}
			if c.q.refutes(c.q.wrong(t, core.Laplace, mistake), c.spans) == "" {
				t.Errorf("%s: %s, and nothing notices", c.name, mistake)
			}
		}
	}
}

// Gaussian noise has thousands of draws in a unit, so single sizes of groups are
// compared. A unit in 9 groups moves 9 numbers by one: that is one number by 3, since
// Gaussian noise is the same in every direction.
func TestGaussianSelectionKeepsItsClaimExactlyAndATenthLessDoesNot(t *testing.T) {
	const spans, epsilon = 6.5, 1
	q := selecting(dp.Approx{Epsilon: epsilon, Delta: 1e-5}, 9, true)
	refuted := func(c *calibration) bool {
		p := c.of(column{kind: kindUnits})
		both := pair{p.releasedLaw(spans, p.groupOf(400)), p.releasedLaw(spans, p.groupOf(403))}
		declared := float(c.threshold.event().Delta) // half of δ is for the noise, and half for the threshold
		return both.delta(epsilon, 1) > declared || 1-math.Pow(1-p.showsAlone(spans), 9) > declared
	}
	good, err := q.family(core.Gaussian)
	if err != nil || good.family != core.Gaussian {
		t.Fatalf("%v, %v", good.family, err)
	}
	if refuted(good) {
		t.Error("a true claim is refuted")
	}
	for _, mistake := range []string{"the scale is 0.9", "the threshold is one lower", "delta is 1.1"} {
		if !refuted(q.wrong(t, core.Gaussian, mistake)) {
			t.Errorf("%s, and nothing notices", mistake)
		}
	}
}

// Quantiles of four points: every draw of the four counts, and what the search finds
// in them. What is released tells neighbours apart no more than the plan claims; with
// nine tenths of the noise it does, also to whoever sees only quantiles and
// intervals.
func TestQuantilesKeepTheirClaimExactlyAndATenthLessDoesNot(t *testing.T) {
	const spans, epsilon = 8, 2
	q := &Query[int, int, int]{Dataset: "d", UnitName: "u", Unit: func(i int) int { return i }, MaxGroups: 1, MaxRowsPerGroup: 1}
	v := PerRow(q, "v", func(i int) int { return i }, Bounds[int]{Lower: 0, Upper: 3})
	plan, err := q.Plan(dp.Pure{Epsilon: epsilon}, v.Quantile(0.5))
	if err != nil {
		t.Fatal(err)
	}
	plan = plan.earlier // few ranks are drawn today; the earlier version read them from a tree
	m := *plan.measures[0]
	if m.shape.Base != 4 || m.shape.Height != 1 {
		t.Fatalf("the tree is %+v, want one node of four leaves", m.shape)
	}
	less, err := core.NewLaw(core.Laplace, new(big.Rat).Mul(m.law.Scale, big.NewRat(9, 10)))
	if err != nil {
		t.Fatal(err)
	}
	law := func(points ...int64) distribution {
		return lawOf(spans, func(s *core.Session) string {
			read := make([]ranked, len(m.quantiles))
			m.noisyRanks(&ranker{session: s}, points, read)
			return fmt.Sprint(read)
		})
	}
	refuted := func() bool {
		nobody := law()
		for _, both := range []pair{{law(0), nobody}, {law(3), nobody}, {law(0, 3), law(3)}, {law(1, 1), law(1)}} {
			if both.delta(epsilon, 1) > both.missing(epsilon) {
				return true
			}
		}
		return false
	}
	if refuted() {
		t.Error("a true claim is refuted")
	}
	m.law = less
	if !refuted() {
		t.Error("the scale is 0.9 of what it should be, and nothing notices")
	}
}

// A count of rows of a unit with ten, where nine are allowed for.
func TestACountKeepsItsClaimExactlyAndATenthLessSensitivityDoesNot(t *testing.T) {
	const spans = 30
	for rows, refuted := range map[int64]bool{10: false, 9: true} {
		q := question{wants: []want{{formRows, nil}}, l0: 1, rows: rows, loss: dp.Pure{Epsilon: 1}}
		c, err := q.calibrate()
		if err != nil {
			t.Fatal(err)
		}
		p := c.of(column{kind: kindCount})
		both := pair{p.releasedLaw(spans, p.groupOf(10)), p.releasedLaw(spans, p.groupOf(0))}
		if got := both.delta(1, 1) > both.missing(1)+1e-9; got != refuted {
			t.Errorf("%d rows are allowed for, and 10 are there: refuted is %v, want %v", rows, got, refuted)
		}
	}
}

// Only a measure of one number per group changes by a box. A ledger that took a mean
// for one would price it too low.
func TestEveryMeasureNamesTheNoiseThatItsChangeAllows(t *testing.T) {
	for _, family := range []core.Family{core.Laplace, core.Gaussian} {
		for form, want := range map[form]dp.Mechanism{
			formRows: dp.DiscreteLaplace, formUnits: dp.DiscreteLaplace, formTotal: dp.DiscreteLaplace,
			formPair: dp.DiscreteLaplaceVector, formTriple: dp.DiscreteLaplaceVector, formRanks: dp.DiscreteLaplaceVector,
		} {
			if family == core.Gaussian {
				want = dp.DiscreteGaussian
			}
			if got := (&measure{form: form}).mechanism(family); got != want {
				t.Errorf("%s with %v noise is a %s, want %s", formNames[form], family, got, want)
			}
		}
	}
}
