package ranktree

import (
	"cmp"
	"math"
	"slices"
)

// A leafCount is a leaf and a number of records.
type leafCount struct{ leaf, count int64 }

// inOrder returns the occupied leaves of a histogram of points in order, each with
// the number of records before it, and a last one beyond all of them with the number
// of all. A leaf is there once for each of its points.
func (s Shape) inOrder(histogram map[int64]int64) []leafCount {
	leaves := make([]leafCount, 0, len(histogram)+1)
	for point, count := range histogram {
		leaves = append(leaves, leafCount{s.Leaf(point), count})
	}
	sortByLeaf(leaves)
	leaves = append(leaves, leafCount{math.MaxInt64, 0})
	before := int64(0)
	for i := range leaves {
		before, leaves[i].count = before+leaves[i].count, before
	}
	return leaves
}

func byLeaf(a, b leafCount) int { return cmp.Compare(a.leaf, b.leaf) }

// sortByLeaf sorts by counting the two bytes of a leaf, where there are so many
// leaves that comparing them takes longer.
func sortByLeaf(leaves []leafCount) {
	if len(leaves) < 128 || slices.MaxFunc(leaves, byLeaf).leaf >= MaxLeaves {
		slices.SortFunc(leaves, byLeaf)
		return
	}
	other := make([]leafCount, len(leaves))
	byByte(other, leaves, 0)
	byByte(leaves, other, 8)
}

// byByte writes leaves to dst, sorted by one byte and else in their order.
func byByte(dst, leaves []leafCount, shift uint) {
	var starts [257]int
	for _, l := range leaves {
		starts[l.leaf>>shift&255+1]++
	}
	for i := range 256 {
		starts[i+1] += starts[i]
	}
	for _, l := range leaves {
		at := &starts[l.leaf>>shift&255]
		dst[*at] = l
		*at++
	}
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
