package aggregate

import (
	"context"
	"runtime"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// A batch is how many groups get noise of one session, and fewGroups how many are not
// worth a worker.
const (
	batch     = 256
	fewGroups = 16
)

// addNoise draws the noise of a release, which must have been paid for. It is the one
// place where exact sums are read, and what it returns is public. It returns the groups
// that are selected, in an order that does not depend on that of the rows.
//
// It ends soon after ctx is done if there are more groups than a batch: what was drawn is cleared then, and nobody has seen it.
func addNoise[Group comparable](ctx context.Context, c *compiled, of *partial[Group]) (released []Group, shown *results, err error) {
	var first common
	core.InSession(func(session *core.Session) {
		first.draws = c.drawCommon(session)
		if c.drawsTwice() {
			first.near = c.drawFirst(session, &of.exacts)
		}
	})
	defer clear(first.draws)
	shown = c.newResults(len(of.groups))
	ids := make([]uint32, len(of.groups))
	ends := make([]int, (len(ids)+batch-1)/batch)
	workers := max(1, min(runtime.GOMAXPROCS(0), len(ids)/fewGroups))
	inParallel(workers, len(ends), func(int) func(int) {
		return func(i int) {
			if len(ends) > 1 && ctx.Err() != nil {
				return
			}
			from, to := i*batch, min((i+1)*batch, len(ids))
			for at := range ids[from:to] {
				ids[from+at] = uint32(from + at)
			}
			core.InSession(func(session *core.Session) {
				ends[i] = c.noisy(session, &of.exacts, ids[from:to], first, shown, from)
			})
		}
	})
	if len(ends) > 1 && ctx.Err() != nil {
		clear(shown.sums)
		clear(shown.ranks)
		return nil, nil, ctx.Err()
	}
	all := 0
	for _, n := range ends {
		all += n
	}
	released = make([]Group, 0, all)
	for i, n := range ends {
		from := i * batch
		shown.move(len(released), from, n)
		for _, id := range ids[from : from+n] {
			released = append(released, of.groups[id])
		}
	}
	shown.cut(all)
	return released, shown, nil
}

// common is what is drawn of all groups together, before each.
type common struct {
	near  bases
	draws map[*measure]int64 // the noise on the number of units in any of them
}

// noisy adds noise to groups, and puts them into results from a place on. Those that are
// selected it leaves as the first of ids, and it returns how many they are. Which they are is
// found out first, and nothing else is drawn of the others.
func (c *compiled) noisy(session *core.Session, of *exacts, ids []uint32, first common, to *results, at int) int {
	var units *measure
	if c.threshold != nil {
		units = c.units()
		ids = ids[:c.noisySums(session, units, of, ids, first, to, at)]
	}
	by := &ranker{session: session, near: first.near}
	defer by.counts.Wipe()
	for _, m := range c.measures {
		switch {
		case m == units:
		case m.form == formRanks:
			for i, id := range ids {
				m.noisyRanks(by, of.lists[m.list].of(int(id)), to.ranksOf(at+i, m))
			}
		default:
			c.noisySums(session, m, of, ids, first, to, at)
		}
	}
	return len(ids)
}

// noisySums adds noise to the sums of one measure. It returns how many groups are selected by
// it, as [compiled.noisy] does.
func (c *compiled) noisySums(session *core.Session, m *measure, of *exacts, ids []uint32, first common, to *results, at int) (selected int) {
	own, shared := m.ownParts(), first.draws[m]
	draws := session.Noise(m.law, own*len(ids))
	for i, id := range ids {
		noisy := to.sumsOf(at+selected, m)
		for j, sum := range m.centred(of.sums[int(id)*of.width+m.first:][:m.parts()]) {
			draw := shared
			if j < own {
				draw = draws[i*own+j]
			}
			noisy[j] = sum.Shl(m.shift).Add(exact.Int(draw))
		}
		if m.form == formUnits && !c.threshold.passes(noisy[0]) {
			clear(noisy)
			continue
		}
		ids[selected] = id
		selected++
	}
	return selected
}

// passes reports whether a noisy count of units is enough for its group to be
// released. Without a threshold, and without noise, every group is.
func (t *threshold) passes(noisy exact.Int128) bool {
	return t == nil || core.Noiseless() || noisy.Cmp(exact.Int(t.at)) >= 0
}
