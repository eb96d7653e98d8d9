package quantile

import (
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/core"
)

// Runs hold every candidate once, and no candidate costs less than its run says:
// what the draw's exactness rests on. Costs are those of the plain model.
func TestRunsHoldEveryCandidateOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 3000 {
		cells := int64(1 + r.IntN(60))
		base := NewBase(0, cells)
		if cells > 2 && r.IntN(2) == 0 {
			base = uneven(cells)
		}
		bits := uint(r.IntN(4))
		counts := randomCounts(r, int(cells), 1<<r.IntN(8))
		b := int64(2 + r.IntN(20))
		p := &problem{a: 1 + r.Int64N(b-1), b: b}
		if r.IntN(2) == 0 {
			p.left = &problem{}
		}
		epsilon := big.NewRat(1+r.Int64N(100), 10)
		if err := p.calibrate(epsilon, 1+r.Int64N(3), bits); err != nil {
			t.Fatal(err)
		}
		if r.IntN(2) == 0 {
			p.rate *= 100 // so that less is looked at one by one
		}
		lo := r.Int64N(cells << bits)
		hi := lo + 1 + r.Int64N(cells<<bits-lo)
		v := newView(p, CountsOf(counts), base, bits, lo, hi)
		runs := v.runs()
		slices.SortFunc(runs, func(a, b run) int { return int(a.from - b.from) })
		at := v.first()
		for _, run := range runs {
			if run.from != at || run.to <= run.from {
				t.Fatalf("runs %v of %d … %d", runs, v.first(), v.last())
			}
			at = run.to
			if run.start != v.measure(run.from) || run.length != v.measure(run.to)-run.start {
				t.Fatalf("run %v has measure %d … %d", run, v.measure(run.from), v.measure(run.to))
			}
			for x := run.from; x < run.to; x++ {
				if want := plainCost(v, counts, x); v.cost(x) != want || run.cost > want {
					t.Fatalf("candidate %d of run %v costs %d, by the definition %d", x, run, v.cost(x), want)
				}
			}
		}
		if at != v.last()+1 {
			t.Fatalf("runs %v of %d … %d", runs, v.first(), v.last())
		}
		for x := v.first(); x <= v.last(); x++ {
			from, to := v.measure(x), v.measure(x+1)
			if from >= to || v.candidate(from) != x || v.candidate(to-1) != x {
				t.Fatalf("candidate %d has measure %d … %d, which is of %d … %d", x, from, to, v.candidate(from), v.candidate(to-1))
			}
		}
	}
}

// plainCost adds up the records part by part.
func plainCost(v *view, counts []int, x int64) int64 {
	size := int64(1) << v.parts
	var all, before, until int64
	for p := v.lo; p < v.hi; p++ {
		n := int64(counts[p/size])
		all += n
		at := p
		if !v.splits() {
			at = p / size
		}
		if at < x {
			before += n
		}
		if at <= x {
			until += n
		}
	}
	if v.splits() {
		until = before
	}
	return max(v.b*before-v.a*all, v.a*all-v.b*until, 0)
}

// Every cell has a measure, and places are of the cell whose measure holds them.
func TestBaseIsAMeasure(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 2000 {
		cells := int64(1) << r.IntN(33)
		first := r.Int64N(1<<40) >> r.IntN(40)
		switch r.IntN(4) {
		case 0:
			first = 0
		case 1:
			first = -r.Int64N(cells)
		case 2:
			first = -cells + 1 - first
		}
		b := NewBase(first, cells)
		if b.total != b.before(cells) || b.total >= 1<<(62-parts) {
			t.Fatalf("%d cells from %d have measure %d, in all %d", cells, first, b.total, b.before(cells))
		}
		near := []int64{0, cells - 1, r.Int64N(cells)}
		for _, p := range b.pieces {
			near = append(near, p.first, max(p.first-1, 0))
		}
		for _, c := range near {
			from, to := b.before(c), b.before(c+1)
			lo, into, each := b.at(from)
			hi, _, _ := b.at(to - 1)
			if from >= to || lo != c || hi != c || into != 0 || each != to-from {
				t.Fatalf("%d cells from %d: cell %d has measure %d … %d", cells, first, c, from, to)
			}
		}
	}
}

