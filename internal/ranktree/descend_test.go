package ranktree

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Without noise the leaf is that of the quantile, and so is the place in it.
func TestDescendFindsTheQuantile(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		s := For(1+r.Int64N(70_000), 2+r.IntN(15))
		var starts, points []int64
		for range 1 + r.IntN(60) {
			leaf := s.Leaf(r.Int64N(s.Leaves*s.Width) >> r.IntN(10))
			starts = append(starts, leaf*s.Width)
			points = append(points, leaf)
		}
		slices.Sort(points)
		slices.Sort(starts)
		tree := New(s, starts, 0, func(counts []int64, ys []float64) {
			for i, n := range counts {
				ys[i] = float64(n)
			}
		})
		for range 10 {
			rank := r.Float64()
			want := points[max(int(math.Ceil(rank*float64(len(points))))-1, 0)]
			leaf, within := tree.Descend(rank)
			if leaf != want || within < 0 || within > 1 {
				t.Fatalf("rank %v of %v: leaf %d, %v of it, want %d", rank, points, leaf, within, want)
			}
			if old := tree.Search(rank, 0); old != leaf {
				t.Fatalf("rank %v of %v: Search finds %d, Descend %d", rank, points, old, leaf)
			}
		}
	}
}

// What is projected has its sum, is not negative, and is nearest: moving a little
// from one count to another comes no nearer.
func TestProjectIsNearest(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 2000 {
		counts := make([]float64, 1+r.IntN(16))
		for i := range counts {
			counts[i] = 10 * r.NormFloat64()
		}
		sum := math.Abs(10 * r.NormFloat64())
		if r.IntN(5) == 0 {
			sum = 0
		}
		got := project(counts, sum)
		total := 0.0
		for _, x := range got {
			total += x
		}
		if math.Abs(total-sum) > 1e-9 || slices.Min(got) < 0 {
			t.Fatalf("%v of sum %v is %v", counts, sum, got)
		}
		for i := range got {
			for j := range got {
				const step = 1e-4
				if i != j && got[i] >= step && (got[i]-counts[i])-(got[j]-counts[j]) > step+1e-9 {
					t.Fatalf("%v of sum %v is %v: a step from %d to %d is nearer", counts, sum, got, i, j)
				}
			}
		}
	}
}

// A tree whose counts are all negative still has a leaf.
func TestDescendOfNothing(t *testing.T) {
	s := For(1000, 4)
	tree := New(s, nil, 1, func(counts []int64, ys []float64) {
		for i := range ys {
			ys[i] = -5
		}
	})
	if leaf, within := tree.Descend(0.5); leaf < 0 || leaf >= s.Leaves || within != 0.5 {
		t.Errorf("leaf %d, %v of it", leaf, within)
	}
}
