package aggregate

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"

	"github.com/equipoise-dp/equipoise/internal/bound"
)

// Collect is the first half of [Plan.Run]: it reads, bounds and sums. An engine
// that works elsewhere (in a database, in Beam) replaces this half, and no other.
//
// It fails if a row cannot be read, or soon after ctx is done, with the error of
// ctx. Nothing else about the rows can make it fail.
func (p *Plan[Row, Unit, Key]) Collect(ctx context.Context, rows iter.Seq2[Row, error]) (*Partial[Key], error) {
	return p.collect(ctx, rows, maphash.MakeSeed())
}

func (p *Plan[Row, Unit, Key]) collect(ctx context.Context, rows iter.Seq2[Row, error], seed maphash.Seed) (*Partial[Key], error) {
	if rows == nil {
		return nil, errors.New("aggregate: no rows given; for none use Slice of an empty slice")
	}
	rows = p.query.admitted(ctx, rows)
	if p.finder != nil {
		return p.collectUnits(ctx, rows, seed)
	}
	bounder := bound.New[Unit, Key, []int64](p.maxKeys, p.maxRows, seed)
	wanted := p.wanted()
	reading := &watch{ctx: ctx, doing: "reading rows"}
	for row, err := range rows {
		if err != nil {
			return nil, fmt.Errorf("aggregate: reading rows: %w", err)
		}
		if reading.ask() != nil { // at every row, since rows may come slowly
			break
		}
		if key := p.key(row); wanted(key) {
			bounder.Add(p.query.Unit(row), key, p.read(row))
		}
	}
	if err := reading.ask(); err != nil {
		return nil, err
	}
	sums, err := p.sum(ctx, bounder.Kept())
	if err != nil {
		return nil, err
	}
	return newPartial(sums), nil
}

func (p *Plan[Row, Unit, Key]) key(row Row) (key Key) {
	if p.query.Group == nil {
		return key
	}
	return p.query.Group(row)
}

// wanted returns a function that tells which groups can be released at all.
func (p *Plan[Row, Unit, Key]) wanted() func(Key) bool {
	given := p.query.given()
	if given == nil {
		return func(Key) bool { return true }
	}
	set := make(map[Key]bool, len(given))
	for _, k := range given {
		set[k] = true
	}
	return func(k Key) bool { return set[k] }
}

// read returns the values of a row, in the order of the inputs.
func (p *Plan[Row, Unit, Key]) read(row Row) []int64 {
	values := make([]int64, len(p.reads))
	for i, read := range p.reads {
		values[i] = read(row)
	}
	return values
}

// sum adds up the kept rows: for every unit and group, the records of each
// measure. Sums are exact, so the order of the rows does not matter.
func (p *Plan[Row, Unit, Key]) sum(ctx context.Context, kept iter.Seq2[Key, iter.Seq[[]int64]]) (*partial[Key], error) {
	adding := &watch{ctx: ctx, doing: "adding up rows"}
	sums := &partial[Key]{fingerprint: p.fingerprint, groups: make(map[Key]*group)}
	for key, rows := range kept {
		g := sums.groups[key]
		if g == nil {
			g = p.newGroup()
			sums.groups[key] = g
		}
		if p.addUnit(g, each(adding, rows)); adding.stop() {
			break
		}
	}
	return sums, adding.ask()
}

// A unit brings so many times its groups into a look that there are enough left for the
// next one, and not all of them, so that no unit fills the memory.
const (
	spares    = 8
	leastKept = 64
)

// collectUnits reads which groups each unit is in: what a finder needs.
func (p *Plan[Row, Unit, Key]) collectUnits(ctx context.Context, rows iter.Seq2[Row, error], seed maphash.Seed) (*Partial[Key], error) {
	roster := bound.NewRoster[Unit, Key](max(leastKept, p.maxKeys*spares, p.maxKeys), seed)
	reading := &watch{ctx: ctx, doing: "reading rows"}
	for row, err := range rows {
		if err != nil {
			return nil, fmt.Errorf("aggregate: reading rows: %w", err)
		}
		if reading.ask() != nil {
			break
		}
		roster.Add(p.query.Unit(row), p.key(row))
	}
	if err := reading.ask(); err != nil {
		return nil, err
	}
	sums := &partial[Key]{fingerprint: p.fingerprint}
	for groups := range roster.Units() {
		sums.units = append(sums.units, groups)
	}
	return newPartial(sums), nil
}

// Slice yields the rows of a slice.
func Slice[Row any](rows []Row) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}