// Where magnitudes span many octaves, each octave has an even part of half of
// the measure, and the cells an even part of the other half.
func TestWideBasesFollowMagnitudes(t *testing.T) {
	for _, narrow := range []*Base{NewBase(0, 511), NewBase(1<<30, 1<<30), NewBase(-100, 201), NewBase(-1<<20, 1<<24), NewBase(-1<<24, 1<<24+1<<20)} {
		if narrow.Logarithmic() || narrow.total != uint64(narrow.cells) {
			t.Errorf("a base of %d cells is not even", narrow.cells)
		}
	}
	if !NewBase(-3, 1<<24).Logarithmic() || !NewBase(3-1<<24, 1<<24).Logarithmic() {
		t.Error("a base with little on one side of zero is even")
	}
	for _, first := range []int64{0, 1 - 1<<30} {
		b := NewBase(first, 1<<30)
		if !b.Logarithmic() {
			t.Fatal("a base of a billion cells is even")
		}
		share := func(from, to int64) float64 {
			if first < 0 {
				from, to = 1-to, 1-from
			}
			return float64(b.before(to-first)-b.before(from-first)) / float64(b.total)
		}
		for e := 12; e < 30; e++ {
			linear := math.Ldexp(1, e-1-30) / 2
			if got := share(1<<(e-1), 1<<e) - linear; got < 0.5/26 || got > 0.5/19 {
				t.Errorf("octave %d has %.4f of the measure beyond its even part", e, got)
			}
		}
	}
}

func TestRanksAreMillionths(t *testing.T) {
	for share, want := range map[float64]Rank{0.5: 500_000, 0.999: 999_000, 1e-12: 1, 1 - 1e-12: 999_999, 1. / 3: 333_333} {
		if got := NewRank(share); got != want {
			t.Errorf("share %v is rank %d, want %d", share, got, want)
		}
	}
	r := rand.New(rand.NewPCG(4, 4))
	for range 1000 {
		n, b := r.Int64(), 1+r.Int64N(whole)
		a := r.Int64N(b + 1)
		x := new(big.Int).Mul(big.NewInt(n), big.NewInt(a))
		x.Add(x, big.NewInt(b-1)).Quo(x, big.NewInt(b))
		if got := mulQuoUp(n, a, b); got != x.Int64() {
			t.Fatalf("%d·%d/%d rounded up is %d, want %v", n, a, b, got, x)
		}
	}
}

// A plan refuses ranks out of order, no loss and no records.
func TestAPlanRefusesRanksOutOfOrder(t *testing.T) {
	base := NewBase(0, 10)
	for _, ranks := range [][]Rank{nil, {0}, {whole}, {5, 5}, {6, 5, 7}} {
		if _, err := NewPlan(base, ranks, each(big.NewRat(1, 1), len(ranks)), 1); err == nil {
			t.Errorf("ranks %v are accepted", ranks)
		}
	}
	if _, err := NewPlan(base, []Rank{1}, []*big.Rat{new(big.Rat)}, 1); err == nil {
		t.Error("a loss of 0 is accepted")
	}
	if _, err := NewPlan(base, []Rank{1}, []*big.Rat{big.NewRat(1, 1)}, 0); err == nil {
		t.Error("units without records are accepted")
	}
	if _, err := NewPlan(base, []Rank{1, 2, 3}, []*big.Rat{big.NewRat(1, 1)}, 1); err == nil {
		t.Error("a level without a loss is accepted")
	}
}

// Parts hold every cell, in order, and have even measures.
func TestCutsHoldEveryCellOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		cells := 1 + r.Int64N(1<<r.IntN(13))
		base := NewBase(r.Int64N(3), cells)
		parts := 1 + r.Int64N(100)
		c := base.Cut(parts)
		last := int64(0)
		for cell := range cells {
			part := c.Part(cell)
			if part < last || part >= parts {
				t.Fatalf("cell %d of %d is in part %d of %d, after %d", cell, cells, part, parts, last)
			}
			last = part
			if from, to := c.Cells(part); cell < from || cell > to || c.Part(from) != part || c.Part(to) != part {
				t.Fatalf("cell %d of %d is in part %d, which has cells %d … %d", cell, cells, part, from, to)
			}
		}
		for part := range parts {
			if from, to := c.Cells(part); from < 0 || to >= cells || from > to {
				t.Fatalf("part %d of %d has cells %d … %d of %d", part, parts, from, to, cells)
			}
		}
	}
}

// A base that is moved near a cell is a measure; the cells near have much of it and
// none has less than a quarter of its part.
func TestNearMovesThreeQuartersOfTheMeasure(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 7))
	for range 500 {
		cells := 2048 + r.Int64N(1<<(12+r.IntN(20)))
		first := r.Int64N(3)
		if r.IntN(3) == 0 {
			first = 1 - cells
		}
		base := NewBase(first, cells)
		cell := r.Int64N(cells) >> r.IntN(10)
		near := base.Near(cell)
		if near.total != near.before(cells) || near.total >= 1<<(62-parts) {
			t.Fatalf("%d cells near %d have measure %d, in all %d", cells, cell, near.before(cells), near.total)
		}
		for range 20 {
			c := r.Int64N(cells)
			old := float64(base.before(c+1)-base.before(c)) / float64(base.total)
			if now := float64(near.before(c+1)-near.before(c)) / float64(near.total); now < 0.249*old {
				t.Fatalf("cell %d of %d has %v of the measure near %d, had %v", c, cells, now, cell, old)
			}
			if at, _, _ := near.at(near.before(c)); at != c {
				t.Fatalf("the measure of cell %d is of cell %d", c, at)
			}
		}
		value := float64(first + cell)
		from, to := near.clip(min(value*0.9, value*1.1)), near.clip(max(value*0.9, value*1.1))
		if got := float64(near.before(to+1)-near.before(from)) / float64(near.total); got < 0.22 {
			t.Fatalf("%v of the measure is within a tenth of cell %d of %d from %d", got, cell, cells, first)
		}
	}
}

