package ranktree

import (
	"math"

	"github.com/equipoise-dp/equipoise/internal/search"
)

// An estimate is what the counts on the path to a boundary say about it: the
// records before it and all records, and how their errors go together. The error of
// before is slope times that of all, and a term that is independent of it.
//
// Estimates are linear in what is asked for, so that one solution of a path serves
// every rank and every confidence.
type estimate struct {
	before, all           float64
	slope, allVar, ownVar float64
}

// A level is what is public of the nodes on one level of a path. Every child has
// the variance of a count but the one that the path goes through, whose own count
// is averaged with the sum of its children.
type level struct {
	size    int64   // leaves of a child
	pathVar float64 // variance of the child on the path
	own     float64 // weight of its own count in the average
	sumVar  float64 // variance of the sum of all children
}

func levelsOf(s Shape, sigma2 float64) []level {
	levels := make([]level, s.Height)
	size, pathVar, own := int64(1), sigma2, 1.0
	for i := s.Height - 1; i >= 0; i-- {
		sumVar := float64(s.Base-1)*sigma2 + pathVar
		levels[i] = level{size, pathVar, own, sumVar}
		size *= int64(s.Base)
		pathVar = 1 / (1/sigma2 + 1/sumVar)
		own = pathVar / sigma2
	}
	return levels
}

// A step of a path is a node and the child through which the path goes on.
type step struct {
	node  *node
	child int
}

// at returns the estimate of the records before a boundary.
func (t *Tree) at(boundary int64) estimate {
	if e, ok := t.known[boundary]; ok {
		return e
	}
	all := t.root.before[t.shape.Base]
	e := estimate{before: all, all: all, slope: 1, allVar: float64(t.shape.Base) * t.sigma2, ownVar: 0} // the end of the tree has no path
	if boundary < t.levels[0].size*int64(t.shape.Base) {
		t.descend(boundary)
		e = t.solve()
	}
	t.known[boundary] = e
	return e
}

// descend finds the path to the leaf after a boundary.
func (t *Tree) descend(boundary int64) {
	n, first := t.root, int64(0)
	for i, l := range t.levels {
		child := (boundary - first) / l.size
		first += child * l.size
		t.path[i] = step{n, int(child)}
		if i == len(t.levels)-1 {
			return
		}
		n = t.child(i, n, int(child), first)
	}
}

// solve estimates by generalised least squares over the counts on the path (Hay,
// Rastogi, Miklau, Suciu 2010, Theorem 3, for the nodes that are known), from the
// leaf up. before is slope·all + rest with independent terms, in every subtree.
func (t *Tree) solve() estimate {
	var e estimate
	rest := 0.0
	for i := len(t.path) - 1; i >= 0; i-- {
		l, n, child := t.levels[i], t.path[i].node, t.path[i].child
		path := n.counts[child]
		if i < len(t.path)-1 {
			path = l.own*path + (1-l.own)*e.all
		}
		left, right := float64(child), float64(t.shape.Base-1-child)
		all := n.before[len(n.counts)] - n.counts[child] + path
		slope := (left*t.sigma2 + e.slope*l.pathVar) / l.sumVar
		rest += n.before[child] + e.slope*path - slope*all
		e.ownVar += ((1-slope)*(1-slope)*left+slope*slope*right)*t.sigma2 + (e.slope-slope)*(e.slope-slope)*l.pathVar
		e.all, e.allVar, e.slope = all, l.sumVar, slope
	}
	e.before = e.slope*e.all + rest
	return e
}

// excess returns how many more records are before the boundary than the rank asks
// for, the standard deviation of that, and how much of it can be rounding.
func (e estimate) excess(rank float64) (value, stdDev, tie float64) {
	variance := (e.slope-rank)*(e.slope-rank)*e.allVar + e.ownVar
	return e.before - rank*e.all, math.Sqrt(variance), rounding * (math.Abs(e.before) + math.Abs(e.all))
}

// rounding is more than what floating point loses of a count, and tiesWithin more
// than what it loses of an excess in standard deviations: a tie counts as one.
const (
	rounding   = 1e-13
	tiesWithin = 1e-7
)

// Search returns the first leaf by whose end the noisy count of records,
// less the rank's share of all, is at least z standard deviations of itself.
// With -z and z it is an interval for the quantile. The estimate itself is found
// by [Tree.Descend].
func (t *Tree) Search(rank, z float64) (leaf int64) {
	leaf, _ = search.Edge(t.shape.Leaves-1, -1, nil, func(leaf int64) bool {
		value, stdDev, tie := t.at(leaf + 1).excess(rank)
		return value >= (z-tiesWithin)*stdDev-tie
	})
	return leaf
}
