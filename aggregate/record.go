package aggregate

import (
	"iter"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/quantile"
)

// newGroup returns the group that nobody is in.
func (c *compiled) newGroup() *group {
	g := &group{sums: make([]exact.Int128, c.sums), histograms: make([]map[int64]int64, c.histograms)}
	for i := range g.histograms {
		g.histograms[i] = make(map[int64]int64)
	}
	return g
}

// partsOf returns the sums of a measure.
func (g *group) partsOf(m *measure) []exact.Int128 { return g.sums[m.first : m.first+m.parts()] }

// addUnit adds what one unit contributes to one group.
func (c *compiled) addUnit(g *group, rows iter.Seq[[]int64]) {
	totals := make([]total, len(c.inputs))
	for row := range rows {
		for i, in := range c.inputs {
			if in.perUnit {
				totals[i].add(in, row[i])
			}
		}
		c.addRecords(g, false, func(i int) int64 { return row[i] })
	}
	c.addRecords(g, true, func(i int) int64 { return totals[i].point(c.inputs[i]) })
}

// addRecords adds one record to every measure that is per unit, or to every one
// that is per row.
func (c *compiled) addRecords(g *group, perUnit bool, point func(input int) int64) {
	for _, m := range c.measures {
		if m.perUnit() != perUnit {
			continue
		}
		at := int64(0)
		if m.value != nil {
			at = point(m.input)
		}
		if m.form == formRanks {
			g.histograms[m.list][at]++
		} else {
			m.record(at, g.partsOf(m))
		}
	}
}

// parts returns how many sums the measure has in a group, without the tree's.
func (m *measure) parts() int {
	switch m.form {
	case formPair:
		return 2
	case formTriple:
		return 3
	case formRanks:
		return 0
	}
	return 1
}

// perUnit reports whether a unit contributes one record to a group, rather than
// one for each row.
func (m *measure) perUnit() bool {
	return m.form == formUnits || m.value != nil && m.value.perUnit
}

// norm returns what the parts of one record amount to: their L1 norm with
// Laplace noise, their L2 norm with Gaussian noise, at most. A record of
// formRanks counts once on each level of the tree, which [measure.levels] says.
//
// Pair: x and w-x, both at least 0, add up to w; the L2 norm is at most the L1
// norm. Triple, Laplace: (w-x)², 2x(w-x), x² add up to w². Triple, Gaussian:
// (w-2x)(w-x), 4x(w-x), x(2x-w), whose squares add up to at most w⁴, with
// equality at 0, w/2 and w. Proof: docs/proofs/moments.md.
func (m *measure) norm() *big.Int {
	switch m.form {
	case formTotal:
		return big.NewInt(m.grid.Largest())
	case formPair:
		return big.NewInt(m.grid.Cells)
	case formTriple:
		w := big.NewInt(m.grid.Cells)
		return w.Mul(w, w)
	}
	return big.NewInt(1)
}

// levels returns how often a record is counted: on each level of a tree, or of the
// ladder that ends of intervals are read from.
func (m *measure) levels() int64 {
	switch {
	case m.drawing != nil:
		return quantile.Counted(m.drawing.base, len(m.drawing.ranks))
	case m.form == formRanks:
		return int64(m.shape.Height)
	}
	return 1
}

// record writes the parts of a record at a point of the grid.
func (m *measure) record(point int64, parts []exact.Int128) {
	add := func(i int, x exact.Int128) { parts[i] = parts[i].Add(x) }
	switch m.form {
	case formRows, formUnits:
		add(0, exact.Int(1))
	case formTotal:
		add(0, exact.Int(m.grid.First()+point))
	case formPair:
		add(0, exact.Int(m.grid.Cells-point))
		add(1, exact.Int(point))
	case formTriple:
		for i, x := range triple(m.law.Family, point, m.grid.Cells) {
			add(i, x)
		}
	}
}

// triple returns the parts of formTriple: Bernstein's basis for Laplace noise,
// Lagrange's at 0, w/2 and w for Gaussian noise, times w².
func triple(f core.Family, x, w int64) [3]exact.Int128 {
	if f == core.Laplace {
		return [3]exact.Int128{exact.Mul(w-x, w-x), exact.Mul(2*x, w-x), exact.Mul(x, x)}
	}
	return [3]exact.Int128{exact.Mul(w-2*x, w-x), exact.Mul(4*x, w-x), exact.Mul(x, 2*x-w)}
}
