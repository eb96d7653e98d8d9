package aggregate

import (
	"hash/maphash"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/core"
)

type fact struct {
	who, group int
	n          int64
	x          float64
}

type limits struct{ low, high, step float64 }

var smallBounds = []limits{{-10, 1, 1}, {3, 5, 1}, {-5, -3, 1}, {0, 7, 1}, {-1, 1, 0.25}, {-10, 1, 0}, {0, 1, 0}}

// facts returns a query of facts and a plan for it that has every form of measure.
func facts(t testing.TB, loss dp.Loss, b limits, maxGroups, maxRows int) *Plan[fact, int, int] {
	t.Helper()
	q := &Query[fact, int, int]{
		Dataset: "facts", UnitName: "unit", MaxGroups: maxGroups, MaxRowsPerGroup: maxRows, Groups: []int{0, 1, 2, 3},
		Unit: func(f fact) int { return f.who }, Group: func(f fact) int { return f.group },
	}
	columns := []AnyColumn{q.Count(), q.Units()}
	for i, per := range []string{"row", "unit"} {
		for _, form := range []string{"sum", "mean", "variance"} {
			name := form + " per " + per
			if b.step == math.Trunc(b.step) && b.step > 0 {
				of, lim := func(f fact) int64 { return f.n }, Bounds[int64]{int64(b.low), int64(b.high), int64(b.step)}
				v := []*Value[int64]{PerRow(q, name, of, lim), PerUnit(q, name, of, lim)}[i]
				columns = append(columns, map[string]AnyColumn{"sum": v.Sum(), "mean": v.Mean(), "variance": v.Variance()}[form], v.Quantile(0.5))
			} else {
				of, lim := func(f fact) float64 { return f.x }, Bounds[float64]{b.low, b.high, b.step}
				v := []*Value[float64]{PerRow(q, name, of, lim), PerUnit(q, name, of, lim)}[i]
				columns = append(columns, map[string]AnyColumn{"sum": v.Sum(), "mean": v.Mean(), "variance": v.Variance()}[form], v.Quantile(0.5))
			}
		}
	}
	columns = append(columns, Distinct(q, "kinds", func(f fact) int64 { return f.n }, max(2, maxRows-1)))
	columns = append(columns, treeOf(PerRow(q, "tree", func(f fact) float64 { return f.x }, Bounds[float64]{b.low, b.high, b.step}))...)
	p, err := q.Plan(loss, columns...)
	if err != nil {
		t.Fatalf("%v, %+v: %v", loss, b, err)
	}
	return p
}

// theSeed couples the bounding of neighbours: what is kept of everybody else is
// the same on both sides.
var theSeed = maphash.MakeSeed()

// sameSums reports whether two Partials hold the same, whoever collected it. Units whose groups
// are listed come in any order.
func sameSums[Group comparable](a, b *partial[Group]) bool {
	bare := func(p *partial[Group]) *partial[Group] {
		q := *p
		q.origins, q.seals, q.dated = nil, nil, time.Time{}
		q.units = listing{}
		for _, unit := range unitsOf(p) {
			q.units.add(unit)
		}
		return &q
	}
	return reflect.DeepEqual(bare(a), bare(b))
}

// unitsOf returns the places of the groups of each unit, in an order that does not depend on that of the units.
func unitsOf[Group comparable](p *partial[Group]) (units [][]uint32) {
	for i := range p.units.ends {
		units = append(units, p.units.of(i))
	}
	slices.SortFunc(units, slices.Compare[[]uint32])
	return units
}

func (p *Plan[Row, Unit, Group]) collectedFor(t testing.TB, rows []Row) *partial[Group] {
	t.Helper()
	part, err := p.collect(t.Context(), theSeed, nil, Slice(rows))
	if err != nil {
		t.Fatal(err)
	}
	return part.state()
}

