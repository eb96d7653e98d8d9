package ranktree

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// B10: a record is in one node of each level, and a node is drawn once.
func TestARecordCountsOnceOnEveryLevel(t *testing.T) {
	s := For(1000, 4)
	for leaf := range s.Leaves {
		total, calls := int64(0), 0
		tree := New(s, []int64{leaf}, 0, func(counts []int64, _ []float64) {
			calls++
			sum := int64(0)
			for _, n := range counts {
				sum += n
			}
			if sum > 1 {
				t.Fatalf("leaf %d: a record is counted %d times on a level", leaf, sum)
			}
			total += sum
		})
		for range 2 {
			tree.at(leaf)
		}
		if total != int64(s.Height) || calls != s.Height {
			t.Fatalf("leaf %d: counted %d times in %d draws, want %d", leaf, total, calls, s.Height)
		}
	}
}

// The counts that are handed to whoever adds noise are exact. They are wiped after.
func TestExactCountsAreWiped(t *testing.T) {
	var seen []int64
	tree := New(For(64, 4), []int64{3, 3, 3, 60}, 1, func(counts []int64, _ []float64) { seen = counts })
	tree.at(3)
	for _, n := range seen {
		if n != 0 {
			t.Fatalf("the counts %v are left", seen)
		}
	}
}

// A randomTree is a histogram and noise that depends on the node alone.
type randomTree struct {
	shape     Shape
	histogram map[int64]int64
	stdDev    float64
	seed      uint64
}

func aRandomTree(seed uint64) randomTree {
	r := rand.New(rand.NewPCG(seed, 1))
	points := 2 + r.Int64N(1<<(1+r.IntN(18)))
	rt := randomTree{For(points, []int{2, 3, 4, 16}[r.IntN(4)]), map[int64]int64{}, []float64{0.3, 5, 200}[r.IntN(3)], seed}
	centre := r.Int64N(rt.shape.Leaves)
	for range r.IntN(300) {
		leaf := centre + int64(r.NormFloat64()*float64(rt.shape.Leaves)/10)
		rt.histogram[min(max(leaf, 0), rt.shape.Leaves-1)*rt.shape.Width] += 1 + r.Int64N(20)
	}
	return rt
}

// pointsOf returns the points of a histogram, sorted, each as often as it is there.
func pointsOf(histogram map[int64]int64) (points []int64) {
	for _, point := range slices.Sorted(maps.Keys(histogram)) {
		points = append(points, slices.Repeat([]int64{point}, int(histogram[point]))...)
	}
	return points
}

// leaves returns the histogram of leaves.
func (rt randomTree) leaves() map[int64]int64 {
	leaves := map[int64]int64{}
	for point, n := range rt.histogram {
		leaves[rt.shape.Leaf(point)] += n
	}
	return leaves
}

// noise adds the noise of a node, which is named by its level and its exact counts'
// place, and which both trees visit in the same order.
func (rt randomTree) noise() func(counts []int64, noisy []float64) {
	r := rand.New(rand.NewPCG(rt.seed, 2))
	return func(counts []int64, noisy []float64) {
		for i, n := range counts {
			noisy[i] = float64(n) + math.Round(r.NormFloat64()*rt.stdDev*16)/16
		}
	}
}

