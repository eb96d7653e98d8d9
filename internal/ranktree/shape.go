// Package ranktree finds quantiles in a tree of noisy counts.
//
// Points are put into leaves, leaves into nodes of a complete tree; every node
// below the root is counted, with noise. A record is counted once on every
// level. Only the nodes that a search visits are drawn: the others would be
// independent noise that nobody reads, so leaving them out is post-processing.
// Proof: docs/proofs/quantiles.md.
package ranktree

// MaxLeaves is how many leaves a tree has, unless it is asked for more. Points beyond
// share leaves.
const MaxLeaves = 1 << 16

// A Shape is the public form of a tree.
type Shape struct {
	Base   int   // children of a node
	Height int   // levels below the root
	Width  int64 // points of a leaf
	Leaves int64 // leaves that hold points
}

// For returns the shape for points 0 … points-1, of at most MaxLeaves leaves.
func For(points int64, base int) Shape { return Up(points, base, MaxLeaves) }

// Up returns the shape for points 0 … points-1, of at most so many leaves.
func Up(points int64, base int, leaves int64) Shape {
	s := Shape{Base: base, Height: 1, Width: (points-1)/leaves + 1}
	s.Leaves = (points-1)/s.Width + 1
	if s.Leaves < int64(base) { // children that hold no leaf would only be noise
		base = int(max(s.Leaves, 2))
		s.Base = base
	}
	for size := int64(base); size < s.Leaves; size *= int64(base) {
		s.Height++
	}
	return s
}

// Leaf returns the leaf of a point.
func (s Shape) Leaf(point int64) int64 { return point / s.Width }

// Point returns the point that lies the given share into a leaf.
func (s Shape) Point(leaf int64, within float64, last int64) int64 {
	return min(leaf*s.Width+int64(within*float64(s.Width-1)+0.5), last)
}
