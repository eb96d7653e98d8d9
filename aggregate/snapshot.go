package aggregate

import (
	"context"
	"crypto/hpke"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/equipoise-dp/equipoise/internal/bound"
	"github.com/equipoise-dp/equipoise/internal/keys"
	"github.com/equipoise-dp/equipoise/internal/sealed"
)

const kindSnapshot = "snapshot"

// Snapshot seals what was collected so far, to whoever is to go on: [Partial.Seal] says what
// that means. Rows that are added meanwhile are in it or not. The Collector goes on. It fails soon after ctx is done.
func (c *Collector[Row, Unit, Group]) Snapshot(ctx context.Context, to hpke.PublicKey) ([]byte, error) {
	state := c.state()
	b := state.packChoices()
	for i := range state.stripes {
		var err error
		if b, err = state.packStripe(ctx, b, &state.stripes[i]); err != nil {
			clear(b)
			return nil, err
		}
	}
	defer clear(b)
	bytes, err := sealed.Seal(to, state.choices.seals, sealed.Form{Kind: kindSnapshot, Plan: state.plan.fingerprint}, append(b, 0))
	if err != nil {
		return nil, fmt.Errorf("aggregate: sealing a snapshot: %w", err)
	}
	return bytes, nil
}

// packChoices writes what the choices are made of.
func (c *collecting[Row, Unit, Group]) packChoices() []byte {
	c.stripes[0].Lock() // whoever ends the Collector wipes the secret
	defer c.stripes[0].Unlock()
	b := packOrigins(nil, []origin{c.choices.origin})
	b = append(b, make([]byte, leastSecret)...)
	copy(b[len(b)-leastSecret:], c.drawn)
	return b
}

// packStripe appends the rows that a stripe keeps, each after a byte that says that there is one.
func (c *collecting[Row, Unit, Group]) packStripe(ctx context.Context, b []byte, s *stripe[Unit, Group]) ([]byte, error) {
	s.Lock()
	defer s.Unlock()
	if s.ended {
		return b, errEnded
	}
	ok := s.source.Carry(func() bool { return ctx.Err() != nil }, func(r bound.Carried[Unit, Group]) {
		b = packRow(append(b, 1), r.Unit, r.Key, r.Values)
		b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, r.Priority), r.Seen)
	})
	if !ok {
		return b, fmt.Errorf("aggregate: taking a snapshot: %w", ctx.Err())
	}
	return b, nil
}

// Restore makes a Collector of what a snapshot of this plan has. Key and secret are those of [Plan.Open]; a
// snapshot of a shard needs the secret, from which its choices go on. Of what goes on from one
// snapshot, also in the process that took it, only one Partial can be released.
func (p *Plan[Row, Unit, Group]) Restore(ctx context.Context, key hpke.PrivateKey, secret string, snapshot []byte) (*Collector[Row, Unit, Group], error) {
	var seals []byte
	if secret != "" {
		text, err := secretAt(secret)
		if err != nil {
			return nil, err
		}
		defer clear(text)
		seals = derived(text, "seals")
	}
	payload, err := sealed.Open(key, seals, sealed.Form{Kind: kindSnapshot, Plan: p.fingerprint}, snapshot)
	if err != nil {
		return nil, fmt.Errorf("aggregate: opening a snapshot: %w", err)
	}
	defer clear(payload)
	return p.restore(ctx, secret, payload, stripesOf())
}

var errSnapshot = errors.New("aggregate: what was sealed is no snapshot of this plan; whoever sealed it did not use this library")

// restore reads what Snapshot wrote. It believes as little as [Plan.unpack].
func (p *Plan[Row, Unit, Group]) restore(ctx context.Context, secret string, payload []byte, stripes int) (*Collector[Row, Unit, Group], error) {
	r := &unpacking{rest: payload}
	origins := r.origins()
	drawn := append([]byte(nil), r.next(leastSecret)...)
	if r.require(len(origins) == 1 && origins[0].keyed == (secret != "")); r.failed {
		return nil, errSnapshot
	}
	choices := p.drawing(drawn, origins[0].space)
	if secret != "" {
		s := origins[0].shard()
		s.Secret = secret
		var err error
		if choices, err = p.sliced(s); err != nil {
			return nil, err
		}
		if r.require(choices.origin == origins[0]); r.failed {
			return nil, errSnapshot
		}
		drawn = nil
	}
	c, err := p.collector(choices, drawn, stripes)
	if err != nil {
		return nil, err
	}
	reading := &watch{ctx: ctx, doing: "restoring a Collector"}
	for r.next(1)[0] == 1 && !reading.stop() {
		if row := unpackRow[Unit, Group](r, p.inputs, p.perRow()); !r.failed {
			to := c.state().stripe(row.Unit)
			to.source.Put(row)
			to.rows++
		}
	}
	if r.require(len(r.rest) == 0); r.failed && reading.ask() == nil {
		return nil, errSnapshot
	}
	return c, reading.ask()
}

// perRow returns which inputs are points of their grids, and not amounts.
func (p *Plan[Row, Unit, Group]) perRow() []bool {
	points := make([]bool, len(p.inputs))
	for i, in := range p.inputs {
		points[i] = !in.perUnit
	}
	return points
}

// packRow writes what the plan reads of a row.
func packRow[Unit, Group comparable](b []byte, unit Unit, group Group, values []int64) []byte {
	b = keys.Append(keys.Append(b, unit), group)
	for _, v := range values {
		b = binary.BigEndian.AppendUint64(b, uint64(v))
	}
	return b
}

// unpackRow reads a row that packRow wrote, with priority and number.
func unpackRow[Unit, Group comparable](r *unpacking, inputs []input, points []bool) (row bound.Carried[Unit, Group]) {
	row.Unit, row.Key = unpackCell[Unit, Group](r)
	row.Values = make([]int64, len(inputs))
	unpackValues(r, inputs, points, row.Values)
	row.Priority, row.Seen = r.word(), r.word()
	r.require(row.Seen > 0)
	return row
}

func unpackCell[Unit, Group comparable](r *unpacking) (unit Unit, group Group) {
	var err1, err2 error
	unit, r.rest, err1 = keys.Cut[Unit](r.rest)
	group, r.rest, err2 = keys.Cut[Group](r.rest)
	r.require(err1 == nil && err2 == nil)
	return unit, group
}

// unpackValues reads values of a row; of those that are points of their grids, whether they are on it.
func unpackValues(r *unpacking, inputs []input, points []bool, to []int64) {
	for i, in := range inputs {
		v := int64(r.word())
		r.require(!points[i] || v >= 0 && v <= in.grid.Cells)
		to[i] = v
	}
}
