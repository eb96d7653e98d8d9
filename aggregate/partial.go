package aggregate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

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
	units       [][]Key // the groups of each unit, where nothing else is asked
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

// merge adds up partials of the same plan. No unit may be in two of them.
func merge[Key comparable](ctx context.Context, c *compiled, partials []*Partial[Key]) (map[Key]*group, error) {
	if len(partials) == 0 {
		return nil, errors.New("aggregate: no Partial given; Collect makes one, of no rows too")
	}
	all := make(map[Key]*group)
	adding := &watch{ctx: ctx, doing: "adding up Partials"}
	for i, p := range partials {
		if p == nil || p.state == nil {
			return nil, fmt.Errorf("aggregate: Partial %d is empty; Collect makes one", i)
		}
		if p.state().fingerprint != c.fingerprint {
			return nil, fmt.Errorf("aggregate: Partial %d was collected by another plan", i)
		}
		for j := range i {
			if partials[j].state() == p.state() {
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

// wipe sets what was read to zero once it is of no use: a core dump, or a mistake, shows
// it no more. What the garbage collector may have copied it does not reach.
func (p *Partial[Key]) wipe() {
	wipe(p.state().groups)
	for _, groups := range p.state().units {
		clear(groups)
	}
}

func wipe[Key comparable](groups map[Key]*group) {
	for _, g := range groups {
		clear(g.sums)
		for _, h := range g.histograms {
			clear(h)
		}
	}
	clear(groups)
}
