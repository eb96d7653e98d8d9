package aggregate

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/quantile"
)

// The tests of this file look at exact sums, before noise. They are
// deterministic assertions: they have no false positives.

type entry struct {
	unit, key int
	x         float64
	n         int64
}

// attacked is a query whose value is between the bounds, in floats and in
// integers.
func attacked(maxGroups, maxRows int) *Query[entry, int, int] {
	return &Query[entry, int, int]{
		Dataset: "entries", UnitName: "person", Unit: func(e entry) int { return e.unit }, Group: func(e entry) int { return e.key },
		MaxGroups: maxGroups, MaxRowsPerGroup: maxRows, Groups: []int{0, 1, 2, 3, 4},
	}
}

type bounds struct {
	name         string
	lower, upper float64
	low, high    int64
}

var someBounds = []bounds{
	{"positive", 0, 1, 0, 1},
	{"mixed", -10, 1, -10, 1},
	{"above zero", 3, 5, 3, 5},
	{"below zero", -5, -3, -5, -3},
	{"odd", -3, 4, -3, 4},
	{"huge", -0x1p490, 0x1p490, -1 << 61, 1 << 61},
	{"tiny", -0x1p-490, 0x1p-491, -1, 1 << 40},
	{"high up", 0x1p50, 0x1p50 + 1, 1 << 60, 1<<60 + 1},
	{"a third", -1.0 / 3, 0.1, math.MaxInt64 - 7, math.MaxInt64 >> 1 << 1},
}

// measured is every measure there is, over values with some bounds.
func measured(t testing.TB, q *Query[entry, int, int], loss dp.Loss, b bounds) []*Plan[entry, int, int] {
	t.Helper()
	if b.low >= b.high {
		b.low = b.high - 8
	}
	fb, ib := Bounds[float64]{Lower: b.lower, Upper: b.upper}, Bounds[int64]{Lower: b.low, Upper: b.high}
	x := func(e entry) float64 { return e.x }
	n := func(e entry) int64 { return e.n }
	sets := [][]AnyColumn{
		{q.Count(), q.Units(), PerRow(q, "x", x, fb).Sum(), PerUnit(q, "y", x, fb).Sum(), PerRow(q, "n", n, ib).Sum(), PerUnit(q, "m", n, ib).Sum()},
		{PerRow(q, "x", x, fb).Mean(), PerUnit(q, "y", x, fb).Mean(), PerRow(q, "n", n, ib).Mean(), PerUnit(q, "m", n, ib).Mean()},
		{PerRow(q, "x", x, fb).Variance(), PerUnit(q, "y", x, fb).Variance(), PerRow(q, "n", n, ib).Variance(), PerUnit(q, "m", n, ib).Variance()},
		{PerRow(q, "x", x, fb).Quantile(0.5), PerUnit(q, "y", x, fb).Quantile(0.5), PerRow(q, "n", n, ib).Quantile(0.5), PerUnit(q, "m", n, ib).Quantile(0.5)},
		slices.Concat(treeOf(PerRow(q, "x", x, fb)), treeOf(PerUnit(q, "m", n, ib))),
	}
	var plans []*Plan[entry, int, int]
	for _, columns := range sets {
		if p, err := q.Plan(loss, columns...); err == nil {
			plans = append(plans, p)
		} else if b.name != "high up" { // no sum of such large and close floats is on a grid
			t.Fatalf("%s: %v", b.name, err)
		}
	}
	if len(plans) < 3 {
		t.Fatalf("%s: %d plans, want at least 3", b.name, len(plans))
	}
	return plans
}

func collected(t testing.TB, p *Plan[entry, int, int], rows []entry) *partial[int] {
	t.Helper()
	part, err := p.Collect(t.Context(), Slice(rows))
	if err != nil {
		t.Fatal(err)
	}
	return part.state()
}

