package quantile

import (
	"flag"
	"fmt"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

var long = flag.Bool("long", false, "run the longer versions of statistical tests")

// Small returns a plan with few parts to a cell, and the model of it.
func Small(t testing.TB, base *Base, shares []float64, epsilon string, records int64, bits uint) (*Plan, model) {
	t.Helper()
	e, _ := new(big.Rat).SetString(epsilon)
	p := &Plan{base: base, n: len(shares), parts: bits}
	var ranks []Rank
	for _, s := range shares {
		ranks = append(ranks, NewRank(s))
	}
	if err := p.build(ranks, each(e, len(ranks)), records); err != nil {
		t.Fatal(err)
	}
	f, _ := e.Float64()
	m := model{ranks: shares, epsilon: f, records: int(records), parts: 1 << bits, rateTimes: 1}
	for c := range base.cells {
		m.each = append(m.each, float64(base.before(c+1)-base.before(c)))
	}
	return p, m
}

// each returns one loss for every level.
func each(epsilon *big.Rat, ranks int) []*big.Rat {
	all := make([]*big.Rat, Levels(ranks))
	for i := range all {
		all[i] = epsilon
	}
	return all
}

func CountsOf(cells []int) *Counts {
	histogram := make(map[int64]int64)
	for c, n := range cells {
		if n > 0 {
			histogram[int64(c)] = int64(n)
		}
	}
	return histogramOf(histogram)
}

// histogramOf returns the counts of cells.
func histogramOf(histogram map[int64]int64) *Counts {
	c := &Counts{prefix: []int64{0}}
	for _, cell := range slices.Sorted(maps.Keys(histogram)) {
		c.prefix = append(c.prefix, c.all()+histogram[cell])
		c.cells = append(c.cells, cell)
	}
	return c
}

// Weighing returns the base whose cells have these measures.
func Weighing(each ...uint64) *Base {
	b := &Base{cells: int64(len(each))}
	for i, e := range each {
		b.pieces = append(b.pieces, piece{int64(i), e, b.total})
		b.total += e
	}
	return b
}

// uneven is a base of few cells with two measures, as magnitudes make.
func uneven(cells int64) *Base {
	return &Base{cells: cells, pieces: []piece{{0, 5, 0}, {2, 3, 10}}, total: uint64(10 + 3*(cells-2))}
}

// What is drawn has the law of the plain model, for random records, ranks,
// bases, parts and losses: by chi-square, at 1e-9 a check.
func TestDrawsHaveTheirLaw(t *testing.T) {
	rounds, draws := 30, 4000
	if *long {
		rounds, draws = 300, 40_000
	}
	r := rand.New(rand.NewPCG(1, 1))
	ranks := [][]float64{{0.5}, {0.95}, {0.01}, {0.25, 0.75}, {0.5, 0.95}, {0.25, 0.5, 0.75}, {0.1, 0.2, 0.3, 0.9}}
	for range rounds {
		cells := 3 + r.IntN(3)
		base := uneven(int64(cells))
		if r.IntN(2) == 0 {
			base = NewBase(0, int64(cells))
		}
		records := int64(1 + r.IntN(2))
		p, m := Small(t, base, ranks[r.IntN(len(ranks))], fmt.Sprint(1+r.IntN(20), "/4"), records, uint(r.IntN(2)))
		counts := randomCounts(r, cells, 9)
		var bases []*Base
		if r.IntN(2) == 0 { // the same measures by the other door
			p.base = NewBase(0, int64(cells))
			for range m.ranks {
				bases = append(bases, base)
			}
		}
		session := core.Begin()
		seen := map[string]int{}
		for range draws {
			seen[fmt.Sprint(p.DrawNear(session, CountsOf(counts), bases))]++
		}
		session.End()
		if stat, limit := chiSquare(seen, m.Released(counts), draws); stat > limit {
			t.Errorf("%d cells, ranks %v, counts %v, records %d, %d parts: chi-square is %.1f, above %.1f", cells, m.ranks, counts, records, m.parts, stat, limit)
		}
	}
}

// chiSquare pools what is rare, and returns the statistic and what it exceeds
// with probability 1e-9 at most, by the bound of Laurent and Massart (2000).
func chiSquare(seen map[string]int, want law, n int) (stat, limit float64) {
	rest, restSeen, cells := 0.0, float64(n), 0
	for o, p := range want {
		if p*float64(n) < 10 {
			rest += p
			continue
		}
		cells++
		d := float64(seen[o]) - p*float64(n)
		stat += d * d / (p * float64(n))
		restSeen -= float64(seen[o])
	}
	x := math.Log(2e9)
	if rest*float64(n) >= 10 {
		d := restSeen - rest*float64(n)
		stat += d * d / (rest * float64(n))
		cells++
	} else if restSeen > 60 { // Poisson of mean below 10
		return math.Inf(1), 0
	}
	k := float64(max(cells-1, 1))
	return stat, 1.5*(k+2*math.Sqrt(k*x)+2*x) - 0.5*k
}

// A claim is what a plan of some levels guarantees for a unit.
type claim struct {
	epsilon float64 // of a level
	levels  int
	deltas  []float64 // at shares of the whole
	second  []float64 // of one level, at shares of it
}

var shares = []float64{0.2, 0.5, 0.8}

func claimOf(epsilon float64, levels int) claim {
	c := claim{epsilon: epsilon, levels: levels}
	var priced, one pld.Composition
	one.Add(pld.BoundedRange(epsilon), 1)
	priced.Add(pld.BoundedRange(epsilon), levels)
	for _, share := range shares {
		c.deltas = append(c.deltas, priced.Delta(share*epsilon*float64(levels)))
		c.second = append(c.second, one.Delta(share*epsilon))
	}
	return c
}

// refutedBy returns why a plan does not keep the claim on two histograms: as a
// whole, or on its second level after some first draw.
func (c claim) refutedBy(m model, counts, with []int) string {
	if why := c.refuted(m.law(counts), m.law(with)); why != "" || c.levels < 2 {
		return why
	}
	level := c
	level.levels, level.deltas = 1, c.second
	a, b := m.afterFirst(counts), m.afterFirst(with)
	for first := range a {
		if why := level.refuted(a[first], b[first]); why != "" {
			return fmt.Sprintf("after a first draw of %d, %s", first, why)
		}
	}
	return ""
}

// refuted returns why two laws are not as alike as is claimed, or nothing.
func (c claim) refuted(a, b law) string {
	const rounding = 1 + 1e-9
	all := c.epsilon * float64(c.levels) * rounding
	// Levels are drawn one after the other, so their ranges may lie elsewhere
	// after other draws: it is the ends that add up.
	if low, high := losses(a, b); max(high, -low) > all || c.levels == 1 && high-low > all {
		return fmt.Sprintf("losses are in [%v, %v]", low, high)
	}
	for i, share := range shares {
		if d := max(hockeyStick(a, b, share*all), hockeyStick(b, a, share*all)); d > c.deltas[i]*rounding {
			return fmt.Sprintf("δ is %v at %v, claimed %v", d, share*all, c.deltas[i])
		}
	}
	for _, order := range []float64{1.5, 2, 8} {
		bound := order * float64(c.levels) * c.epsilon * c.epsilon / 8 * rounding
		if d := max(divergence(a, b, order), divergence(b, a, order)); d > bound {
			return fmt.Sprintf("divergence of order %v is %v, claimed %v", order, d, bound)
		}
	}
	return ""
}

// every calls yield with every two histograms that differ by one unit.
func every(cells, rows, unit int, yield func(counts, with []int) bool) {
	done := false
	histograms(cells, rows, func(counts []int) {
		histograms(cells, unit, func(extra []int) {
			if done || slices.Max(extra) == 0 {
				return
			}
			with := slices.Clone(counts)
			for i, n := range extra {
				with[i] += n
			}
			done = !yield(counts, with)
		})
	})
}

// exactCases are small enough to look at every output of every two neighbours.
var exactCases = []struct {
	cells, rows, unit, parts int
	ranks                    []float64
}{
	{4, 4, 1, 1, []float64{0.5}},
	{4, 3, 2, 1, []float64{0.9}},
	{8, 3, 1, 1, []float64{0.25}},
	{4, 3, 1, 2, []float64{0.5, 0.9}},
	{4, 3, 1, 2, []float64{0.25, 0.5, 0.75}},
	{4, 2, 2, 2, []float64{0.25, 0.75}},
}

// Every output of every two neighbours of a small kind is as alike as bounded
// range claims, in pure ε, δ at several ε, and Rényi divergence.
func TestEveryNeighbourIsWithinTheClaim(t *testing.T) {
	for _, c := range exactCases {
		m := modelOf(c.cells, c.unit, c.parts, c.ranks)
		claimed := claimOf(m.epsilon, Levels(len(c.ranks)))
		every(c.cells, c.rows, c.unit, func(counts, with []int) bool {
			if why := claimed.refutedBy(m, counts, with); why != "" {
				t.Errorf("%v against %v, ranks %v: %s", counts, with, c.ranks, why)
				return false
			}
			return true
		})
	}
}

func modelOf(cells, records, parts int, ranks []float64) model {
	m := model{ranks: ranks, epsilon: 1, records: records, parts: parts, rateTimes: 1}
	for i := range cells {
		m.each = append(m.each, float64(1+i%3))
	}
	return m
}

// The same look refutes mechanisms with one mistake.
func TestMistakesAreOutsideTheClaim(t *testing.T) {
	for name, plant := range map[string]func(*model){
		"a scale a tenth too small":       func(m *model) { m.rateTimes = 1 / 0.9 },
		"the range of one side":           func(m *model) { m.rateTimes = 2 },
		"ties on both sides":              func(m *model) { m.whole = true },
		"one record where a unit has two": func(m *model) { m.rateTimes = float64(m.records) },
	} {
		found := false
		for _, c := range exactCases {
			m := modelOf(c.cells, c.unit, c.parts, c.ranks)
			plant(&m)
			claimed := claimOf(m.epsilon, Levels(len(c.ranks)))
			every(c.cells, c.rows, c.unit, func(counts, with []int) bool {
				found = found || claimed.refutedBy(m, counts, with) != ""
				return !found
			})
		}
		if !found {
			t.Errorf("%s is not found", name)
		}
	}
}
