package aggregate

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"reflect"

	"github.com/equipoise-dp/equipoise/internal/bound"
	"github.com/equipoise-dp/equipoise/internal/engine"
	"github.com/equipoise-dp/equipoise/internal/keys"
)

// placing is a plan whose rows are read in some processes and collected in others, by shards.
type placing[Row any, Unit, Group comparable] struct {
	plan   *Plan[Row, Unit, Group]
	of     Shard // without a number
	slices *sliced
	given  map[Group]bool // nil: all
	points []bool
}

// placing is for [engine.View].
func (p *Plan[Row, Unit, Group]) placing(secret string, of int) (engine.Shards[Row], error) {
	slices, err := p.sliced(Shard{Of: of, Secret: secret})
	if err := errors.Join(err, p.checkPlacing()); err != nil {
		return nil, err
	}
	a := &placing[Row, Unit, Group]{plan: p, of: Shard{Of: of, Secret: secret}, slices: slices, points: p.perRow()}
	if given := p.query.given(); given != nil {
		a.given = make(map[Group]bool, len(given))
		for _, k := range given {
			a.given[k] = true
		}
	}
	return a, nil
}

// checkPlacing returns every reason why rows cannot be collected where they are not read.
func (p *Plan[Row, Unit, Group]) checkPlacing() error {
	var errs []error
	if p.query.Consent != nil || p.query.Retention != nil {
		errs = append(errs, errors.New("aggregate: Query.Consent and Query.Retention are asked of a row where it is collected, where only what the plan reads of it comes; leave out such rows before, or use Plan.CollectShard"))
	}
	if err := keys.Check(reflect.TypeFor[Unit](), true); err != nil {
		errs = append(errs, fmt.Errorf("aggregate: unit type: %w", err))
	}
	return errors.Join(errs...)
}

// Name implements engine.Collecting.
func (a *placing[Row, Unit, Group]) Name() string {
	return fmt.Sprintf("%s-%.16s-%d", hex.EncodeToString(a.slices.space[:]), a.plan.fingerprint, a.of.Of)
}

// Place implements engine.Shards.
func (a *placing[Row, Unit, Group]) Place(to []byte, row Row) (bytes []byte, shard int, ok bool) {
	group := a.plan.key(row)
	if a.given != nil && !a.given[group] {
		return to, 0, false
	}
	unit := a.plan.query.Unit(row)
	var few [8]int64
	values := few[:0]
	for _, read := range a.plan.reads {
		values = append(values, read(row))
	}
	at, _ := hashOf(a.slices.units, unit)
	return packRow(to, unit, group, values), placeOf(at, a.of.Of), true
}

// Collect implements engine.Collecting. It bounds whatever it is given, as CollectShard does.
func (a *placing[Row, Unit, Group]) Collect(ctx context.Context, shard int, rows iter.Seq2[[]byte, error]) (any, error) {
	s := a.of
	s.Number = shard
	slice, err := a.plan.sliced(s)
	if err != nil {
		return nil, err
	}
	return a.plan.bounded(ctx, maphash.MakeSeed(), slice, 1, func(bounder *bound.Bounder[Unit, Group]) (int, error) {
		return a.read(&watch{ctx: ctx, doing: phaseReading}, bounder.Source(), rows)
	})
}

var errPlaced = errors.New("aggregate: bytes are no rows of this plan: another process wrote them with another one, or they were changed on their way")

// read reads what Place appended, and believes nothing of it.
func (a *placing[Row, Unit, Group]) read(reading *watch, to *bound.Source[Unit, Group], rows iter.Seq2[[]byte, error]) (n int, err error) {
	for b, err := range rows {
		if err != nil {
			return n, fmt.Errorf("aggregate: reading rows: %w", err)
		}
		r := &unpacking{rest: b}
		for len(r.rest) > 0 && reading.ask() == nil && to.Err() == nil {
			a.readRow(r, to)
			n++
		}
		if r.failed {
			return n, errPlaced
		}
	}
	if err := reading.ask(); err != nil || to.Err() == nil {
		return n, err
	}
	return n, a.plan.errRoom(to.Err())
}

func (a *placing[Row, Unit, Group]) readRow(r *unpacking, to *bound.Source[Unit, Group]) {
	unit, group := unpackCell[Unit, Group](r)
	if id, ok := to.Group(group); ok && !r.failed {
		unpackValues(r, a.plan.inputs, a.points, to.Add(unit, id))
		return
	}
	r.require(false) // none is placed that is not given
}

// Merge implements engine.Collecting.
func (a *placing[Row, Unit, Group]) Merge(ctx context.Context, partials ...any) (any, error) {
	typed := make([]*Partial[Group], len(partials))
	for i, p := range partials {
		typed[i] = p.(*Partial[Group])
	}
	return a.plan.Merge(ctx, typed...)
}

// Pack implements engine.Collecting.
func (a *placing[Row, Unit, Group]) Pack(partial any) []byte {
	return partial.(*Partial[Group]).state().pack()
}

// Unpack implements engine.Collecting.
func (a *placing[Row, Unit, Group]) Unpack(bytes []byte) (any, error) {
	part, err := a.plan.unpack(bytes)
	if err != nil {
		return nil, err
	}
	if o := part.origins[0]; !o.keyed || o.space != a.slices.space {
		return nil, errPacked
	}
	part.seals = a.slices.seals
	return newPartial(part), nil
}