// groupIn returns what a Partial has of a group.
func (c *compiled) groupIn(p *partial[int], key int) group {
	if i := slices.Index(p.groups, key); i >= 0 {
		return p.group(i)
	}
	return c.newGroup()
}

// A coordinate is where a number is in the vector of a measure: in a level of its tree, if it has any.
type coordinate struct {
	level int
	at    int64
}

// vector lists the exact numbers that a measure adds noise to, by group: its
// parts, or all counts of all levels of its tree or ladder, in steps of the noise.
func (c *compiled) vector(m *measure, g group) map[coordinate]*big.Int {
	v := make(map[coordinate]*big.Int)
	part, histogram := 0, 0
	for _, other := range c.measures {
		if other == m && m.drawing != nil {
			for i, n := range m.onLadder(g.points[histogram]) {
				v[coordinate{at: int64(i)}] = new(big.Int).Lsh(big.NewInt(n), m.shift)
			}
		} else if other == m && m.form == formRanks {
			for _, leaf := range g.points[histogram] {
				size := int64(1)
				for level := range m.shape.Height {
					node := coordinate{level, leaf / size}
					if v[node] == nil {
						v[node] = new(big.Int)
					}
					v[node].Add(v[node], new(big.Int).Lsh(big.NewInt(1), m.shift))
					size *= int64(m.shape.Base)
				}
			}
		} else if other == m {
			for i, x := range m.centred(g.sums[part:][:m.parts()]) {
				v[coordinate{at: int64(i)}] = x.Shl(m.shift).Big()
			}
		}
		part += other.parts()
		if other.form == formRanks {
			histogram++
		}
	}
	return v
}

// treeOf returns so many quantiles that they are read from a tree.
func treeOf[T dp.Number](v *Value[T]) []AnyColumn {
	var all []AnyColumn
	for i := range mostDrawnWithEnds + 1 {
		all = append(all, v.Quantile(float64(i+1)/10))
	}
	return all
}

// onLadder returns the counts of sorted points on the ladder of some cells that might
// have been drawn.
func (m *measure) onLadder(points []int64) []int64 {
	d := m.drawing
	cells := make([]int64, len(d.ranks))
	for i, r := range d.ranks {
		cells[i] = int64(r.Share() * float64(d.base.Cells()-1))
	}
	return quantile.NewLadder(d.base, cells, d.levels).Counts(quantile.NewCounts(points, d.width))
}

// checkChange fails t if the noise of any measure is too small for the change
// between two inputs: L1 for Laplace noise, L2 for Gaussian noise, and for cubes the sum
// of the largest change in each group.
func checkChange(t testing.TB, p *Plan[entry, int, int], with, without *partial[int]) {
	t.Helper()
	for _, m := range p.measures {
		l1, l2, largest := new(big.Int), new(big.Int), new(big.Int)
		for key := range 8 {
			a, b := p.groupIn(with, key), p.groupIn(without, key)
			inGroup := new(big.Int)
			va, vb := p.vector(m, a), p.vector(m, b)
			if m.joint != nil && m.joint.centre != nil && key > 0 { // one number for all groups
				delete(va, coordinate{at: int64(m.joint.people())})
				delete(vb, coordinate{at: int64(m.joint.people())})
			}
			for name := range vb {
				if va[name] == nil {
					va[name] = new(big.Int)
				}
			}
			for name, x := range va {
				d := new(big.Int).Set(x)
				if vb[name] != nil {
					d.Sub(d, vb[name])
				}
				l1.Add(l1, new(big.Int).Abs(d))
				if d.CmpAbs(inGroup) > 0 {
					inGroup.Abs(d)
				}
				l2.Add(l2, d.Mul(d, d))
			}
			largest.Add(largest, inGroup)
		}
		if m.law != nil && m.law.Family == core.Cube {
			l1 = largest
		}
		l0, linf := big.NewInt(m.event.Sensitivity.L0), big.NewInt(m.event.Sensitivity.LInf)
		most := new(big.Int).Mul(l0, linf)
		if p.family == core.Laplace && l1.Cmp(most) > 0 {
			t.Errorf("%v: one unit moves %v by %v, declared %v", p.loss, m, l1, most)
		}
		if most.Mul(most, linf); p.family == core.Gaussian && l2.Cmp(most) > 0 {
			t.Errorf("%v: one unit moves %v by the root of %v in L2, declared that of %v", p.loss, m, l2, most)
		}
	}
}