// change returns, for every measure, the L1 norm and the squared L2 norm of the
// difference of two inputs in all numbers that noise is added to, in steps of the
// noise: exact integers.
func (c *compiled) change(a, b *partial[int]) (l1, l2 []*big.Int) {
	for range c.measures {
		l1, l2 = append(l1, new(big.Int)), append(l2, new(big.Int))
	}
	for key := range 4 {
		x, y := c.groupIn(a, key), c.groupIn(b, key)
		part, histogram := 0, 0
		for i, m := range c.measures {
			move := func(d *big.Int) {
				d.Lsh(d, m.shift)
				l1[i].Add(l1[i], new(big.Int).Abs(d))
				l2[i].Add(l2[i], d.Mul(d, d))
			}
			cx, cy := m.centred(x.sums[part:][:m.parts()]), m.centred(y.sums[part:][:m.parts()])
			part += m.parts()
			for j := range cx {
				if m.joint != nil && m.joint.centre != nil && j == m.joint.people() && key > 0 {
					continue // one number for all groups
				}
				move(cx[j].Sub(cy[j]).Big())
			}
			if m.form == formDistinct {
				histogram++
			}
			if m.form != formRanks {
				continue
			}
			hx, hy := x.points[histogram], y.points[histogram]
			histogram++
			if m.drawing != nil {
				cx, cy := m.onLadder(hx), m.onLadder(hy)
				for j := range cx {
					move(big.NewInt(cx[j] - cy[j]))
				}
				continue
			}
			for _, d := range nodes(m, hx, hy) {
				move(big.NewInt(d))
			}
		}
	}
	return l1, l2
}

// nodes returns by how much the counts of all nodes of a tree differ.
func nodes(m *measure, a, b []int64) map[[2]int64]int64 {
	diff := map[[2]int64]int64{}
	size := int64(1)
	for level := m.shape.Height; level > 0; level-- {
		for _, leaf := range a {
			diff[[2]int64{int64(level), leaf / size}]++
		}
		for _, leaf := range b {
			diff[[2]int64{int64(level), leaf / size}]--
		}
		size *= int64(m.shape.Base)
	}
	return diff
}

// B1, B5, B10, B11, B14: in every form of measure, one unit moves the integers
// that noise is added to by no more than the event of the ledger says, in the norm
// of the noise; and there are inputs that move them by exactly that.
func TestOneUnitMovesSumsByNoMoreThanDeclared(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), math.MaxFloat64, math.SmallestNonzeroFloat64}
	rounds := 60
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 1}, dp.Concentrated{Rho: 0.5}} {
		for _, b := range smallBounds {
			for _, caps := range [][2]int{{1, 1}, {3, 1}, {1, 3}, {2, 2}, {9, 2}} {
				p := facts(t, loss, b, caps[0], caps[1])
				largest := make([]*big.Rat, len(p.measures))
				for round := range rounds {
					others, mine := randomFacts(rng, b, odd, 10, 5), randomFacts(rng, b, odd, 1, 12)
					if round < 6 {
						mine = extremeFacts(b, round)
					}
					for i := range mine {
						mine[i].who = -1
					}
					l1, l2 := p.change(p.collectedFor(t, append(others, mine...)), p.collectedFor(t, others))
					for i, m := range p.measures {
						got := new(big.Rat).SetFrac(l1[i], new(big.Int).Mul(big.NewInt(m.event.Sensitivity.L0), big.NewInt(m.event.Sensitivity.LInf)))
						if m.law.Family == core.Gaussian {
							most := new(big.Int).Mul(big.NewInt(m.event.Sensitivity.LInf), big.NewInt(m.event.Sensitivity.LInf))
							got.SetFrac(l2[i], most.Mul(most, big.NewInt(m.event.Sensitivity.L0)))
						}
						if got.Cmp(big.NewRat(1, 1)) > 0 {
							t.Errorf("%v %+v caps %v: %v changes by %v times what is declared: %+v", loss, b, caps, m, got.FloatString(6), m.event.Sensitivity)
						}
						if largest[i] == nil || largest[i].Cmp(got) < 0 {
							largest[i] = got
						}
					}
				}
				for i, m := range p.measures {
					least := big.NewRat(1, 1)
					if m.joint != nil {
						least.Sub(least, big.NewRat(1, 1e6)) // multipliers and norms are whole numbers
					}
					if largest[i].Cmp(least) < 0 {
						t.Errorf("%v %+v caps %v: %v changes by at most %v of what is declared: is it too much noise?", loss, b, caps, m, largest[i].FloatString(6))
					}
				}
			}
		}
	}
}

func randomFacts(rng *rand.Rand, b limits, odd []float64, units, most int) []fact {
	var fs []fact
	for who := range units {
		for range rng.IntN(most + 1) {
			x := b.low + (b.high-b.low)*(1.4*rng.Float64()-0.2)
			if rng.IntN(4) == 0 {
				x = []float64{b.low, b.high, (b.low + b.high) / 2, odd[rng.IntN(len(odd))]}[rng.IntN(4)]
			}
			fs = append(fs, fact{who, rng.IntN(5), rng.Int64N(int64(b.high-b.low)+3) + int64(b.low) - 1, x})
		}
	}
	return fs
}

