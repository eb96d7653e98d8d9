package aggregate

import (
	"math"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/quantile"
	"github.com/equipoise-dp/equipoise/internal/ranktree"
)

// mostLeaves is how many leaves a tree has for a value whose steps are given: as many
// as steps, so that a value that many records share is found itself.
const mostLeaves = 1 << 20

// chooseLeaves sets the tree of a measure. Where there are more points than leaves
// and bounds are wide, leaves follow magnitudes, as draws do. In earlier versions all
// leaves were of one width.
func (m *measure) chooseLeaves(branching int, earlier bool) {
	points := m.grid.Cells + 1
	m.shape = ranktree.For(points, branching)
	if earlier || m.shape.Width == 1 || points > quantile.MaxCells {
		return
	}
	if m.value.granular() {
		m.shape = ranktree.Up(points, branching, mostLeaves)
		return
	}
	if base := quantile.NewBase(m.grid.First(), points); base.Logarithmic() {
		m.cuts = base.Cut(ranktree.MaxLeaves)
		m.shape = ranktree.For(ranktree.MaxLeaves, branching)
	}
}

// leaves returns what the tree of a measure takes: points, or leaves that are not of one
// width.
func (m *measure) leaves(points []int64) []int64 {
	if m.cuts == nil {
		return points
	}
	leaves := make([]int64, len(points))
	for i, point := range points {
		leaves[i] = m.cuts.Part(point)
	}
	return leaves
}

// pointOf returns the point that lies the given share into a leaf.
func (m *measure) pointOf(leaf int64, within float64) int64 {
	if m.cuts == nil {
		return m.shape.Point(leaf, within, m.grid.Cells)
	}
	first, last := m.cuts.Cells(leaf)
	return first + int64(within*float64(last-first)+0.5)
}

// readTree reads the quantiles of one group, whose points are sorted, from a tree of noisy
// counts.
func (m *measure) readTree(session *core.Session, points []int64, to []ranked) {
	stdDev := math.Ldexp(m.law.StdDev(), -int(m.shift))
	tree := ranktree.New(m.shape, m.leaves(points), stdDev, func(counts []int64, noisy []float64) {
		m.noisyCounts(counts, session.Noise(m.law, len(counts)), noisy)
	})
	widths := m.widths()
	for i, asked := range m.quantiles {
		to[i] = m.search(tree, asked.rank, widths)
		if asked.bare {
			to[i].Lows, to[i].Highs = nil, nil
		}
	}
}

// noisyCounts adds independent draws to the counts of a tree or a ladder. A sum that fits is
// added in 64 bits, which gives the same float.
func (m *measure) noisyCounts(counts, draws []int64, noisy []float64) {
	step := math.Ldexp(1, -int(m.shift))
	for i, n := range counts {
		draw := draws[i]
		if n < 1<<62>>m.shift && -1<<62 < draw && draw < 1<<62 {
			noisy[i] = float64(n<<m.shift+draw) * step
			continue
		}
		noisy[i] = exact.Int(n).Shl(m.shift).Add(exact.Int(draw)).Float64() * step
	}
}

// widths returns how many standard deviations the intervals of the ladder reach to
// either side.
func (m *measure) widths() []float64 {
	widths, kurtosis := make([]float64, len(ladder)), m.law.TreeKurtosis()
	for i, confidence := range ladder {
		widths[i] = core.Normal(confidence, kurtosis)
	}
	return widths
}

// search reads one quantile and its intervals from a noisy tree.
func (m *measure) search(tree *ranktree.Tree, rank float64, widths []float64) ranked {
	leaf, within := tree.Descend(rank)
	r := ranked{Point: m.pointOf(leaf, within)}
	r.Lows, r.Highs = roomForEnds()
	for _, z := range widths {
		low, high := tree.Search(rank, -z), tree.Search(rank, z)
		r.Lows = append(r.Lows, min(m.pointOf(low, 0), r.Point))
		r.Highs = append(r.Highs, max(m.pointOf(high, 1), r.Point))
	}
	return r
}
