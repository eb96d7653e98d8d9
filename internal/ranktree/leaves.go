package ranktree

import "math"

// A leafCount is a leaf and the number of records before it.
type leafCount struct{ leaf, count int64 }

// inOrder returns the occupied leaves of sorted points, each with the number of records
// before it, and a last one beyond all of them with the number of all.
func (s Shape) inOrder(points []int64) []leafCount {
	leaves := make([]leafCount, 0, len(points)+1)
	for i, point := range points {
		if leaf := s.Leaf(point); len(leaves) == 0 || leaves[len(leaves)-1].leaf != leaf {
			leaves = append(leaves, leafCount{leaf, int64(i)})
		}
	}
	return append(leaves, leafCount{math.MaxInt64, int64(len(points))})
}

// between returns the leaves from one on and before another, and the one after them.
func between(leaves []leafCount, first, end int64) []leafCount {
	leaves = leaves[from(leaves, first):]
	return leaves[:from(leaves, end)+1]
}

// from returns the place of the first leaf that is not before a leaf. The last of the
// leaves is never before it.
func from(leaves []leafCount, leaf int64) int {
	low, high := 0, len(leaves)-1
	for low < high {
		if mid := (low + high) / 2; leaves[mid].leaf < leaf {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}