// extremeFacts puts as many rows as any cap lets through at one end of the bounds,
// or at its values for integers; the sum of each unit is at the end as well.
func extremeFacts(b limits, round int) []fact {
	x := []float64{b.low, b.high, math.Inf(-1), math.Inf(1), b.low, b.high}[round]
	n := []int64{int64(b.low), int64(b.high), math.MinInt64, math.MaxInt64, int64(b.low), int64(b.high)}[round]
	var fs []fact
	for group := range 5 {
		for i := range int64(12) {
			if round == 5 { // beyond the bounds, and all different
				fs = append(fs, fact{0, group, n + 2 + i, x})
				continue
			}
			fs = append(fs, fact{0, group, n, x})
		}
	}
	return fs
}

// B2: sums are the same bits whatever the order of the rows, and however units are
// spread over parts.
func TestOrderAndShardingDoNotChangeSums(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 1}, dp.Concentrated{Rho: 0.5}} {
		p := facts(t, loss, limits{-1e9, 1e12, 0}, 4, 1000)
		rows := randomFacts(rng, limits{-1e9, 1e12, 0}, []float64{math.NaN(), math.Inf(1), -1e300}, 30, 20)
		want := p.collectedFor(t, rows)
		for range 50 {
			rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			if got := p.collectedFor(t, rows); !sameSums(got, want) {
				t.Fatalf("%v: another order has other sums", loss)
			}
			shards := make([][]fact, 1+rng.IntN(5))
			for _, r := range rows {
				i := (r.who * 7919) % len(shards)
				shards[i] = append(shards[i], r)
			}
			var parts []*partial[int]
			for _, s := range shards {
				parts = append(parts, p.collectedFor(t, s))
			}
			got, err := p.merge(t.Context(), parts)
			if err != nil || !sameSums(got, want) {
				t.Fatalf("%v: %d shards have other sums (%v)", loss, len(shards), err)
			}
		}
	}
}

// The parts of a record amount to the norm at every point of a grid, or to less,
// and their weights give back 1 and the value.
func TestPartsOfARecord(t *testing.T) {
	for w := int64(1); w <= 300; w++ {
		for x := int64(0); x <= w; x++ {
			for _, f := range []core.Family{core.Laplace, core.Gaussian} {
				sum, l1, l2 := new(big.Int), new(big.Int), new(big.Int)
				parts := triple(f, x, w)
				for _, p := range parts {
					b := p.Big()
					sum.Add(sum, b)
					l1.Add(l1, new(big.Int).Abs(b))
					l2.Add(l2, new(big.Int).Mul(b, b))
				}
				square := big.NewInt(w * w)
				tight := x == 0 || x == w || 2*x == w
				switch most := new(big.Int).Mul(square, square); {
				case sum.Cmp(square) != 0:
					t.Fatalf("%v: parts of %d of %d add up to %v", f, x, w, sum)
				case f == core.Laplace && l1.Cmp(square) != 0:
					t.Fatalf("%v: L1 norm at %d of %d is %v", f, x, w, l1)
				case f == core.Gaussian && (l2.Cmp(most) > 0 || tight != (l2.Cmp(most) == 0)):
					t.Fatalf("%v: squared L2 norm at %d of %d is %v", f, x, w, l2)
				}
				// Σ partᵢ·i/2 = x/w, in w²
				mean := parts[1].Add(parts[2]).Add(parts[2]).Big()
				if mean.Cmp(new(big.Int).Mul(big.NewInt(2*x), big.NewInt(w))) != 0 {
					t.Fatalf("%v: the value of %d of %d is %v", f, x, w, mean)
				}
			}
		}
	}
}

// B4: sums of the largest amounts do not wrap.
func TestSumsDoNotWrap(t *testing.T) {
	q := &Query[int64, int64, int]{Dataset: "d", UnitName: "u", Unit: func(i int64) int64 { return i }, MaxGroups: 1, MaxRowsPerGroup: 1}
	v := PerRow(q, "v", func(int64) int64 { return math.MaxInt64 }, Bounds[int64]{Lower: 0, Upper: 1 << 60})
	p, err := q.Plan(dp.Pure{Epsilon: 1 << 30}, v.Sum())
	if err != nil {
		t.Fatal(err)
	}
	var rows []int64
	for i := range int64(100) {
		rows = append(rows, i)
	}
	got := p.collectedFor(t, rows).sums[0].Big()
	want := new(big.Int).Mul(big.NewInt(p.inputs[0].grid.Cells), big.NewInt(100))
	if got.Cmp(want) != 0 {
		t.Errorf("the sum is %v, want %v", got, want)
	}
}
