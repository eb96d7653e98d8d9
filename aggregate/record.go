package aggregate

import (
	"iter"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

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
			m.record(at, partsOf(m, g.sums))
		}
	}
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
