package aggregate

import (
	"context"
	"hash/maphash"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/bound"
	"github.com/equipoise-dp/equipoise/internal/core"
)

// EarlierFingerprint returns the fingerprint that a plan had when the family of noise
// was chosen in another way, and "" if it had that of today.
func EarlierFingerprint[Row any, Unit, Group comparable](p *Plan[Row, Unit, Group]) string {
	if p.earlier == nil {
		return ""
	}
	return p.earlier.fingerprint
}

// WithTwiceTheNoise returns the plan that a version of the library would make whose
// noise is twice as wide, and whose draws are said to cost half as much.
func WithTwiceTheNoise[Row any, Unit, Group comparable](p *Plan[Row, Unit, Group]) *Plan[Row, Unit, Group] {
	c := *p.compiled
	c.measures = nil
	for _, m := range p.measures {
		wide := *m
		if m.drawing != nil {
			d := *m.drawing
			d.events = nil
			for _, e := range m.drawing.events {
				e.Epsilon = new(big.Rat).Quo(e.Epsilon, big.NewRat(2, 1))
				d.events = append(d.events, e)
			}
			wide.drawing = &d
		}
		if m.law == nil {
			c.measures = append(c.measures, &wide)
			continue
		}
		scale := new(big.Rat).Mul(m.law.Scale, big.NewRat(2, 1))
		law, err := core.NewLaw(m.law.Family, scale)
		if m.joint != nil && m.law.Family == core.Cube {
			law, err = core.NewCube(m.law.Numbers(), scale)
		}
		if err != nil {
			panic(err)
		}
		wide.law, wide.event.Scale = law, scale
		c.measures = append(c.measures, &wide)
	}
	other := p.query.compile(p.loss, p.columns(), &c.calibration)
	other.question, other.given, other.keyName = p.question, p.given, p.keyName
	return other
}

// CollectColumns collects rows whose units and groups are in columns, which nothing asks for one by one: as fast as the
// engine can be fed.
func CollectColumns[Row any, Unit, Group comparable](ctx context.Context, p *Plan[Row, Unit, Group], units []Unit, groups []Group, rows []Row) (*Partial[Group], error) {
	return p.bounded(ctx, maphash.MakeSeed(), nil, 1, func(b *bound.Bounder[Unit, Group]) (int, error) {
		to := b.Source()
		for i, u := range units {
			if id, ok := to.Group(groups[i]); ok {
				values := to.Add(u, id)
				for j, read := range p.reads {
					values[j] = read(rows[i])
				}
			}
		}
		return len(units), ctx.Err()
	})
}