var strange = []float64{0, 1, -1, 0.25, 1.0 / 3, 0.1, 7, -11, 0x1p50 + 0.25, 0x1p53 + 1, 0x1p62, -0x1p63, 0x1p1000, -0x1p1001, math.MaxFloat64, -math.MaxFloat64,
	math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, 0x1p-1001, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1)}

var strangeInts = []int64{0, 1, -1, 3, 5, 7, -10, 1 << 40, 1 << 60, 1<<60 + 1, math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, -1 << 61}

func randomEntry(r *rand.Rand, unit int) entry {
	return entry{unit, r.IntN(8), strange[r.IntN(len(strange))], strangeInts[r.IntN(len(strangeInts))]}
}

var bothFamilies = []dp.Loss{dp.Pure{Epsilon: 1}, dp.Concentrated{Rho: 0.5}}

// B1, B3, B4, B5, B8, B9, B11, B13, B14, B17: whatever the rows of one unit are, how
// many, in which order and of which groups, and whoever else is there, they move
// the exact sums by what the noise is for, and no more.
func TestNoUnitMovesMoreThanDeclared(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, loss := range bothFamilies {
		for _, b := range someBounds {
			for _, p := range measured(t, attacked(2, 3), loss, b) {
				for range 200 {
					var without []entry // within the caps, so that nothing of it is left to chance
					for unit := range 4 {
						without = append(without, randomEntry(r, unit+1))
					}
					with := slices.Clone(without)
					for range r.IntN(30) {
						with = append(with, randomEntry(r, 0))
					}
					r.Shuffle(len(with), func(i, j int) { with[i], with[j] = with[j], with[i] })
					checkChange(t, p, collected(t, p, with), collected(t, p, without))
				}
			}
		}
	}
}

// B5: The check above is not blind: with a declared sensitivity that is a third lower
// it fails on every measure that one full row reaches.
func TestAnUnderstatedSensitivityIsCaught(t *testing.T) {
	for _, loss := range bothFamilies {
		for i, p := range measured(t, attacked(2, 3), loss, someBounds[1]) {
			for _, m := range p.measures {
				m.event.Sensitivity.LInf = m.event.Sensitivity.LInf * 2 / 3
			}
			var with []entry
			for j := range 6 {
				with = append(with, entry{0, j % 2, -10, -10})
			}
			note := &notes{TB: t}
			checkChange(note, p, collected(t, p, with), collected(t, p, nil))
			if note.n < len(p.measures)-1 { // a unit counts once where rows count three times
				t.Errorf("%v: set %d: %d of %d measures are caught", loss, i, note.n, len(p.measures))
			}
		}
	}
}

type notes struct {
	testing.TB
	n int
}

func (n *notes) Helper()               {}
func (n *notes) Errorf(string, ...any) { n.n++ }

// B11: one person with 1, 10, 1000 rows in 1 or 50 groups, all different or all the
// same.
func TestRepetitionsAreBounded(t *testing.T) {
	for _, loss := range bothFamilies {
		for _, p := range measured(t, attacked(2, 3), loss, someBounds[1]) {
			for _, rows := range []int{1, 10, 1000} {
				for _, groups := range []int{1, 50} {
					for _, distinct := range []bool{false, true} {
						var with []entry
						for i := range rows {
							e := entry{0, i % groups, -10, -10}
							if distinct {
								e.x, e.n = -10+float64(i)/1000, int64(i%12-10)
							}
							with = append(with, e)
						}
						checkChange(t, p, collected(t, p, with), collected(t, p, nil))
					}
				}
			}
		}
	}
}

