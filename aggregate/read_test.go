package aggregate

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/keys"
)

// someResults returns cells with numbers of all sizes: those that releases have, those near
// ties and near zero, and those that hardly fit.
func someResults(rng *rand.Rand, c *compiled, cells int) *results {
	r := c.newResults(cells)
	for cell := range cells {
		for _, m := range c.measures {
			if m.form == formRanks {
				for i := range r.ranksOf(cell, m) {
					r.ranksOf(cell, m)[i] = someRanked(rng, m.grid.Cells, m.quantiles[i].bare)
				}
				continue
			}
			size, _ := m.recordSize().Float64()
			records := math.Ldexp(rng.Float64()-0.2, rng.IntN(30))
			for i := range r.sumsOf(cell, m) {
				sum := exact.Int(int64(min(max(records*size*rng.Float64(), -1<<62), 1<<62)))
				switch rng.IntN(20) {
				case 0:
					sum = exact.Int128{Hi: rng.Int64() >> rng.UintN(63), Lo: rng.Uint64()}
				case 1:
					sum = exact.Int(rng.Int64N(3) - 1)
				case 2:
					sum = exact.Int(int64(size) * rng.Int64N(100) / 2)
				}
				r.sumsOf(cell, m)[i] = sum
			}
			if own := m.ownParts(); own < m.parts() {
				r.sumsOf(cell, m)[own] = r.sumsOf(0, m)[own] // all groups have it in common
			}
		}
	}
	return r
}

func someRanked(rng *rand.Rand, cells int64, bare bool) ranked {
	r := ranked{Point: rng.Int64N(cells + 1)}
	for range ladder {
		if !bare {
			r.Lows, r.Highs = append(r.Lows, rng.Int64N(r.Point+1)), append(r.Highs, r.Point+rng.Int64N(cells-r.Point+1))
		}
	}
	if !bare && rng.IntN(4) == 0 {
		r.Lows[unknownAt], r.Highs[unknownAt] = 0, cells
	}
	return r
}

// same fails t if a column of a type reads otherwise than rationals say, in any bit.
func same[T dp.Number](t *testing.T, c column, cell Cell) {
	t.Helper()
	got := Column[T]{c}.Of(cell)
	a := cell.plan().answers[cell.plan().answerOf(c)]
	want := typed[T](cell.estimate(a))
	bits := func(x float64) uint64 { return math.Float64bits(x) }
	if got.Value != want.Value && !(got.Value != got.Value && want.Value != want.Value) || bits(float64(got.Value)) != bits(float64(want.Value)) && got.Value == got.Value ||
		bits(got.StdDev) != bits(want.StdDev) || got.Unknown != want.Unknown {
		t.Fatalf("%v of %v is %+v, want %+v", c, cell.Noisy(), got, want)
	}
}

func factsOf(t *testing.T, q *Query[fact, int, int], loss dp.Loss, columns ...AnyColumn) *compiled {
	t.Helper()
	p, err := q.Plan(loss, columns...)
	if err != nil {
		t.Fatal(err)
	}
	return p.compiled
}

// What is read of a cell is what rationals say, bit by bit, in every form of measure, with
// either noise, of cells with numbers of all sizes; nearly always without rationals.
func TestCellsAreReadAsRationalsSay(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	q := &Query[fact, int, int]{
		Dataset: "facts", UnitName: "unit", MaxGroups: 2, MaxRowsPerGroup: 3, Groups: []int{0, 1},
		Unit: func(f fact) int { return f.who }, Group: func(f fact) int { return f.group },
	}
	odd := PerRow(q, "odd", func(f fact) float64 { return f.x }, Bounds[float64]{Lower: -0.3, Upper: 1e9, Step: 0.1})
	narrow := PerRow(q, "narrow", func(f fact) float32 { return float32(f.x) }, Bounds[float32]{Lower: 0, Upper: 7})
	huge := PerUnit(q, "huge", func(f fact) float64 { return f.x }, Bounds[float64]{Lower: -1e100, Upper: 1e149})
	whole := PerRow(q, "whole", func(f fact) uint64 { return uint64(f.n) }, Bounds[uint64]{Lower: 3, Upper: 1 << 61})
	others := []AnyColumn{odd.Mean(), odd.QuantileWithoutInterval(0.3), narrow.Quantile(0.5), huge.Mean(), whole.Sum(), whole.Quantile(0.9)}
	quick, all := 0, 0
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 1}, dp.Concentrated{Rho: 0.5}} {
		plans := []*compiled{factsOf(t, q, loss, others...)}
		for _, b := range smallBounds {
			plans = append(plans, facts(t, loss, b, 2, 2).compiled)
		}
		for _, c := range plans {
			r := someResults(rng, c, 30)
			for i := range 30 {
				for _, a := range c.answers {
					cell := Cell{r, i}
					switch {
					case a.kind == kindMean || a.kind == kindVariance || a.value != nil && !a.value.integer && a.value.bits == 64:
						same[float64](t, a.column, cell)
					case a.value != nil && a.value.name == "whole":
						same[uint64](t, a.column, cell)
					case a.value != nil && !a.value.integer:
						same[float32](t, a.column, cell)
					default:
						same[int64](t, a.column, cell)
					}
					if a.kind != kindVariance {
						all++
						if _, known := a.quickly(cell); known {
							quick++
						}
					}
				}
			}
		}
	}
	if quick < all*3/4 {
		t.Errorf("of %d numbers %d are read without rationals", all, quick)
	}
}

