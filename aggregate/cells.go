package aggregate

import (
	"iter"

	"github.com/equipoise-dp/equipoise/internal/exact"
)

// exacts hold the exact numbers of groups, one after the other.
type exacts struct {
	width int            // sums of a group
	sums  []exact.Int128 // the parts of all measures in a row
	lists []list         // for each measure of ranks
}

// A list has the points of a measure of ranks, by group, and sorted in each.
type list struct {
	ends   []int // of each group
	points []int64
}

// A group is what exacts have of one group. Points are sorted, each as often as it is there.
type group struct {
	sums   []exact.Int128
	points [][]int64
}

// newGroup returns the group that nobody is in.
func (c *compiled) newGroup() group {
	return group{sums: make([]exact.Int128, c.sums), points: make([][]int64, c.histograms)}
}

func (e *exacts) group(i int) group {
	g := group{sums: e.sums[i*e.width:][:e.width:e.width]}
	for _, l := range e.lists {
		g.points = append(g.points, l.of(i))
	}
	return g
}

// newList returns a list with room for so many points of each group, and from where on
// those of each belong.
func newList(counts []int) (l list, from []int) {
	l.ends, from = make([]int, len(counts)), make([]int, len(counts))
	sum := 0
	for i, n := range counts {
		from[i] = sum
		sum += n
		l.ends[i] = sum
	}
	l.points = make([]int64, sum)
	return l, from
}

func (l *list) of(i int) []int64 {
	begin := 0
	if i > 0 {
		begin = l.ends[i-1]
	}
	return l.points[begin:l.ends[i]:l.ends[i]]
}

// each yields the groups in the order of their release.
func (p *partial[Group]) each() iter.Seq2[Group, group] {
	return func(yield func(Group, group) bool) {
		for i, key := range p.groups {
			if !yield(key, p.group(i)) {
				return
			}
		}
	}
}
