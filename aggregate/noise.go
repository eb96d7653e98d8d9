package aggregate

import (
	"iter"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/keys"
)

// addNoise draws the noise of a release, which must have been paid for. It is the one
// place where exact sums are read, and what it returns is public. It returns the groups
// that are selected, in an order that does not depend on that of the rows.
func addNoise[Key comparable](c *compiled, given []Key, groups map[Key]*group) (released []Key, cells []Cell) {
	core.InSession(func(session *core.Session) {
		near := make(bases)
		if c.drawsTwice() {
			near = drawFirst(c, session, inTurn(c, given, groups))
		}
		for key, g := range inTurn(c, candidates(given, groups), groups) {
			if cell, ok := c.noisy(session, g, near); ok {
				released, cells = append(released, key), append(cells, cell)
			}
		}
	})
	return released, cells
}

// inTurn yields the groups of some keys, also those without rows.
func inTurn[Key comparable](c *compiled, keys []Key, groups map[Key]*group) iter.Seq2[Key, *group] {
	return func(yield func(Key, *group) bool) {
		for _, key := range keys {
			g := groups[key]
			if g == nil {
				g = c.newGroup()
			}
			if !yield(key, g) {
				return
			}
		}
	}
}

// candidates returns the groups to look at: those given, or those that have
// rows, in an order that does not depend on that of the rows.
func candidates[Key comparable, Any any](given []Key, groups map[Key]Any) []Key {
	if given != nil {
		return given
	}
	var found []Key
	for k := range groups {
		found = append(found, k)
	}
	keys.Sort(found)
	return found
}

// noisy adds noise to a group. It reports false if the group is not selected.
func (c *compiled) noisy(session *core.Session, g *group, near bases) (cell Cell, ok bool) {
	cell = Cell{plan: c, sums: make([]*big.Int, 0, c.sums)}
	for _, m := range c.measures {
		if m.form == formRanks {
			cell.ranks = append(cell.ranks, m.noisyRanks(session, g.histograms[m.list], near))
			continue
		}
		for i, draw := range session.Noise(m.law, m.parts()) {
			sum := partsOf(m, g.sums)[i].Shl(m.shift).Add(exact.Int(draw))
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