// Without noise, means are read in the same way.
func TestMeansWithoutNoiseAreReadAsRationalsSay(t *testing.T) {
	core.SetNoiseless(true)
	defer core.SetNoiseless(false)
	rng := rand.New(rand.NewPCG(23, 24))
	c := facts(t, dp.Pure{Epsilon: 1}, limits{-1, 1, 0.25}, 2, 2).compiled
	r := someResults(rng, c, 50)
	for i := range 50 {
		for _, a := range c.answers {
			if a.kind == kindMean || a.kind == kindQuantile {
				same[float64](t, a.column, Cell{r, i})
			}
		}
	}
}

// Reading allocates nothing.
func TestReadingACellAllocatesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(25, 26))
	q := &Query[fact, int, int]{
		Dataset: "facts", UnitName: "unit", MaxGroups: 2, MaxRowsPerGroup: 3, Groups: []int{0},
		Unit: func(f fact) int { return f.who }, Group: func(f fact) int { return f.group },
	}
	v := PerRow(q, "v", func(f fact) float64 { return f.x }, Bounds[float64]{Lower: 0, Upper: 7, Step: 0.01})
	count, sum, mean, median := q.Count(), v.Sum(), v.Mean(), v.Quantile(0.5)
	p := factsOf(t, q, dp.Pure{Epsilon: 1}, count, sum, mean, median)
	r := p.newResults(1)
	for _, m := range p.measures {
		if m.form == formRanks {
			r.ranksOf(0, m)[0] = someRanked(rng, m.grid.Cells, false)
			continue
		}
		for i := range r.sumsOf(0, m) {
			size, _ := m.recordSize().Float64()
			r.sumsOf(0, m)[i] = exact.Int(int64(size * (1000 + 100*rng.Float64())))
		}
	}
	var e dp.Estimate[float64]
	if n := testing.AllocsPerRun(100, func() {
		e = mean.Of(Cell{r, 0})
		e.StdDev += sum.Of(Cell{r, 0}).Value + median.Of(Cell{r, 0}).Value + float64(count.Of(Cell{r, 0}).Value)
	}); n > 0 || e.Unknown {
		t.Errorf("a mean, a sum, a median and a count are read with %v allocations: %v", n, e.Value)
	}
}

// What is kept of a release is what encoding/json makes of it, byte by byte, and reads back
// as what was written.
func TestReleasesAreWrittenAsJSONIs(t *testing.T) {
	rng := rand.New(rand.NewPCG(27, 28))
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 1}, dp.Concentrated{Rho: 0.5}} {
		for _, cells := range []int{0, 1, 3, sampled + 5} {
			p := facts(t, loss, smallBounds[rng.IntN(len(smallBounds))], 2, 2)
			r, released := someResults(rng, p.compiled, cells), []int(nil)
			receipt := p.receipt(p.Charge(Request{Key: "k<>", Purpose: "p"}), dp.Payment{})
			s := stored{storedHead{format, p.fingerprint, p.question}, receipt, nil}
			for i := range cells {
				released = append(released, i-2)
				g := storedGroup{Key: keys.Encode(i - 2), Sums: Cell{r, i}.sums()}
				for _, m := range p.measures {
					if m.form == formRanks {
						g.Ranks = append(g.Ranks, r.ranksOf(i, m))
					}
				}
				s.Groups = append(s.Groups, g)
			}
			want, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			text := encode(p.compiled, receipt, released, r)
			if string(text) != string(want) {
				t.Fatalf("of %d cells this is written:\n%.2000s\nwant\n%.2000s", cells, text, want)
			}
			back, err := decode[int](p.compiled, text)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(back.groups, released) || !slices.Equal(back.cells.sums, r.sums) || back.Receipt().Key != receipt.reread().Key {
				t.Fatal("what is read back is not what was written")
			}
			for i := range r.ranks {
				if a, b := r.ranks[i], back.cells.ranks[i]; a.Point != b.Point || !slices.Equal(a.Lows, b.Lows) || !slices.Equal(a.Highs, b.Highs) {
					t.Fatalf("a quantile is read back as %v, was %v", b, a)
				}
			}
		}
	}
}

// Sums of any size, as a trend has them, are read from rationals.
func TestLargeSumsAreRead(t *testing.T) {
	c := facts(t, dp.Pure{Epsilon: 1}, limits{0, 7, 1}, 2, 2).compiled
	sums := make([]*big.Int, c.sums)
	for i := range sums {
		sums[i] = new(big.Int).Lsh(big.NewInt(int64(i+3)), 140)
	}
	cell := cellOf(c, sums)
	for _, a := range c.answers {
		if a.kind == kindMean {
			same[float64](t, a.column, cell)
		}
	}
}