// B2: any order of the rows, and any split among partials, gives the same state,
// bit by bit.
func TestOrderAndMergeTreesDoNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, loss := range bothFamilies {
		for _, p := range measured(t, attacked(8, 50), loss, someBounds[5]) {
			var rows []entry
			for i := range 60 {
				rows = append(rows, randomEntry(r, i%7))
			}
			want := collected(t, p, rows)
			for range 20 {
				r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
				if got := collected(t, p, rows); !sameSums(got, want) {
					t.Fatalf("%v: another order of the rows gives other sums", loss)
				}
				var shards [3][]entry
				for _, e := range rows {
					shards[e.unit%3] = append(shards[e.unit%3], e)
				}
				var parts []*partial[int]
				for _, i := range r.Perm(3) {
					parts = append(parts, collected(t, p, shards[i]))
				}
				got, err := p.merge(t.Context(), parts)
				if err != nil {
					t.Fatal(err)
				}
				if !sameSums(got, want) {
					t.Fatalf("%v: partials of some units each give other sums", loss)
				}
			}
		}
	}
}

// B6: for every width, odd or even, and every point, the parts of one record have
// at most the declared norm: L1 with Laplace noise, L2 with Gaussian noise.
func TestPartsOfARecordHaveTheDeclaredNorm(t *testing.T) {
	for w := int64(1); w <= 60; w++ {
		for x := range w + 1 {
			lap, gauss := triple(core.Laplace, x, w), triple(core.Gaussian, x, w)
			l1, l2, pair := new(big.Int), new(big.Int), new(big.Int)
			for i := range 3 {
				l1.Add(l1, new(big.Int).Abs(lap[i].Big()))
				l2.Add(l2, new(big.Int).Mul(gauss[i].Big(), gauss[i].Big()))
			}
			pair.Add(big.NewInt(x), big.NewInt(w-x))
			w2, w4 := big.NewInt(w*w), big.NewInt(w*w*w*w)
			if l1.Cmp(w2) > 0 || l2.Cmp(w4) > 0 || pair.Cmp(big.NewInt(w)) > 0 {
				t.Errorf("width %d, point %d: norms %v, root of %v, %v", w, x, l1, l2, pair)
			}
		}
	}
}

// tailOf returns P(X ≥ t) from the probabilities of the discrete law itself,
// term by term, a little down or up by 1e-9 relatively at most.
func tailOf(l *core.Law, t int64) *big.Float {
	scale, _ := l.Scale.Float64()
	exponent := func(x float64) float64 {
		if l.Family == core.Laplace {
			return -math.Abs(x) / scale
		}
		return -x * x / (2 * scale * scale)
	}
	// Σ e^(f(x)-f(t)) from t on, and Σ e^f(x) over all x, then the quotient.
	upper, whole := 0.0, 0.0
	for x := float64(t); exponent(x)-exponent(float64(t)) > -60; x++ {
		upper += math.Exp(exponent(x) - exponent(float64(t)))
	}
	for x := 1.0; exponent(x) > -60; x++ {
		whole += 2 * math.Exp(exponent(x))
	}
	f := exponent(float64(t))
	halvings := math.Floor(f / math.Ln2)
	value := new(big.Float).SetMantExp(big.NewFloat(upper/(1+whole)*math.Exp(f-halvings*math.Ln2)), int(halvings))
	return value
}

