package aggregate

import (
	"context"
	"runtime"

	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/keys"
)

// settle joins what adders have, of groups that they all number alike, and puts it in the
// order of the release. So equal numbers are equal bits, however they were collected.
func (p *Plan[Row, Unit, Group]) settle(groups []Group, adders []*adder) (*partial[Group], error) {
	all, adding := adders[0], &adders[0].adding
	for _, a := range adders[1:] {
		for i, s := range a.sums {
			if adding.stop() {
				break
			}
			all.sums[i] = all.sums[i].Add(s)
		}
		for i, l := range a.points {
			all.points[i].pages = append(all.points[i].pages, l.pages...)
		}
	}
	if err := adding.ask(); err != nil {
		return nil, err
	}
	all.countPeople(adders)
	order, err := during(adding.ctx, phaseSorting, func(context.Context) ([]uint32, error) { return p.releaseOrder(adding, groups, all.sums) })
	if err != nil {
		return nil, err
	}
	settled := &partial[Group]{
		fingerprint: p.fingerprint, groups: make([]Group, 0, len(order)),
		exacts: exacts{width: p.sums, sums: make([]exact.Int128, 0, len(order)*p.sums)},
	}
	places := make([]uint32, len(groups))
	for place, id := range order {
		places[id] = uint32(place)
		settled.groups = append(settled.groups, groups[id])
		settled.sums = append(settled.sums, all.sums[int(id)*p.sums:][:p.sums]...)
	}
	for _, l := range all.points {
		settled.lists = append(settled.lists, l.sorted(adding, places, len(order)))
	}
	for _, m := range p.measures {
		if m.form == formDistinct && adding.err == nil {
			settled.countDistinct(m)
		}
	}
	return settled, adding.ask()
}

// releaseOrder returns the groups that have a place in a Partial: those given, or else
// those that have units, in their own order.
func (p *Plan[Row, Unit, Group]) releaseOrder(adding *watch, groups []Group, sums []exact.Int128) ([]uint32, error) {
	if p.query.given() != nil {
		order := make([]uint32, len(groups))
		for i := range order {
			order[i] = uint32(i)
		}
		return order, nil
	}
	order := keys.OrderUntil(groups, adding.ends)
	if err := adding.ask(); err != nil {
		return nil, err
	}
	units := p.units().first
	n := 0
	for _, id := range order {
		if sums[int(id)*p.sums+units].Sign() > 0 {
			order[n] = id
			n++
		}
	}
	return order[:n], nil
}

// sorted returns the records by group, and sorted in each.
func (l *log) sorted(adding *watch, places []uint32, groups int) list {
	counts := make([]int, groups)
	for _, p := range l.pages {
		if adding.stop() {
			return list{}
		}
		for _, id := range p.groups {
			counts[places[id]]++
		}
	}
	sorted, at := newList(counts)
	for _, p := range l.pages {
		if adding.stop() {
			return sorted
		}
		for i, id := range p.groups {
			place := places[id]
			sorted.points[at[place]] = p.points[i]
			at[place]++
		}
	}
	sorted.sort(adding)
	return sorted
}

// tasks is in how many pieces groups are sorted.
const tasks = 64

// sort sorts the points of every group.
func (l *list) sort(adding *watch) {
	workers := max(1, min(runtime.GOMAXPROCS(0), len(l.points)/fewRows))
	inParallel(workers, tasks, func(int) func(int) {
		w := &watch{ctx: adding.ctx, doing: adding.doing}
		return func(task int) {
			for i := task * len(l.ends) / tasks; i < (task+1)*len(l.ends)/tasks && w.err == nil && w.ask() == nil; i++ {
				sortPoints(l.of(i), w)
			}
		}
	})
}
