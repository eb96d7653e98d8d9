package aggregate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/equipoise-dp/equipoise/internal/exact"
)

// seriesSums are the exact sums of a series: private, and read by nothing but
// [seriesCore.noisy].
type seriesSums[Group comparable] struct {
	groups map[seriesPair[Group]]group
	people map[Group]int64 // units of a group in the whole series
}

// wipe sets them to zero, as [partial.wipe] does.
func (s *seriesSums[Group]) wipe() {
	for _, g := range s.groups {
		clear(g.sums)
	}
	clear(s.groups)
	clear(s.people)
}

// collect reads, bounds and sums the rows of the first periods.
func (p *SeriesPlan[Row, Unit, Group]) collect(ctx context.Context, through int, rows iter.Seq2[Row, error]) (*seriesSums[Group], error) {
	if rows == nil {
		return nil, errors.New("aggregate: no rows given; for none use Slice of an empty slice")
	}
	rows = p.on.inTime(p.series.Query.willing(ctx, rows))
	sums := &seriesSums[Group]{people: make(map[Group]int64)}
	var bounded iter.Seq2[Row, error]
	if p.atOnce {
		bounded = p.counted(rows, sums.people)
	} else {
		kept, err := p.earliest(ctx, through, rows)
		if err != nil {
			return nil, err
		}
		bounded = Slice(kept)
	}
	partial, err := p.inner.Collect(ctx, bounded)
	if err != nil {
		return nil, err
	}
	sums.groups = maps.Collect(partial.state().each())
	return sums, nil
}

// counted yields rows, and counts the units of every group.
func (p *SeriesPlan[Row, Unit, Group]) counted(rows iter.Seq2[Row, error], people map[Group]int64) iter.Seq2[Row, error] {
	type member struct {
		unit  Unit
		group Group
	}
	wanted, seen := make(map[seriesPair[Group]]bool), make(map[member]bool)
	for _, pair := range p.inner.query.given() {
		wanted[pair] = true
	}
	return func(yield func(Row, error) bool) {
		for row, err := range rows {
			if err == nil {
				pair := p.pair(row)
				m := member{p.series.Query.Unit(row), pair.Group}
				if wanted[pair] && !seen[m] {
					seen[m] = true
					people[pair.Group]++
				}
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// earliest returns the rows that count in a stream: those of the first pairs of a unit in
// the order of time, and of groups within a period, and of a pair the first that are
// read. Rows of later periods do not change which they are, so a unit is never
// counted in other pairs at a later reading (docs/proofs/series.md, section 5).
func (p *SeriesPlan[Row, Unit, Group]) earliest(ctx context.Context, through int, rows iter.Seq2[Row, error]) ([]Row, error) {
	all, pairs, err := p.candidates(ctx, through, rows)
	if err != nil {
		return nil, err
	}
	last := make(map[Unit]int, len(pairs))
	for unit, of := range pairs {
		last[unit] = nth(of, p.cap)
	}
	var kept []Row
	for _, r := range all {
		if r.pair <= last[r.unit] {
			kept = append(kept, r.row)
		}
	}
	return kept, nil
}

// A candidate is a row that counts unless its unit has too many earlier pairs.
type candidate[Row any, Unit comparable] struct {
	row  Row
	unit Unit
	pair int // period by period, group by group
}

// candidates returns the first rows of every pair of a unit, and how many rows it has there.
func (p *SeriesPlan[Row, Unit, Group]) candidates(ctx context.Context, through int, rows iter.Seq2[Row, error]) ([]candidate[Row, Unit], map[Unit]map[int]int, error) {
	order := make(map[Group]int, len(p.given))
	for i, k := range p.given {
		order[k] = i
	}
	var all []candidate[Row, Unit]
	pairs := make(map[Unit]map[int]int)
	reading := &watch{ctx: ctx, doing: phaseReading}
	for row, err := range rows {
		if err != nil {
			return nil, nil, fmt.Errorf("aggregate: reading rows: %w", err)
		}
		if reading.ask() != nil {
			break
		}
		pair := p.pair(row)
		group, wanted := order[pair.Group]
		if !wanted || pair.Period < 0 || pair.Period >= through {
			continue
		}
		r := candidate[Row, Unit]{row, p.series.Query.Unit(row), pair.Period*len(p.given) + group}
		if pairs[r.unit] == nil {
			pairs[r.unit] = make(map[int]int)
		}
		if pairs[r.unit][r.pair]++; pairs[r.unit][r.pair] <= p.maxRows {
			all = append(all, r)
		}
	}
	return all, pairs, reading.ask()
}

// nth returns the n-th smallest key, or the largest of fewer.
func nth(m map[int]int, n int) int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, cmp.Compare[int])
	return keys[min(n, len(keys))-1]
}

// part returns the exact sums of one part of a group, period by period.
func (s *seriesSums[Group]) part(group Group, periods, part int) []exact.Int128 {
	x := make([]exact.Int128, periods)
	for t := range x {
		if g, ok := s.groups[seriesPair[Group]{group, t}]; ok {
			x[t] = g.sums[part]
		}
	}
	return x
}
