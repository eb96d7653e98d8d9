package ranktree

import (
	"cmp"
	"slices"
)

// Descend returns the leaf of a quantile, and how far into it the quantile is, in
// [0, 1]. It goes down from the root: at each node the noisy counts of the
// children are moved to the nearest counts that are not negative and add up to
// what the node itself was found to hold, and the child in which the rank falls is
// next. What is near 0 so becomes 0, however deep it lies, where a sum of noisy
// counts would lead the search into empty leaves. It reads what [Tree.Search]
// reads, and is no part of the privacy proof.
func (t *Tree) Descend(rank float64) (leaf int64, within float64) {
	n := t.root
	mass := max(n.before[t.shape.Base], 0)
	want := rank * mass
	for level, l := range t.levels {
		counts := project(n.counts, mass)
		child, before := pick(counts, want)
		mass, want = counts[child], min(max(want-before, 0), counts[child])
		leaf += int64(child) * l.size
		if level < len(t.levels)-1 {
			n = t.child(level, n, child, leaf)
		}
	}
	if mass > 0 {
		return min(leaf, t.shape.Leaves-1), want / mass
	}
	return min(leaf, t.shape.Leaves-1), 0.5
}

// pick returns the first count by which the wanted sum is reached, and the sum of
// those before it.
func pick(counts []float64, want float64) (j int, before float64) {
	last, sum := 0, 0.0
	for i, x := range counts {
		if x > 0 {
			last, before = i, sum
			if sum += x; sum >= want*(1-1e-12) {
				break
			}
		}
	}
	return last, before
}

// project returns the counts of the given sum, none of them negative, that are
// nearest to some in squares: all are moved by one amount, and what becomes
// negative is 0 (Held, Wolfe, Crowder 1974).
func project(counts []float64, sum float64) []float64 {
	sorted := slices.Clone(counts)
	slices.SortFunc(sorted, func(a, b float64) int { return cmp.Compare(b, a) })
	total, move := 0.0, 0.0
	for i, x := range sorted {
		total += x
		if m := (total - sum) / float64(i+1); x >= m {
			move = m
		}
	}
	projected := make([]float64, len(counts))
	for i, x := range counts {
		projected[i] = max(x-move, 0)
	}
	return projected
}
