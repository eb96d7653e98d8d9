package aggregate

import (
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/keys"
)

// find selects groups by the units in them, and returns nothing but which they are. It ends soon after ctx is done if there are more
// units or groups than a watch takes for a moment: nobody has seen what was drawn.
func find[Group comparable](ctx context.Context, c *compiled, sums *partial[Group]) (released []Group, shown *results, err error) {
	finding := &watch{ctx: ctx, doing: phaseDrawing}
	core.InSession(func(session *core.Session) {
		if c.finder.coin != nil {
			released = throw(finding, session, c.finder.coin, countUnits(finding, sums.eachUnit(), c.maxGroups, nil, func(int64) int64 { return 1 }))
			return
		}
		shown := make(map[Group]bool)
		for _, l := range c.finder.looks {
			more := see(finding, session, l, countUnits(finding, sums.eachUnit(), c.maxGroups, shown, l.weight))
			for _, key := range more {
				shown[key] = true
			}
			released = append(released, more...)
		}
	})
	if finding.err != nil {
		clear(released)
		return nil, nil, ctx.Err()
	}
	keys.Sort(released)
	return released, c.newResults(len(released)), nil
}

// countUnits adds up the weights of units in the first maxGroups of their groups that are
// not shown yet.
func countUnits[Group comparable](finding *watch, units iter.Seq[[]Group], maxGroups int, shown map[Group]bool, weight func(s int64) int64) map[Group]int64 {
	sums := make(map[Group]int64)
	weights := make(map[int]int64)
	for groups := range units {
		if finding.stop() {
			break
		}
		var left []Group
		for _, key := range groups {
			if !shown[key] && len(left) < maxGroups {
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

// groupsInOrder returns the groups to look at, in an order that does not depend on that of
// the rows.
func groupsInOrder[Group comparable](groups map[Group]int64) []Group {
	found := slices.Collect(maps.Keys(groups))
	keys.Sort(found)
	return found
}

// throw throws the coin of every group, in an order that does not depend on that of
// the rows.
func throw[Group comparable](finding *watch, session *core.Session, c *coin, units map[Group]int64) (shown []Group) {
	for _, key := range groupsInOrder(units) {
		if finding.stop() {
			break
		}
		if session.Keep(c.law, units[key]) {
			shown = append(shown, key)
		}
	}
	return shown
}

// see returns the groups that one look shows.
func see[Group comparable](finding *watch, session *core.Session, l *look, weights map[Group]int64) (shown []Group) {
	for _, key := range groupsInOrder(weights) {
		if finding.stop() {
			break
		}
		if l.passes(weights[key] + session.Noise(l.law, 1)[0]) {
			shown = append(shown, key)
		}
	}
	return shown
}
