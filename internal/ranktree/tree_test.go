package ranktree

import "testing"

// B10: a record is in one node of each level, and a node is drawn once.
func TestB10ARecordCountsOnceOnEveryLevel(t *testing.T) {
	s := For(1000, 4)
	for leaf := range s.Leaves {
		total, calls := int64(0), 0
		tree := New(s, map[int64]int64{leaf: 1}, 0, func(counts []int64) []float64 {
			calls++
			sum := int64(0)
			ys := make([]float64, len(counts))
			for i, n := range counts {
				sum += n
				ys[i] = 1e9 + float64(calls) // a sign of this draw
			}
			if sum > 1 {
				t.Fatalf("leaf %d: a record is counted %d times on a level", leaf, sum)
			}
			total += sum
			return ys
		})
		for at := n(0); at.level < s.Height; {
			a := tree.children(at.node)
			if b := tree.children(at.node); a[0] != b[0] || a[0] < 1e9 {
				t.Fatalf("node %+v was drawn twice, or is not what was drawn", at)
			}
			size := s.size(at.level + 1)
			at.node = node{at.level + 1, leaf / size * size}
		}
		if total != int64(s.Height) || calls != s.Height {
			t.Fatalf("leaf %d: counted %d times in %d draws, want %d", leaf, total, calls, s.Height)
		}
	}
}

type at struct{ node }

func n(level int) at { return at{node{level, 0}} }
