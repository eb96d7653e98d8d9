package ranktree

import (
	"math"
	"slices"

	"github.com/equipoise-dp/equipoise/internal/search"
)

// sizeOf returns how many leaves are below a node of a level.
func sizeOf(s Shape, level int) int64 {
	size := int64(1)
	for range s.Height - level {
		size *= int64(s.Base)
	}
	return size
}

// A plainTree is the tree as it is written down in docs/proofs/quantiles.md: it solves
// the whole path again for every question.
type plainTree struct {
	shape  Shape
	leaves []int64 // occupied leaves, sorted
	prefix []int64 // exact count of the leaves before
	noisy  func(exact []int64) []float64
	sigma2 float64 // variance of one count
	drawn  map[plainNode][]float64
}

// A plainNode is named by its level, 0 for the root, and its first leaf.
type plainNode struct {
	level int
	first int64
}

// newPlain returns the tree over a histogram of leaves. noisy adds noise to exact
// counts; it is called once for the children of every node that a search
// visits.
func newPlain(shape Shape, histogram map[int64]int64, stdDev float64, noisy func([]int64) []float64) *plainTree {
	t := &plainTree{shape: shape, noisy: noisy, sigma2: max(stdDev*stdDev, tiny), drawn: make(map[plainNode][]float64)}
	for leaf := range histogram {
		t.leaves = append(t.leaves, leaf)
	}
	slices.Sort(t.leaves)
	t.prefix = make([]int64, 1, len(t.leaves)+1)
	for i, leaf := range t.leaves {
		t.prefix = append(t.prefix, t.prefix[i]+histogram[leaf])
	}
	return t
}

// count returns the exact count of leaves in [from, to).
func (t *plainTree) count(from, to int64) int64 {
	i, _ := slices.BinarySearch(t.leaves, from)
	j, _ := slices.BinarySearch(t.leaves, to)
	return t.prefix[j] - t.prefix[i]
}

// children returns the noisy counts below a node, drawn at the first visit.
func (t *plainTree) children(n plainNode) []float64 {
	if ys := t.drawn[n]; ys != nil {
		return ys
	}
	size := sizeOf(t.shape, n.level+1)
	counts := make([]int64, t.shape.Base)
	for j := range counts {
		first := n.first + int64(j)*size
		counts[j] = t.count(first, first+size)
	}
	ys := t.noisy(counts)
	clear(counts)
	t.drawn[n] = ys
	return ys
}

// part is what is known of one subtree: the sum of its children and, for the
// linear functional D that is asked for, D = alpha·(sum) + rest with
// independent terms.
type part struct{ sum, sumVar, alpha, rest, restVar float64 }

// below estimates the functional D = Σ weight(leaf)·count(leaf) in a subtree by
// generalised least squares over the counts on the path to a boundary (Hay,
// Rastogi, Miklau, Suciu 2010, Theorem 3, for the nodes that are known). Leaves
// before the boundary weigh left, the others right.
func (t *plainTree) below(n plainNode, boundary int64, left, right float64) part {
	size := sizeOf(t.shape, n.level+1)
	ys := t.children(n)
	path := (boundary - n.first) / size
	var p part
	weights := make([]float64, len(ys))
	values := make([]float64, len(ys))
	variances := make([]float64, len(ys))
	for j, y := range ys {
		weights[j], values[j], variances[j] = right, y, t.sigma2
		if int64(j) < path {
			weights[j] = left
		}
	}
	if n.level+1 < t.shape.Height && path < int64(len(ys)) {
		child := t.below(plainNode{n.level + 1, n.first + path*size}, boundary, left, right)
		variances[path] = 1 / (1/t.sigma2 + 1/child.sumVar)
		values[path] = variances[path] * (ys[path]/t.sigma2 + child.sum/child.sumVar)
		weights[path], p.rest, p.restVar = child.alpha, child.rest, child.restVar
	}
	for j := range ys {
		p.sum += values[j]
		p.sumVar += variances[j]
		p.alpha += weights[j] * variances[j]
	}
	p.alpha /= p.sumVar
	for j := range ys {
		p.rest += (weights[j] - p.alpha) * values[j]
		p.restVar += (weights[j] - p.alpha) * (weights[j] - p.alpha) * variances[j]
	}
	return p
}

// excess estimates how many more records are before the boundary than the rank
// asks for, and the standard deviation of the estimate.
func (t *plainTree) excess(boundary int64, rank float64) (value, stdDev float64) {
	p := t.below(plainNode{}, boundary, 1-rank, -rank)
	return p.alpha*p.sum + p.rest, math.Sqrt(p.alpha*p.alpha*p.sumVar + p.restVar)
}

// Search returns the first leaf by whose end the noisy count of records,
// less the rank's share of all, is at least z standard deviations of itself.
// With z = 0 it is the estimate of the quantile; with -z and z it is an
// interval for it.
func (t *plainTree) Search(rank, z float64) (leaf int64) {
	leaf, _ = search.Edge(t.shape.Leaves-1, -1, nil, func(leaf int64) bool {
		value, stdDev := t.excess(leaf+1, rank)
		return value >= (z-tiesWithin)*stdDev
	})
	return leaf
}

// descend is Descend, from counts that are looked up by name.
func (t *plainTree) descend(rank float64) (leaf int64, within float64) {
	n := plainNode{}
	mass := 0.0
	for _, y := range t.children(n) {
		mass += y
	}
	mass = max(mass, 0)
	want := rank * mass
	for n.level < t.shape.Height {
		counts := project(t.children(n), mass)
		j, before := pick(counts, want)
		mass, want = counts[j], min(max(want-before, 0), counts[j])
		n = plainNode{n.level + 1, n.first + int64(j)*sizeOf(t.shape, n.level+1)}
	}
	if mass > 0 {
		return min(n.first, t.shape.Leaves-1), want / mass
	}
	return min(n.first, t.shape.Leaves-1), 0.5
}
