package aggregate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// A Partial holds exact sums of what was read. It is private: it prints as
// "aggregate.Partial" and cannot be encoded, and nothing but [Plan.Release] can
// read it.
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
	groups      []Group // those given, or those that have rows, in the order of release
	exacts
	units [][]Group // the groups of each unit, where nothing else is asked
}

const opaque = "aggregate.Partial"

// Format implements fmt.Formatter, and prints no private number.
func (Partial[Group]) Format(f fmt.State, verb rune) { io.WriteString(f, opaque) }

// LogValue implements slog.LogValuer, and logs no private number.
func (Partial[Group]) LogValue() slog.Value { return slog.StringValue(opaque) }

// MarshalText implements encoding.TextMarshaler, and always fails: a Partial is
// private. It also keeps a Partial out of JSON and gob.
func (Partial[Group]) MarshalText() ([]byte, error) {
	return nil, errors.New("aggregate: a Partial is private and cannot be encoded; release it with Plan.Release")
}

// checkPartials returns an error if partials are not of this plan.
func (p *Plan[Row, Unit, Group]) checkPartials(partials []*Partial[Group]) error {
	if len(partials) == 0 {
		return errors.New("aggregate: no Partial given; Collect makes one, of no rows too")
	}
	for i, part := range partials {
		if part == nil || part.state == nil {
			return fmt.Errorf("aggregate: Partial %d is empty; Collect makes one", i)
		}
		if part.state().fingerprint != p.fingerprint {
			return fmt.Errorf("aggregate: Partial %d was collected by another plan", i)
		}
		for j := range i {
			if partials[j].state() == part.state() {
				return fmt.Errorf("aggregate: Partials %d and %d are the same; a unit would count twice", j, i)
			}
		}
	}
	return nil
}

// merge adds up partials. No unit may be in two of them.
func (p *Plan[Row, Unit, Group]) merge(ctx context.Context, partials []*Partial[Group]) (*partial[Group], error) {
	if len(partials) == 1 {
		return partials[0].state(), (&watch{ctx: ctx, doing: "adding up Partials"}).ask()
	}
	var all []Group
	ids := make(map[Group]uint32)
	for _, part := range partials {
		for _, k := range part.state().groups {
			if _, ok := ids[k]; !ok {
				ids[k] = uint32(len(all))
				all = append(all, k)
			}
		}
	}
	a := p.newAdder(ctx, len(all), newPage)
	a.adding.doing = "adding up Partials"
	for _, part := range partials {
		for i, k := range part.state().groups {
			a.addGroup(ids[k], part.state().group(i))
		}
	}
	return p.settle(all, []*adder{a})
}

// wipe sets what was read to zero once it is of no use: a core dump, or a mistake, shows
// it no more. What the garbage collector may have copied it does not reach.
func (p *partial[Group]) wipe() {
	clear(p.groups)
	clear(p.sums)
	for _, l := range p.lists {
		clear(l.ends)
		clear(l.points)
	}
	for _, groups := range p.units {
		clear(groups)
	}
}