// Costs of more records than 64 bits can weigh are cut, and stay on their side of the
// share: a candidate that is far never looks near.
func TestHugeCostsAreCutAndNotTurnedOver(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	for range 500 {
		histogram := map[int64]int64{}
		for range 1 + r.IntN(5) {
			histogram[r.Int64N(50)] = 1 + r.Int64N(1<<(1+r.IntN(42)))
		}
		b := 2 + r.Int64N(whole-1)
		p := &problem{a: 1 + r.Int64N(b-1), b: b}
		if r.IntN(2) == 0 {
			p.left = &problem{}
		}
		if err := p.calibrate(big.NewRat(1, 1), 1, parts); err != nil {
			t.Fatal(err)
		}
		v := newView(p, histogramOf(histogram), NewBase(0, 50), parts, 0, 50<<parts)
		for range 50 {
			x := v.first() + r.Int64N(v.last()-v.first()+1)
			before := new(big.Int).SetInt64(v.weight(x << v.scale()))
			after := new(big.Int).Set(before)
			if !v.splits() {
				after.SetInt64(v.weight((x + 1) << v.scale()))
			}
			all := new(big.Int).Mul(big.NewInt(p.a), big.NewInt(v.all))
			over := before.Sub(before.Mul(before, big.NewInt(p.b)), all)
			under := after.Sub(all, after.Mul(after, big.NewInt(p.b)))
			want := big.NewInt(0)
			for _, y := range []*big.Int{over, under} {
				if y.Cmp(want) > 0 {
					want = y
				}
			}
			if most := new(big.Int).Lsh(big.NewInt(1), 62); want.Cmp(most) > 0 {
				want = most
			}
			if got := v.cost(x); got != want.Int64() {
				t.Fatalf("candidate %d of %v for %d/%d costs %d, want %v", x, histogram, p.a, p.b, got, want)
			}
		}
		session := core.Begin()
		v.draw(session)
		session.End()
	}
}

// The shares of the levels add up to 1, and two ranks are off by the same number of
// records where the loss is divided so: shares of ε, or of its square.
func TestSharesMakeTwoRanksEquallyExact(t *testing.T) {
	for _, squares := range []bool{false, true} {
		for _, ranks := range [][]Rank{{500_000}, {500_000, 950_000}, {1, 999_999}, {1, 2, 3}, {1, 2, 3, 4}} {
			sum, shares := new(big.Rat), Shares(ranks, squares)
			for _, s := range shares {
				sum.Add(sum, s)
			}
			if sum.Cmp(big.NewRat(1, 1)) != 0 || len(shares) != Levels(len(ranks)) {
				t.Errorf("ranks %v: shares %v", ranks, shares)
			}
		}
		ranks := []Rank{500_000, 950_000}
		epsilons := Shares(ranks, squares)
		for i, s := range epsilons {
			if x, _ := s.Float64(); squares {
				epsilons[i] = new(big.Rat).SetFloat64(math.Sqrt(x))
			}
		}
		p, err := NewPlan(NewBase(0, 100), ranks, epsilons, 3)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(p.Scale(0)/p.Scale(1)-1) > 1e-9 || !squares && math.Abs(p.Scale(0)-3*2.9) > 1e-9 {
			t.Errorf("scales %v and %v", p.Scale(0), p.Scale(1))
		}
	}
}

// Counts are those of the points in every cell, however many cells there are, however wide
// and wherever they lie.
func TestCountsAreThoseOfPoints(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 12))
	for _, n := range []int{0, 1, 2, 1000} {
		for _, width := range []int64{1, 2, 3, 1 << 20} {
			points, histogram := make([]int64, n), make(map[int64]int64)
			for i := range points {
				points[i] = r.Int64N(int64(1) << (3 + r.IntN(40)))
				histogram[points[i]/width]++
			}
			slices.Sort(points)
			c, before := NewCounts(points, width), int64(0)
			cells := slices.Sorted(maps.Keys(histogram))
			if !slices.Equal(cells, c.cells) {
				t.Fatalf("%d points have the cells %v, want %v", n, c.cells, cells)
			}
			for i, cell := range cells {
				if c.prefix[i] != before || c.count(i) != histogram[cell] {
					t.Fatalf("cell %d has %d records after %d, must be %d after %d", cell, c.count(i), c.prefix[i], histogram[cell], before)
				}
				before += histogram[cell]
			}
			if c.all() != before {
				t.Fatalf("%d records in all, must be %d", c.all(), before)
			}
		}
	}
}