// Both trees are asked the same questions in the same order, so they visit the same
// nodes in the same order and get the same noise: every answer must be the same.
func TestSearchesFindWhatThePlainTreeFinds(t *testing.T) {
	for seed := range uint64(300) {
		rt := aRandomTree(seed)
		tree := New(rt.shape, pointsOf(rt.histogram), rt.stdDev, rt.noise())
		add := rt.noise()
		plain := newPlain(rt.shape, rt.leaves(), rt.stdDev, func(counts []int64) []float64 {
			noisy := make([]float64, len(counts))
			add(counts, noisy)
			return noisy
		})
		for _, rank := range []float64{0.5, 0.013, 0.25, 0.9, 0.999} {
			for _, z := range []float64{0, -0.6745, 0.6745, -1.96, 1.96, -3.29, 3.29} {
				got, want := tree.Search(rank, z), plain.Search(rank, z)
				if got != want {
					t.Fatalf("seed %d %+v σ=%v: rank %v at z=%v is leaf %d, plainly %d", seed, rt.shape, rt.stdDev, rank, z, got, want)
				}
				for _, boundary := range []int64{got, got + 1, rt.shape.Leaves} {
					value, stdDev, _ := tree.at(boundary).excess(rank)
					plainValue, plainDev := plain.excess(boundary, rank)
					if size := 1 + math.Abs(plainValue) + plainDev; math.Abs(value-plainValue) > 1e-8*size || math.Abs(stdDev-plainDev) > 1e-8*size {
						t.Fatalf("seed %d: the excess at %d is %v ± %v, plainly %v ± %v", seed, boundary, value, stdDev, plainValue, plainDev)
					}
				}
			}
			leaf, within := tree.Descend(rank)
			plainLeaf, plainWithin := plain.descend(rank)
			if leaf != plainLeaf || math.Abs(within-plainWithin) > 1e-9 {
				t.Fatalf("seed %d: rank %v is leaf %d, %v into it, plainly %d, %v", seed, rank, leaf, within, plainLeaf, plainWithin)
			}
		}
	}
}

// Without noise a quantile is the first leaf by whose end enough records are, in
// integers: the share is written as a quotient.
func TestWithoutNoiseAQuantileIsExact(t *testing.T) {
	for seed := range uint64(200) {
		rt := aRandomTree(seed)
		rt.stdDev = 0
		tree := New(rt.shape, pointsOf(rt.histogram), 0, rt.noise())
		all := int64(0)
		for _, n := range rt.histogram {
			all += n
		}
		for _, share := range [][2]int64{{1, 2}, {1, 10}, {57, 100}, {29, 100}, {7, 10}, {999, 1000}, {1, 3}} {
			want, before := int64(0), int64(0)
			leaves := rt.leaves()
			for before += leaves[0]; before*share[1] < all*share[0] && want < rt.shape.Leaves-1; before += leaves[want] {
				want++
			}
			if got := tree.Search(float64(share[0])/float64(share[1]), 0); got != want {
				t.Fatalf("seed %d: rank %d/%d of %d records is leaf %d, want %d", seed, share[0], share[1], all, got, want)
			}
		}
	}
}

// What an estimate says of its own error is true: over 4,000 draws of the noise the
// mean square of the error is within a fifth of the variance. For normal noise that
// fails by chance with a probability below 1e-9 a check: it is off by 9 standard
// deviations, √(2/4000) each.
func TestTheVarianceOfAnEstimateIsThatOfItsError(t *testing.T) {
	s := For(256, 4)
	histogram := map[int64]int64{17: 30, 90: 12, 91: 1, 255: 40}
	r := rand.New(rand.NewPCG(7, 8))
	for _, boundary := range []int64{1, 18, 90, 200} {
		before := int64(0)
		for leaf, n := range histogram {
			if leaf < boundary {
				before += n
			}
		}
		sum, n, want := 0.0, 4000, 0.0
		for range n {
			tree := New(s, pointsOf(histogram), 3, func(counts []int64, noisy []float64) {
				for i, c := range counts {
					noisy[i] = float64(c) + 3*r.NormFloat64()
				}
			})
			value, stdDev, _ := tree.at(boundary).excess(0.3)
			want = stdDev
			d := value - (float64(before) - 0.3*83)
			sum += d * d
		}
		if ratio := sum / float64(n) / (want * want); math.Abs(ratio-1) > 0.2 {
			t.Errorf("boundary %d: the mean square of the error is %.3f of the variance", boundary, ratio)
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	s := For(1<<16, 4)
	histogram := map[int64]int64{}
	for range 1000 {
		histogram[r.Int64N(1<<16)]++
	}
	b.ReportAllocs()
	for b.Loop() {
		tree := New(s, pointsOf(histogram), 5, func(counts []int64, noisy []float64) {
			for i, n := range counts {
				noisy[i] = float64(n) + 5*r.NormFloat64()
			}
		})
		for _, z := range []float64{0, -0.67, 0.67, -1, 1, -1.28, 1.28, -1.64, 1.64, -1.96, 1.96, -2.58, 2.58, -3.29, 3.29} {
			tree.Search(0.5, z)
		}
	}
}
