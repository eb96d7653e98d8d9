package aggregate

import (
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// addNoise draws the noise of a release, which must have been paid for. It is the one
// place where exact sums are read, and what it returns is public. It returns the groups
// that are selected, in an order that does not depend on that of the rows.
func addNoise[Group comparable](c *compiled, exact *partial[Group]) (released []Group, cells []Cell) {
	core.InSession(func(session *core.Session) {
		first := common{draws: c.drawCommon(session)}
		if c.drawsTwice() {
			first.near = drawFirst(c, session, exact.each())
		}
		for key, g := range exact.each() {
			if cell, ok := c.noisy(session, g, first); ok {
				released, cells = append(released, key), append(cells, cell)
			}
		}
	})
	return released, cells
}

// common is what is drawn of all groups together, before each.
type common struct {
	near  bases
	draws map[*measure]int64 // the noise on the number of units in any of them
}

// noisy adds noise to a group. It reports false if the group is not selected.
func (c *compiled) noisy(session *core.Session, g group, first common) (cell Cell, ok bool) {
	cell = Cell{plan: c, sums: make([]*big.Int, 0, c.sums)}
	for _, m := range c.measures {
		if m.form == formRanks {
			cell.ranks = append(cell.ranks, m.noisyRanks(session, histogramOf(g.points[m.list]), first.near))
			continue
		}
		sums := m.centred(partsOf(m, g.sums))
		for i, draw := range m.drawn(session, first) {
			sum := sums[i].Shl(m.shift).Add(exact.Int(draw))
			if m.form == formUnits && !c.threshold.passes(sum) {
				return cell, false
			}
			cell.sums = append(cell.sums, sum.Big())
		}
	}
	return cell, true
}

// passes reports whether a noisy count of units is enough for its group to be
// released. Without a threshold, and without noise, every group is.
func (t *threshold) passes(noisy exact.Int128) bool {
	return t == nil || core.Noiseless() || noisy.Cmp(exact.Int(t.at)) >= 0
}
