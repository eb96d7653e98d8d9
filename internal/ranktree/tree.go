package ranktree

// A Tree is the noisy tree of one group during its release.
type Tree struct {
	shape  Shape
	leaves []leafCount // occupied, in order; how many records are before each
	noisy  func(exact []int64, noisy []float64)
	sigma2 float64 // variance of one count
	levels []level
	root   *node
	known  map[int64]estimate // by boundary

	exact    []int64 // scratch
	path     []step  // scratch
	nodes    slab[node]
	numbers  slab[float64]
	pointers slab[*node]
}

// tiny keeps variances away from where their inverses are infinite.
const tiny = 1e-100

// A node has the noisy counts of its children, drawn when it is made.
type node struct {
	before   []float64 // noisy count of the children before each, and of all at the end
	counts   []float64
	children []*node     // that were visited; none above leaves
	leaves   []leafCount // occupied, below the node, and the one after
}

// New returns the tree over sorted points. noisy adds noise to exact
// counts; it is called once for the children of every node that a search
// visits.
func New(shape Shape, points []int64, stdDev float64, noisy func(exact []int64, noisy []float64)) *Tree {
	t := &Tree{
		shape: shape, noisy: noisy, sigma2: max(stdDev*stdDev, tiny), leaves: shape.inOrder(points),
		exact: make([]int64, shape.Base), path: make([]step, shape.Height), known: make(map[int64]estimate, 128),
	}
	t.levels = levelsOf(shape, t.sigma2)
	t.root = t.visit(0, 0, t.leaves)
	return t
}

// child returns a child of a node of a level, which begins at a leaf.
func (t *Tree) child(level int, n *node, child int, first int64) *node {
	if n.children[child] == nil {
		n.children[child] = t.visit(level+1, first, n.leaves)
	}
	return n.children[child]
}

// visit draws the children of a node that begins at a leaf, of which some of the
// leaves of its parent are occupied. Their exact counts are wiped.
func (t *Tree) visit(level int, first int64, leaves []leafCount) *node {
	base, size := t.shape.Base, t.levels[level].size
	n := &t.nodes.take(1)[0]
	n.leaves = between(leaves, first, first+size*int64(base))
	n.before, n.counts = t.numbers.take(base+1), t.numbers.take(base)
	for rest := n.leaves; len(rest) > 1; {
		child := (rest[0].leaf - first) / size
		after := from(rest, first+(child+1)*size)
		t.exact[child] = rest[after].count - rest[0].count
		rest = rest[after:]
	}
	t.noisy(t.exact, n.counts)
	clear(t.exact)
	for i, y := range n.counts {
		n.before[i+1] = n.before[i] + y
	}
	if level < t.shape.Height-1 {
		n.children = t.pointers.take(base)
	}
	return n
}

// A slab is memory that is taken in small pieces, so that a tree of hundreds of
// nodes is not made of thousands of allocations.
type slab[T any] []T

func (s *slab[T]) take(n int) []T {
	if len(*s) < n {
		*s = make([]T, 64*n)
	}
	piece := (*s)[:n:n]
	*s = (*s)[n:]
	return piece
}
