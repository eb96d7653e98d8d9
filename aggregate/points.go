package aggregate

import (
	"math/bits"
	"slices"
)

// fewPoints are sorted in less than a moment.
const fewPoints = 1 << 14

// sortPoints sorts points, none of which is negative, in the memory that they are in. It ends when it must: then they are in any order.
func sortPoints(points []int64, sorting *watch) {
	if len(points) > fewPoints {
		sortByDigit(points, max(0, bits.Len64(uint64(slices.Max(points)))-8), sorting)
		return
	}
	slices.Sort(points)
}

// sortByDigit sorts points of which all digits above one of eight bits are equal: it puts each where its digit
// belongs (American flag sort: McIlroy, Bostic, McIlroy 1993), and then sorts those of each digit.
func sortByDigit(points []int64, shift int, sorting *watch) {
	if len(points) <= fewPoints {
		if !sorting.ends() {
			slices.Sort(points)
		}
		return
	}
	var next, ends [256]int
	for _, at := range points {
		ends[uint64(at)>>shift&255]++
	}
	sum := 0
	for d, n := range ends {
		next[d], ends[d] = sum, sum+n
		sum += n
	}
	begin := 0
	for d, end := range ends {
		for ; next[d] < end; next[d]++ {
			for of := uint64(points[next[d]]) >> shift & 255; int(of) != d; of = uint64(points[next[d]]) >> shift & 255 {
				if sorting.stop() {
					return
				}
				points[next[d]], points[next[of]] = points[next[of]], points[next[d]]
				next[of]++
			}
		}
	}
	if shift == 0 {
		return
	}
	for _, end := range ends {
		sortByDigit(points[begin:end], max(0, shift-8), sorting)
		begin = end
	}
}
