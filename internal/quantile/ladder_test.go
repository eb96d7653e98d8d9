package quantile

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/core"
)

// A record is in one rung and in one block, whatever was drawn; rungs hold every
// cell.
func TestARecordIsInOneRungAndOneBlock(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 500 {
		cells := int64(1) << r.IntN(33)
		base := NewBase(-r.Int64N(cells), cells)
		drawn := make([]int64, 1+r.IntN(9))
		for i := range drawn {
			drawn[i] = r.Int64N(cells) >> r.IntN(30)
		}
		slices.Sort(drawn)
		levels := int64(1 + r.IntN(2))
		l := NewLadder(base, drawn, levels)
		if l.bounds[0] != 0 || l.bounds[l.rungs()] != cells || !slices.IsSorted(l.bounds) || l.rungs() > MostRungs(base, len(drawn)) {
			t.Fatalf("bounds of %d cells: %v", cells, l.bounds)
		}
		for range 20 {
			at := r.Int64N(cells)
			counts := l.Counts(NewCounts([]int64{at, at, at}, 1))
			rungs, blocks := int64(0), int64(0)
			for _, n := range counts[:l.rungs()] {
				rungs += n
			}
			for _, n := range counts[l.rungs():] {
				blocks += n
			}
			if rungs != 3 || rungs+blocks != 3*levels {
				t.Fatalf("3 records in cell %d are %d in rungs and %d in blocks, counted on %d levels", at, rungs, blocks, levels)
			}
		}
	}
}

// The noise of an excess has the variance and fourth cumulant that are said, and
// no combination of rungs and blocks that is unbiased has less.
func TestSpreadsAreThoseOfTheFit(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for range 50 {
		l := &Ladder{bounds: make([]int64, 2+r.IntN(30)), block: r.IntN(5)}
		for i := range l.bounds {
			l.bounds[i] = int64(i)
		}
		q := r.Float64()
		want := make([]spread, l.rungs()+1)
		weights := make([][]float64, l.rungs()+1)
		for i := range l.rungs() + l.blocks() {
			noisy := make([]float64, l.rungs()+l.blocks())
			noisy[i] = 1
			excess, _ := l.Read(noisy).excesses(q)
			for k, w := range excess {
				want[k] = want[k].plus(alone(w, 1))
				weights[k] = append(weights[k], w)
			}
		}
		spreadOf := l.spreads(q)
		for k := range want {
			got := spreadOf(k)
			if math.Abs(got.square-want[k].square) > 1e-9 || math.Abs(got.fourth-want[k].fourth) > 1e-9 {
				t.Fatalf("%d rungs in blocks of %d: excess %d has spread %v, want %v", l.rungs(), l.block, k, got, want[k])
			}
			for b := range l.blocks() { // Gauss-Markov: no gain from any difference of a block and its rungs
				first, last := l.of(b)
				gain := weights[k][l.rungs()+b]
				for _, w := range weights[k][first:last] {
					gain -= w
				}
				if math.Abs(gain) > 1e-9 {
					t.Fatalf("excess %d correlates with what block %d has beyond its rungs: %v", k, b, gain)
				}
			}
		}
	}
}

// samples are hard for intervals: gaps beside the quantile, ties, few records,
// records at the bounds, and densities that change.
func samples(r *rand.Rand) map[string][]int64 {
	const cells = 1 << 20
	all := map[string][]int64{"none": nil, "one": {77}}
	add := func(name string, n int, draw func(i int) int64) {
		for i := range n {
			all[name] = append(all[name], min(max(draw(i), 0), cells-1))
		}
	}
	add("even", 400, func(int) int64 { return r.Int64N(cells) })
	add("a gap above the median", 401, func(i int) int64 { return 1000 + int64(i) + int64(i/201)*900_000 })
	add("a gap below the median", 401, func(i int) int64 { return 1000 + int64(i) + int64(i/200)*900_000 })
	add("ties", 400, func(i int) int64 { return int64(i/50) * 100_000 })
	add("all tied", 300, func(int) int64 { return 5 })
	add("all at the top", 300, func(int) int64 { return cells - 1 })
	add("exponential", 400, func(int) int64 { return int64(math.Exp(7 + 2*r.NormFloat64())) })
	add("few", 20, func(int) int64 { return r.Int64N(cells) })
	return all
}

