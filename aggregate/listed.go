package aggregate

import (
	"iter"

	"github.com/equipoise-dp/equipoise/internal/keys"
)

// A listing has the groups of each unit, where nothing else is asked, as places in a list of groups.
type listing struct {
	ends   []int // of each unit
	places []uint32
}

func (l *listing) add(unit []uint32) {
	l.places = append(roomier(l.places, len(unit)), unit...)
	l.ends = append(roomier(l.ends, 1), len(l.places))
}

// roomier returns the same numbers with room for more. Those that it leaves behind are set to zero, since nobody would
// wipe them.
func roomier[T uint32 | int](numbers []T, more int) []T {
	if len(numbers)+more <= cap(numbers) {
		return numbers
	}
	larger := append(make([]T, 0, 2*cap(numbers)+more), numbers...)
	clear(numbers)
	return larger
}

func (l *listing) of(i int) []uint32 {
	begin := 0
	if i > 0 {
		begin = l.ends[i-1]
	}
	return l.places[begin:l.ends[i]:l.ends[i]]
}

// addAll adds the units of another listing, whose places are others here.
func (l *listing) addAll(from *listing, at func(uint32) uint32) {
	before := len(l.places)
	l.ends, l.places = roomier(l.ends, len(from.ends)), roomier(l.places, len(from.places))
	for _, end := range from.ends {
		l.ends = append(l.ends, before+end)
	}
	for _, place := range from.places {
		l.places = append(l.places, at(place))
	}
}

// wipe sets what is listed to zero.
func (l *listing) wipe() {
	clear(l.ends)
	clear(l.places)
}

// joined puts listings into one, and wipes them.
func joined(all []listing) (one listing) {
	units, places := 0, 0
	for _, l := range all {
		units += len(l.ends)
		places += len(l.places)
	}
	one = listing{make([]int, 0, units), make([]uint32, 0, places)}
	for i := range all {
		one.addAll(&all[i], func(place uint32) uint32 { return place })
		all[i].wipe()
	}
	return one
}

// listed returns a Partial of units that are in some of the groups, with those in the order of release.
func (p *Plan[Row, Unit, Group]) listed(w *watch, groups []Group, units listing) (*partial[Group], error) {
	part := &partial[Group]{fingerprint: p.fingerprint, units: units}
	used := make([]bool, len(groups))
	for _, id := range units.places {
		used[id] = true
	}
	places := make([]uint32, len(groups))
	for _, id := range keys.OrderUntil(groups, w.ends) {
		if used[id] {
			places[id] = uint32(len(part.groups))
			part.groups = append(part.groups, groups[id])
		}
	}
	for i, id := range units.places {
		units.places[i] = places[id]
	}
	return part, w.ask()
}

// eachUnit yields the groups of each unit, which are overwritten by the next.
func (p *partial[Group]) eachUnit() iter.Seq[[]Group] {
	return func(yield func([]Group) bool) {
		var groups []Group
		for i := range p.units.ends {
			groups = groups[:0]
			for _, place := range p.units.of(i) {
				groups = append(groups, p.groups[place])
			}
			if !yield(groups) {
				return
			}
		}
	}
}
