// Package ranktree finds quantiles in a tree of noisy counts.
//
// Points are put into leaves, leaves into nodes of a complete tree; every node
// below the root is counted, with noise. A record is counted once on every
// level. Only the nodes that a search visits are drawn: the others would be
// independent noise that nobody reads, so leaving them out is post-processing.
// Proof: docs/proofs/quantiles.md.
package ranktree

import (
	"math"
	"slices"

	"github.com/equipoise-dp/equipoise/internal/search"
)

// MaxLeaves is how many leaves a tree has at most. Points beyond share leaves.
const MaxLeaves = 1 << 16

// A Shape is the public form of a tree.
type Shape struct {
	Base   int   // children of a node
	Height int   // levels below the root
	Width  int64 // points of a leaf
	Leaves int64 // leaves that hold points
}

// For returns the shape for points 0 … points-1.
func For(points int64, base int) Shape {
	s := Shape{Base: base, Height: 1, Width: (points-1)/MaxLeaves + 1}
	s.Leaves = (points-1)/s.Width + 1
	for size := int64(base); size < s.Leaves; size *= int64(base) {
		s.Height++
	}
	return s
}

// Leaf returns the leaf of a point.
func (s Shape) Leaf(point int64) int64 { return point / s.Width }

// size returns how many leaves are below a node of a level.
func (s Shape) size(level int) int64 {
	size := int64(1)
	for range s.Height - level {
		size *= int64(s.Base)
	}
	return size
}

// A Tree is the noisy tree of one group during its release.
type Tree struct {
	shape  Shape
	leaves []int64 // occupied leaves, sorted
	prefix []int64 // exact count of the leaves before
	noisy  func(exact []int64) []float64
	sigma2 float64 // variance of one count
	drawn  map[node][]float64
}

// tiny keeps variances away from where their inverses are infinite.
const tiny = 1e-100

// A node is named by its level, 0 for the root, and its first leaf.
type node struct {
	level int
	first int64
}

// New returns the tree over a histogram of leaves. noisy adds noise to exact
// counts; it is called once for the children of every node that a search
// visits.
func New(shape Shape, histogram map[int64]int64, stdDev float64, noisy func([]int64) []float64) *Tree {
	t := &Tree{shape: shape, noisy: noisy, sigma2: max(stdDev*stdDev, tiny), drawn: make(map[node][]float64)}
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
func (t *Tree) count(from, to int64) int64 {
	i, _ := slices.BinarySearch(t.leaves, from)
	j, _ := slices.BinarySearch(t.leaves, to)
	return t.prefix[j] - t.prefix[i]
}

// children returns the noisy counts below a node, drawn at the first visit.
func (t *Tree) children(n node) []float64 {
	if ys := t.drawn[n]; ys != nil {
		return ys
	}
	size := t.shape.size(n.level + 1)
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
func (t *Tree) below(n node, boundary int64, left, right float64) part {
	size := t.shape.size(n.level + 1)
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
		child := t.below(node{n.level + 1, n.first + path*size}, boundary, left, right)
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
func (t *Tree) excess(boundary int64, rank float64) (value, stdDev float64) {
	p := t.below(node{}, boundary, 1-rank, -rank)
	return p.alpha*p.sum + p.rest, math.Sqrt(p.alpha*p.alpha*p.sumVar + p.restVar)
}

// Search returns the first leaf by whose end the noisy count of records,
// less the rank's share of all, is at least z standard deviations of itself.
// With -z and z it is an interval for the quantile. The estimate itself is found
// by [Tree.Descend].
func (t *Tree) Search(rank, z float64) (leaf int64) {
	leaf, _ = search.Edge(t.shape.Leaves-1, -1, nil, func(leaf int64) bool {
		value, stdDev := t.excess(leaf+1, rank)
		return value >= (z-rounding)*stdDev
	})
	return leaf
}

// rounding is more than what floating point adds to an excess, in standard
// deviations, so that a tie counts as one.
const rounding = 1e-7

// Point returns the point that lies the given share into a leaf.
func (s Shape) Point(leaf int64, within float64, last int64) int64 {
	return min(leaf*s.Width+int64(within*float64(s.Width-1)+0.5), last)
}