// Intervals hold the quantile of any records at their rate: 95 % is not refuted
// for any, at 1e-9 a check, and it is for a reach that is half as long.
func TestIntervalsHoldTheQuantileOfAnyRecords(t *testing.T) {
	runs := 400
	if *long {
		runs = 10_000
	}
	r := rand.New(rand.NewPCG(7, 7))
	short := 0
	for _, family := range []core.Family{core.Laplace, core.Gaussian} {
		for _, ranks := range [][]Rank{{500_000}, {500_000, 950_000}, {100_000, 250_000, 500_000, 750_000, 900_000}} {
			for name, points := range samples(r) {
				base := NewBase(0, 1<<20)
				p, err := NewPlan(base, ranks, each(big.NewRat(1, 4), len(ranks)), 1)
				if err != nil {
					t.Fatal(err)
				}
				law, err := core.NewLaw(family, big.NewRat(4, 1))
				if err != nil {
					t.Fatal(err)
				}
				histogram := make(map[int64]int64)
				for _, x := range points {
					histogram[x]++
				}
				c := histogramOf(histogram)
				missed, missedShort := make([]int, len(ranks)), make([]int, len(ranks))
				for range runs {
					reading := read(c, base, p, law)
					for i, q := range ranks {
						truth := c.exact(q)
						if low, high := reading.Of(q).Interval(reachOf(law, 1)); truth < low || truth > high {
							missed[i]++
						}
						if low, high := reading.Of(q).Interval(reachOf(law, 0.5)); truth < low || truth > high {
							missedShort[i]++
						}
					}
				}
				for i, q := range ranks {
					if len(points) > 0 && refuted(missed[i], runs) {
						t.Errorf("%v noise, %s: intervals of rank %d missed %d of %d", family, name, q, missed[i], runs)
					}
					if refuted(missedShort[i], runs) {
						short++
					}
				}
			}
		}
	}
	if short == 0 {
		t.Error("a reach that is half as long is not refuted")
	}
}

// refuted reports whether so many misses have a probability below 1e-9 where
// they come at 5 %, by Hoeffding's bound in its sharp form.
func refuted(misses, runs int) bool {
	p := float64(misses) / float64(runs)
	if p <= 0.05 {
		return false
	}
	divergence := p*math.Log(p/0.05) + (1-p)*math.Log((1-p)/0.95)
	return float64(runs)*divergence > math.Log(1e9)
}

func reachOf(law *core.Law, times float64) func(squares, fourths float64) float64 {
	far := law.Far(0.95)
	return func(squares, fourths float64) float64 { return times * far(squares, fourths) * law.StdDev() }
}

func read(c *Counts, base *Base, p *Plan, law *core.Law) (r *Reading) {
	core.InSession(func(session *core.Session) { r = readIn(session, c, base, p, law) })
	return r
}

func readIn(session *core.Session, c *Counts, base *Base, p *Plan, law *core.Law) *Reading {
	drawn := p.Draw(session, c)
	l := NewLadder(base, drawn, Counted(base, len(drawn), law.Family == core.Gaussian))
	counts := l.Counts(c)
	draws := make([]int64, len(counts))
	session.Draw(law, draws)
	noisy := make([]float64, len(counts))
	for i, d := range draws {
		noisy[i] = float64(counts[i] + d)
	}
	return l.Read(noisy)
}

// What two neighbours add to a ladder is what the noise is calibrated for.
func TestAUnitChangesOneRungAndOneBlockForEachRecord(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	base := NewBase(0, 6)
	for _, drawn := range [][]int64{{0}, {3}, {1, 4}, {0, 1, 2, 3, 4, 5}} {
		l := NewLadder(base, drawn, 1)
		l.block = r.IntN(4)
		levels := int64(1)
		if l.block > 0 {
			levels = 2
		}
		every(6, 3, 2, func(counts, with []int) bool {
			a, b := l.Counts(CountsOf(counts)), l.Counts(CountsOf(with))
			change := int64(0)
			for i := range a {
				change += max(a[i]-b[i], b[i]-a[i])
			}
			if change > 2*levels {
				t.Errorf("%s: counts %v become %v", fmt.Sprint(counts, with), a, b)
			}
			return change <= 2*levels
		})
	}
}

// The rungs around a cell are as far from it as its magnitude times powers of two: from
// 2^-13 of it, or one cell, up to the bounds; and near zero that of the cells instead.
func TestRungsAreOctavesOfTheMagnitude(t *testing.T) {
	for _, c := range []struct {
		first, cells, cell int64
		magnitude          float64
	}{
		{0, 1 << 20, 40_000, 40_000}, {-40_000, 1 << 20, 0, 40_000}, {-1_048_575, 1 << 20, 5, 1_048_570}, {0, 1 << 30, 3, 1 << 10}, {0, 1 << 30, 1<<30 - 1, 1<<30 - 1}, {0, 16, 0, 1}, {1 << 40, 100, 7, 100},
	} {
		var want []int64
		for octave := -13.0; octave < 40; octave++ {
			if step := c.magnitude * math.Exp2(octave); step >= 1 && step < float64(c.cells) {
				want = append(want, int64(step))
			}
		}
		base := NewBase(c.first, c.cells)
		if got := base.steps(c.cell); !slices.Equal(got, want) {
			t.Errorf("%d cells from %d on: the rungs around cell %d are at %v, must be at %v", c.cells, c.first, c.cell, got, want)
		}
	}
}

// The noisiest excess of a rank is that of the end where all rungs have the larger of its two weights.
func TestTheWidestExcessIsAtAnEnd(t *testing.T) {
	l := NewLadder(NewBase(-20, 100), []int64{0, 7, 50}, 1)
	for _, q := range []float64{0.05, 0.5, 0.8} {
		w, n := max(q, 1-q)*max(q, 1-q), float64(l.rungs())
		squares, fourths := l.Widest(NewRank(q))
		if math.Abs(squares/(w*n)-1) > 1e-12 || math.Abs(fourths/(w*w*n)-1) > 1e-12 {
			t.Errorf("of rank %v: squares are %v and fourth powers %v, must be %v and %v", q, squares, fourths, w*n, w*w*n)
		}
	}
}
