package aggregate

import (
	"context"
	"hash/maphash"
	"iter"
	"time"
)

// A booth has what a unit could vote with: the row that was chosen so far, or its sums.
type booth[Group comparable] struct {
	rows     uint64
	point    int64
	priority uint64
	at       time.Time
	sums     map[Group]*total
}

// count yields the votes of units, one of each. Which of its numbers a unit votes with follows
// from a seed, which knows nothing of the rows, and from the unit's own rows in their order: so
// whoever else is there changes nothing about a vote. The plan of votes lets one of each unit
// count in any case.
func (p *BoundsPlan[T, Row, Unit, Group]) count(ctx context.Context, rows iter.Seq2[Row, error]) iter.Seq2[vote[Unit], error] {
	return func(yield func(vote[Unit], error) bool) {
		seed, booths := maphash.MakeSeed(), make(map[Unit]*booth[Group])
		if p.query.Retention != nil {
			rows = p.query.Retention.recent(time.Now(), rows)
		}
		reading := &watch{ctx: ctx, doing: phaseReading}
		for row, err := range rows {
			if err != nil {
				yield(vote[Unit]{}, err)
				return
			}
			if reading.ask() != nil {
				return // the plan of votes asks too, and says so
			}
			p.visit(seed, booths, row)
		}
		for unit, b := range booths {
			point := b.point
			if p.value.perUnit {
				point = choose(seed, unit, b.sums).point(input{p.value, p.sizes.grid})
			}
			if !yield(vote[Unit]{unit, p.sizes.of(point), b.at}, nil) {
				return
			}
		}
	}
}

// visit adds a row to what its unit can vote with.
func (p *BoundsPlan[T, Row, Unit, Group]) visit(seed maphash.Seed, booths map[Unit]*booth[Group], row Row) {
	group := p.query.groupOf(row)
	if p.query.Groups != nil && !p.given[group] {
		return
	}
	unit := p.query.Unit(row)
	b := booths[unit]
	if b == nil {
		b = new(booth[Group])
		booths[unit] = b
	}
	if p.query.Retention != nil {
		if at := p.query.Retention.Time(row); at.After(b.at) {
			b.at = at
		}
	}
	amount := p.read(row)
	if p.value.perUnit {
		b.add(input{p.value, p.sizes.grid}, group, amount)
		return
	}
	b.rows++
	if priority := maphash.Comparable(seed, numberedRow{maphash.Comparable(seed, unit), b.rows}); b.rows == 1 || priority < b.priority {
		b.point, b.priority = amount, priority
	}
}

// A numberedRow is the n-th row of a unit.
type numberedRow struct{ unit, n uint64 }

func (b *booth[Group]) add(in input, group Group, amount int64) {
	if b.sums == nil {
		b.sums = make(map[Group]*total)
	}
	if b.sums[group] == nil {
		b.sums[group] = new(total)
	}
	b.sums[group].add(in, amount)
}

// choose returns the sum of the group with the least priority.
func choose[Unit, Group comparable](seed maphash.Seed, unit Unit, sums map[Group]*total) (chosen *total) {
	type place struct {
		unit  Unit
		group Group
	}
	var least uint64
	for group, sum := range sums {
		if priority := maphash.Comparable(seed, place{unit, group}); chosen == nil || priority < least {
			chosen, least = sum, priority
		}
	}
	return chosen
}
