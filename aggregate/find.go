package aggregate

import (
	"maps"
	"slices"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/keys"
)

// find selects groups by the units in them, and returns nothing but which they are.
func find[Key comparable](c *compiled, units [][]Key) (released []Key, cells []Cell) {
	core.InSession(func(session *core.Session) {
		if c.finder.coin != nil {
			released = throw(session, c.finder.coin, countUnits(units, c.maxKeys, nil, func(int64) int64 { return 1 }))
			return
		}
		shown := make(map[Key]bool)
		for _, l := range c.finder.looks {
			more := see(session, l, countUnits(units, c.maxKeys, shown, l.weight))
			for _, key := range more {
				shown[key] = true
			}
			released = append(released, more...)
		}
	})
	keys.Sort(released)
	for range released {
		cells = append(cells, Cell{plan: c})
	}
	return released, cells
}

// countUnits adds up the weights of units in the first maxKeys of their groups that are
// not shown yet.
func countUnits[Key comparable](units [][]Key, maxKeys int, shown map[Key]bool, weight func(s int64) int64) map[Key]int64 {
	sums := make(map[Key]int64)
	weights := make(map[int]int64)
	for _, groups := range units {
		var left []Key
		for _, key := range groups {
			if !shown[key] && len(left) < maxKeys {
				left = append(left, key)
			}
		}
		if len(left) > 0 && weights[len(left)] == 0 {
			weights[len(left)] = weight(int64(len(left)))
		}
		for _, key := range left {
			sums[key] += weights[len(left)]
		}
	}
	return sums
}

// inOrderOfKeys returns the groups to look at, in an order that does not depend on that of
// the rows.
func inOrderOfKeys[Key comparable](groups map[Key]int64) []Key {
	found := slices.Collect(maps.Keys(groups))
	keys.Sort(found)
	return found
}

// throw throws the coin of every group, in an order that does not depend on that of
// the rows.
func throw[Key comparable](session *core.Session, c *coin, units map[Key]int64) (shown []Key) {
	for _, key := range inOrderOfKeys(units) {
		if session.Keep(c.law, units[key]) {
			shown = append(shown, key)
		}
	}
	return shown
}

// see returns the groups that one look shows.
func see[Key comparable](session *core.Session, l *look, weights map[Key]int64) (shown []Key) {
	for _, key := range inOrderOfKeys(weights) {
		if l.passes(weights[key] + session.Noise(l.law, 1)[0]) {
			shown = append(shown, key)
		}
	}
	return shown
}
