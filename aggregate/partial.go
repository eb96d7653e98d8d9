package aggregate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// A Partial holds exact sums of what was read. It is private: it prints as
// "aggregate.Partial" and cannot be encoded, and nothing but [Plan.Release] can
// read it. It leaves its process in one way: by [Partial.Seal].
type Partial[Group comparable] struct {
	// state is a function, since fmt shows no more of one than an address, also
	// where a Partial is in an unexported field and its methods are not called.
	state func() *partial[Group]
}

func newPartial[Group comparable](p *partial[Group]) *Partial[Group] {
	return &Partial[Group]{func() *partial[Group] { return p }}
}

type partial[Group comparable] struct {
	fingerprint string
	origins     []origin // which units it may hold, in order
	seals       []byte   // authenticates it when it is sealed; nil if it is of no secret
	wiped       bool
	dated       time.Time // when collecting began, where rows count for a time only: see dated.go
	groups      []Group   // those given, or those that have rows, in the order of release
	exacts
	units listing // where nothing but groups is asked
}

const opaque = "aggregate.Partial"

// Format implements fmt.Formatter, and prints no private number.
func (Partial[Group]) Format(f fmt.State, verb rune) { io.WriteString(f, opaque) }

// LogValue implements slog.LogValuer, and logs no private number.
func (Partial[Group]) LogValue() slog.Value { return slog.StringValue(opaque) }

// MarshalText implements encoding.TextMarshaler, and always fails: a Partial is
// private. It also keeps a Partial out of JSON and gob.
func (Partial[Group]) MarshalText() ([]byte, error) {
	return nil, errors.New("aggregate: a Partial is private and cannot be encoded; release it with Plan.Release, or seal it with Partial.Seal")
}

// Merge adds up partials of this plan to one, which is what one process would have collected
// that had read what all of them read, so it can be done in a tree of any shape. No unit may be in two of them: it refuses
// shards that overlap, the same Partial twice, also where they were merged or sealed in between, and cannot see more.
func (p *Plan[Row, Unit, Group]) Merge(ctx context.Context, partials ...*Partial[Group]) (*Partial[Group], error) {
	states, err := p.checkPartials(partials)
	if err != nil {
		return nil, err
	}
	merged, err := p.merge(ctx, states)
	if err != nil {
		return nil, err
	}
	return newPartial(merged), nil
}

// Wipe sets what was collected to zero, once it is of no use: a core dump, or a mistake, shows
// it no more. What the garbage collector may have copied it does not reach. It must not be called while
// the Partial is in use.
func (p *Partial[Group]) Wipe() {
	if p != nil && p.state != nil {
		p.state().wipe()
	}
}

// checkPartials returns an error if partials are not of this plan.
func (p *Plan[Row, Unit, Group]) checkPartials(partials []*Partial[Group]) ([]*partial[Group], error) {
	if len(partials) == 0 {
		return nil, errors.New("aggregate: no Partial given; Collect makes one, of no rows too")
	}
	var states []*partial[Group]
	for i, part := range partials {
		switch {
		case part == nil || part.state == nil:
			return nil, fmt.Errorf("aggregate: Partial %d is empty; Collect makes one", i)
		case part.state().fingerprint != p.fingerprint:
			return nil, fmt.Errorf("aggregate: Partial %d was collected by another plan", i)
		case part.state().wiped:
			return nil, fmt.Errorf("aggregate: Partial %d was wiped; collect again", i)
		}
		states = append(states, part.state())
	}
	return states, nil
}

// merge adds up partials. It refuses those that may have a unit in common.
func (p *Plan[Row, Unit, Group]) merge(ctx context.Context, partials []*partial[Group]) (*partial[Group], error) {
	origins, err := originsOf(partials)
	if err != nil {
		return nil, err
	}
	if len(partials) == 1 {
		return partials[0], (&watch{ctx: ctx, doing: phaseMerging}).ask()
	}
	merged, err := during(ctx, phaseMerging, func(ctx context.Context) (*partial[Group], error) { return p.addUp(ctx, partials) })
	if err != nil {
		return nil, err
	}
	merged.origins, merged.seals, merged.dated = origins, partials[0].seals, earliest(partials)
	return merged, nil
}

func (p *Plan[Row, Unit, Group]) addUp(ctx context.Context, partials []*partial[Group]) (*partial[Group], error) {
	var all []Group
	ids := make(map[Group]uint32)
	numbering := &watch{ctx: ctx, doing: phaseMerging}
	for _, part := range partials {
		for _, k := range part.groups {
			if numbering.stop() {
				return nil, numbering.err
			}
			if _, ok := ids[k]; !ok {
				ids[k] = uint32(len(all))
				all = append(all, k)
			}
		}
	}
	if p.finder != nil {
		units := make([]listing, len(partials))
		for i, part := range partials {
			units[i].addAll(&part.units, func(place uint32) uint32 { return ids[part.groups[place]] })
		}
		return p.listed(&watch{ctx: ctx, doing: phaseMerging}, all, joined(units))
	}
	a := p.newAdder(ctx, len(all), newPage)
	a.adding.doing = phaseMerging
	for _, part := range partials {
		for i, k := range part.groups {
			a.addGroup(ids[k], part.group(i))
		}
	}
	return p.settle(all, []*adder{a})
}

// wipe sets what was read to zero once it is of no use: a core dump, or a mistake, shows
// it no more. What the garbage collector may have copied it does not reach.
func (p *partial[Group]) wipe() {
	p.wiped = true
	clear(p.groups)
	clear(p.sums)
	for _, l := range p.lists {
		clear(l.ends)
		clear(l.points)
	}
	p.units.wipe()
}
