package aggregate

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
	"log/slog"

	"github.com/equipoise-dp/equipoise/internal/bound"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// A Partial holds exact sums of what was read. It is private: it prints as
// "aggregate.Partial" and cannot be encoded, and nothing but [Plan.Release] can
// read it.
type Partial[Key comparable] struct {
	// state is a function, since fmt shows no more of one than an address, also
	// where a Partial is in an unexported field and its methods are not called.
	state func() *partial[Key]
}

func newPartial[Key comparable](p *partial[Key]) *Partial[Key] {
	return &Partial[Key]{func() *partial[Key] { return p }}
}

type partial[Key comparable] struct {
	fingerprint string
	groups      map[Key]*group
}

// A group holds the exact sums of one group: the parts of all measures in a row,
// and a histogram of points for each measure of ranks.
type group struct {
	sums       []exact.Int128
	histograms []map[int64]int64
}

const opaque = "aggregate.Partial"

// Format implements fmt.Formatter, and prints no private number.
func (Partial[Key]) Format(f fmt.State, verb rune) { io.WriteString(f, opaque) }

// LogValue implements slog.LogValuer, and logs no private number.
func (Partial[Key]) LogValue() slog.Value { return slog.StringValue(opaque) }

// MarshalText implements encoding.TextMarshaler, and always fails: a Partial is
// private. It also keeps a Partial out of JSON and gob.
func (Partial[Key]) MarshalText() ([]byte, error) {
	return nil, errors.New("aggregate: a Partial is private and cannot be encoded; release it with Plan.Release")
}

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
	if p.query.Key == nil {
		return key
	}
	return p.query.Key(row)
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

// read returns the values of a row, in the order of p.values.
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
	sums := &partial[Key]{p.fingerprint, make(map[Key]*group)}
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

func (c *compiled) newGroup() *group {
	g := new(group)
	parts := 0
	for _, m := range c.measures {
		parts += m.parts()
		if m.form == formRanks {
			g.histograms = append(g.histograms, make(map[int64]int64))
		}
	}
	g.sums = make([]exact.Int128, parts)
	return g
}

// addUnit adds what one unit contributes to one group.
func (c *compiled) addUnit(g *group, rows iter.Seq[[]int64]) {
	totals := make([]total, len(c.values))
	for row := range rows {
		for i, v := range c.values {
			if v.perUnit {
				totals[i].add(v, row[i])
			}
		}
		c.addRecords(g, false, func(i int) int64 { return row[i] })
	}
	c.addRecords(g, true, func(i int) int64 { return totals[i].point(c.values[i], c.gridOf(c.values[i])) })
}

// addRecords adds one record to every measure that is per unit, or to every one
// that is per row.
func (c *compiled) addRecords(g *group, perUnit bool, point func(value int) int64) {
	part, histogram := 0, 0
	for i, m := range c.measures {
		at := int64(0)
		if m.perUnit() == perUnit && m.value != nil {
			at = point(c.valueOf[i])
		}
		if m.perUnit() == perUnit && m.form == formRanks {
			g.histograms[histogram][at]++
		} else if m.perUnit() == perUnit {
			m.record(at, g.sums[part:part+m.parts()])
		}
		part += m.parts()
		if m.form == formRanks {
			histogram++
		}
	}
}

// merge adds up partials of the same plan. No unit may be in two of them.
func merge[Key comparable](ctx context.Context, c *compiled, parts []*Partial[Key]) (map[Key]*group, error) {
	if len(parts) == 0 {
		return nil, errors.New("aggregate: no Partial given; Collect makes one, of no rows too")
	}
	all := make(map[Key]*group)
	adding := &watch{ctx: ctx, doing: "adding up Partials"}
	for i, p := range parts {
		if p == nil || p.state == nil {
			return nil, fmt.Errorf("aggregate: Partial %d is empty; Collect makes one", i)
		}
		if p.state().fingerprint != c.fingerprint {
			return nil, fmt.Errorf("aggregate: Partial %d was collected by another plan", i)
		}
		for j := range i {
			if parts[j].state() == p.state() {
				return nil, fmt.Errorf("aggregate: Partials %d and %d are the same; a unit would count twice", j, i)
			}
		}
		for key, g := range p.state().groups {
			if all[key] == nil {
				all[key] = c.newGroup()
			}
			if all[key].add(adding, g); adding.stop() {
				return nil, adding.ask()
			}
		}
	}
	return all, adding.ask()
}

func (g *group) add(adding *watch, other *group) {
	for i, s := range other.sums {
		g.sums[i] = g.sums[i].Add(s)
	}
	for i, h := range other.histograms {
		for point, n := range h {
			if adding.stop() {
				return
			}
			g.histograms[i][point] += n
		}
	}
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