// C1, C2, C3, C4, C5, C11: a unit that is alone in as many groups as it can be in is
// shown in any of them with probability at most δ, by the probabilities of the
// noise itself; a threshold one lower would be too low (for Laplace noise, whose
// tail has a closed form).
func TestThresholdsHideASingleUnit(t *testing.T) {
	plans := 0
	for _, epsilon := range []float64{0.1, 1, 3, 20} {
		for _, delta := range []float64{0.3, 0.01, 1e-6, 1e-12, 1e-20, 1e-100, 1e-290} {
			for _, maxGroups := range []int{1, 2, 10, 1000, 1 << 20} {
				q := attacked(maxGroups, 1)
				q.Groups = nil
				for _, p := range bothNoises(t, q, dp.Approx{Epsilon: epsilon, Delta: delta}) {
					scale, _ := p.threshold.law.Scale.Float64()
					if scale > 1e5 {
						continue // too many terms to add up
					}
					plans++
					needed := p.threshold.at - 1<<p.threshold.shift
					anywhere := tailOf(p.threshold.law, needed)
					anywhere.Mul(anywhere, big.NewFloat(float64(maxGroups)))
					share := delta
					if p.family == core.Gaussian {
						share /= 2 // the other half is the noise's
					}
					if limit := big.NewFloat(share * (1 + 1e-9)); anywhere.Cmp(limit) > 0 {
						t.Errorf("ε=%g δ=%g, %d groups, %v: a single unit is shown with probability %.3g", epsilon, delta, maxGroups, p.family, anywhere)
					}
					if lower := tailOf(p.threshold.law, needed-1); p.family == core.Laplace && needed > 1 && lower.Mul(lower, big.NewFloat(float64(maxGroups))).Cmp(big.NewFloat(share*(1-1e-6))) <= 0 {
						t.Errorf("ε=%g δ=%g, %d groups: a threshold one lower would do too, or would not be caught", epsilon, delta, maxGroups)
					}
				}
			}
		}
	}
	if plans < 100 {
		t.Errorf("%d plans, want at least 100", plans)
	}
}

// bothNoises returns the plan with either noise, where it can be had.
func bothNoises(t testing.TB, q *Query[entry, int, int], loss dp.Approx) []*Plan[entry, int, int] {
	t.Helper()
	p, err := q.Plan(loss, q.Units())
	if err != nil {
		return nil // refused: nothing is released
	}
	var plans []*Plan[entry, int, int]
	for _, calibrate := range []func() (*calibration, error){
		question{wants: []want{{formUnits, nil}}, selects: true, l0: int64(q.MaxGroups), rows: 1, loss: loss}.approxLaplace,
		question{wants: []want{{formUnits, nil}}, selects: true, l0: int64(q.MaxGroups), rows: 1, loss: loss}.approxGaussian,
	} {
		if c, err := calibrate(); err == nil {
			other := *p.compiled
			other.calibration = *c
			plans = append(plans, &Plan[entry, int, int]{query: p.query, compiled: &other, reads: p.reads})
		}
	}
	return plans
}

// C4, C5: where δ, shared among groups, is as small as floats get, the plan is
// refused or hides a single unit all the same: its threshold is not what an
// infinity turns into.
func TestThresholdsDoNotOverflow(t *testing.T) {
	for _, epsilon := range []float64{1e-9, 1e-3, 1, 700, 1e300} {
		for _, delta := range []float64{1e-300, 1e-307, 0x1p-1022, 1e-320, math.SmallestNonzeroFloat64} {
			for _, maxGroups := range []int{1, 2, 3, 1 << 30, math.MaxInt32 << 20} {
				q := attacked(maxGroups, 1)
				q.Groups = nil
				for _, p := range bothNoises(t, q, dp.Approx{Epsilon: epsilon, Delta: delta}) {
					one := int64(1) << p.threshold.shift
					scale, _ := p.threshold.law.Scale.Float64()
					if p.threshold.at <= one || float64(p.threshold.at-one) < 30*scale {
						t.Errorf("ε=%g δ=%g, %d groups, %v noise of scale %g: the threshold is %d, one unit is %d", epsilon, delta, maxGroups, p.family, scale, p.threshold.at, one)
					}
				}
			}
		}
	}
}
