package sample

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

func decay(t testing.TB, rate string) *Decay {
	t.Helper()
	d, err := NewDecay(rat(rate))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A15: the law of a coin, at extreme probabilities too. The reference is the
// float function; 10^6 coins cannot see its error.
func TestCoinsHaveTheirLaw(t *testing.T) {
	seed(t, 5)
	s := NewSource()
	for _, c := range []struct{ num, den uint64 }{{0, 1}, {1, 1000}, {1, 3}, {1, 1}, {7, 2}, {10, 1}, {1 << 40, 1}, {1<<63 + 1, 1 << 63}} {
		d, err := NewDecay(new(big.Rat).SetFrac(new(big.Int).SetUint64(c.num), new(big.Int).SetUint64(c.den)))
		if err != nil {
			t.Fatal(err)
		}
		count := 0
		for range draws {
			if d.Bernoulli(s, 1) {
				count++
			}
		}
		p := math.Exp(-float64(c.num) / float64(c.den))
		stat, limit := chiSquare([]int{count, draws - count}, []float64{p, 1 - p})
		mustPass(t, fmt.Sprintf("exp(-%d/%d)", c.num, c.den), stat, limit)
	}
}

func TestChooseHasItsLaw(t *testing.T) {
	seed(t, 6)
	segments := []Segment{{5, -3}, {0, -100}, {1, -4}, {1000, 2}, {1, math.MaxInt64}, {7, -3}, {3, 0}, {0, 0}}
	d := decay(t, "2/3")
	probs, total := make([]float64, len(segments)), 0.0
	for i, seg := range segments {
		probs[i] = float64(seg.Length) * math.Exp(-(float64(seg.Cost)+4)*2/3)
		total += probs[i]
	}
	for i := range probs {
		probs[i] /= total
	}
	s, counts, offsets := NewSource(), make([]int, len(segments)), make([]int, 7)
	for range 200_000 {
		i, offset, err := d.Choose(s, segments)
		if err != nil || offset >= segments[i].Length {
			t.Fatalf("segment %d, offset %d, error %v", i, offset, err)
		}
		counts[i]++
		if i == 5 {
			offsets[offset]++
		}
	}
	if counts[1]+counts[4]+counts[7] != 0 {
		t.Errorf("segments without weight were chosen: %v", counts)
	}
	stat, limit := chiSquare(counts, probs)
	mustPass(t, "Choose", stat, limit)
	stat, limit = chiSquare(offsets, []float64{1. / 7, 1. / 7, 1. / 7, 1. / 7, 1. / 7, 1. / 7, 1. / 7})
	mustPass(t, "the place in a segment", stat, limit)
}

func TestChooseRefusesWhatIsNoChoice(t *testing.T) {
	d := decay(t, "1")
	for _, segments := range [][]Segment{nil, {{0, 1}}, {{1 << 62, 1}, {1, 1}}, {{math.MaxUint64, 0}, {math.MaxUint64, 0}}} {
		if _, _, err := d.Choose(NewSource(), segments); err == nil {
			t.Errorf("%v is accepted", segments)
		}
	}
	if _, _, err := d.Choose(NewSource(), []Segment{{1 << 62, math.MinInt64}, {0, 5}}); err != nil {
		t.Error(err)
	}
}

// The fast search says, wherever it decides, what the exact one says from the
// same uniform. Targets are put next to partial sums on purpose.
func TestChooserAgreesWithIntervals(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for round := range 60 {
		d := decay(t, fmt.Sprintf("%d/%d", 1+r.IntN(1000), 1+r.IntN(1_000_000)))
		items := make([][2]uint64, 1+r.IntN(12))
		total := uint64(0)
		for i := range items {
			items[i] = [2]uint64{r.Uint64() >> (8 + r.IntN(56)), r.Uint64() >> (40 + r.IntN(24))}
			total += items[i][0]
		}
		items[0] = [2]uint64{1, 0}
		c := newChooser(d, nil, total+1)
		for _, it := range items {
			c.push(it[0], it[1])
		}
		item := func(i int) (uint64, uint64) { return items[i][0], items[i][1] }
		for range 20 {
			hi, lo := r.Uint64(), r.Uint64()
			if round%2 == 0 { // a uniform near a partial sum
				var sum uint128
				for _, w := range c.weights[:1+r.IntN(len(items))] {
					sum = sum.add(w)
				}
				u := new(big.Int).Lsh(sum.big(), 128)
				u.Quo(u, c.sum.big()).Add(u, big.NewInt(r.Int64N(1<<40)))
				lo = new(big.Int).And(u, new(big.Int).SetUint64(math.MaxUint64)).Uint64()
				hi = new(big.Int).Rsh(u, 64).Uint64()
			}
			fast := c.draw(scripted(hi, lo), item)
			if exact := c.exact(newUniform(NewSource(), hi, lo), item); fast != exact {
				t.Fatalf("items %v: fast %d, exact %d", items, fast, exact)
			}
		}
	}
}

// Slow-path cases come from the exact search alone, so its law is tested too.
func TestExactSearchHasItsLaw(t *testing.T) {
	seed(t, 8)
	s, d := NewSource(), decay(t, "1/2")
	c := newChooser(d, nil, 6)
	item := func(i int) (uint64, uint64) { return uint64(i + 1), uint64(i) }
	for i := range 3 {
		c.push(item(i))
	}
	counts := make([]int, 3)
	for range 5000 {
		counts[c.exact(&uniform{s, new(big.Int), 0}, item)]++
	}
	a, b := 2*math.Exp(-0.5), 3*math.Exp(-1)
	stat, limit := chiSquare(counts, []float64{1 / (1 + a + b), a / (1 + a + b), b / (1 + a + b)})
	mustPass(t, "exact search", stat, limit)
}

func (a uint128) big() *big.Int {
	x := new(big.Int).SetUint64(a.hi)
	return x.Lsh(x, 64).Or(x, new(big.Int).SetUint64(a.lo))
}

func TestMulHighIsTheHighWord(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for range 10_000 {
		a, b := uint128{r.Uint64(), r.Uint64() | -(r.Uint64() & 1)}, uint128{r.Uint64() | -(r.Uint64() & 1), r.Uint64()}
		want := new(big.Int).Mul(a.big(), b.big())
		if got := a.mulHigh(b).big(); got.Cmp(want.Rsh(want, 128)) != 0 {
			t.Fatalf("%x * %x: %x, want %x", a, b, got, want)
		}
	}
}

func TestTopKIsSequential(t *testing.T) {
	seed(t, 10)
	scores := []int64{3, 1, 2, -5000}
	s, d := NewSource(), decay(t, "1/2")
	counts, probs := make([]int, 16), make([]float64, 16)
	weight := func(i int) float64 { return math.Exp(float64(scores[i]) / 2) }
	total := weight(0) + weight(1) + weight(2)
	for i := range 3 {
		for j := range 3 {
			if i != j {
				probs[4*i+j] = weight(i) / total * weight(j) / (total - weight(i))
			}
		}
	}
	for range 100_000 {
		top := d.TopK(s, scores, 2)
		counts[4*top[0]+top[1]]++
	}
	stat, limit := chiSquare(counts, probs)
	mustPass(t, "the first two", stat, limit)
	if top := d.TopK(s, scores, 9); len(top) != 4 || top[3] != 3 {
		t.Errorf("all of four scores are %v", top)
	}
	if top := d.TopK(s, nil, 3); len(top) != 0 {
		t.Errorf("the best of nothing are %v", top)
	}
	if top := d.TopK(s, scores, 0); len(top) != 0 {
		t.Errorf("the best 0 are %v", top)
	}
}

// PermuteAndFlip against the sum over all orders (the definition of
// McKenna and Sheldon 2020, algorithm 1).
func TestPermuteAndFlipHasItsLaw(t *testing.T) {
	seed(t, 11)
	scores := []int64{4, 4, 3, 0}
	s, d := NewSource(), decay(t, "1/2")
	probs := make([]float64, 4)
	permutations(4, func(order []int) {
		alive := 1. / 24
		for _, i := range order {
			p := math.Exp(float64(scores[i]-4) / 2)
			probs[i] += alive * p
			alive *= 1 - p
		}
	})
	counts := make([]int, 4)
	for range 300_000 {
		counts[d.PermuteAndFlip(s, scores)]++
	}
	stat, limit := chiSquare(counts, probs)
	mustPass(t, "PermuteAndFlip", stat, limit)
}

func permutations(n int, visit func([]int)) {
	var place func(order []int)
	place = func(order []int) {
		if len(order) == n {
			visit(order)
			return
		}
	next:
		for i := range n {
			for _, j := range order {
				if i == j {
					continue next
				}
			}
			place(append(order[:len(order):len(order)], i))
		}
	}
	place(nil)
}

func TestBelowIsUniform(t *testing.T) {
	seed(t, 12)
	s := NewSource()
	for _, n := range []int{1, 2, 3, 8, 10, 33} {
		counts, probs := make([]int, n), make([]float64, n)
		for range 100_000 {
			counts[s.Below(uint64(n))]++
		}
		for i := range probs {
			probs[i] = 1 / float64(n)
		}
		stat, limit := chiSquare(counts, probs)
		mustPass(t, fmt.Sprintf("below %d", n), stat, limit)
	}
	if x := s.Below(math.MaxUint64); x == math.MaxUint64 {
		t.Error("not below")
	}
}

// Weights follow private costs: an array that has become too small for them is set to zero, since nobody would wipe it later.
func TestWeightsThatAreLeftBehindAreWiped(t *testing.T) {
	d, err := NewDecay(big.NewRat(1, 10))
	if err != nil {
		t.Fatal(err)
	}
	over := make([]uint128, 0, 4)
	c := newChooser(d, over, 100)
	for i := range uint64(100) {
		c.push(1, i)
		if i == 3 && over[:4][3] == (uint128{}) {
			t.Fatal("weights are not written over those that are given")
		}
	}
	for i, w := range over[:4] {
		if w != (uint128{}) {
			t.Errorf("weight %d is left behind", i)
		}
	}
	if len(c.weights) != 100 || c.weights[0] == (uint128{}) {
		t.Errorf("%d weights, the first %v", len(c.weights), c.weights[0])
	}
}
