package aggregate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/keys"
)

// Charge returns what one run costs: the events, in exact terms.
func (p *Plan[Row, Unit, Group]) Charge(r Request) dp.Charge {
	return dp.Charge{
		Dataset: p.dataset, Unit: p.unitName, Purpose: r.Purpose, Key: r.Key, Plan: p.fingerprint, Question: p.question,
		Analyst: r.Analyst, Periods: slices.Clone(r.Periods), Loss: p.loss, Events: cloned(p.paid), States: p.states(),
	}
}

// cloned returns events that share no number with those of the plan.
func cloned(events []dp.Event) []dp.Event {
	clones := make([]dp.Event, len(events))
	for i, e := range events {
		clones[i] = e.Clone()
	}
	return clones
}

// events lists what a run pays for.
func (c *calibration) events() []dp.Event {
	if c.finder != nil {
		return c.finder.events()
	}
	events := c.top.events()
	for _, m := range c.measures {
		events = append(events, m.events()...)
	}
	if c.threshold != nil {
		events = append(events, c.threshold.event().Clone())
	}
	return events
}

// events returns what a measure pays for.
func (m *measure) events() []dp.Event {
	var events []dp.Event
	if m.drawing != nil {
		for _, e := range m.drawing.events {
			events = append(events, e.Clone())
		}
	}
	if m.law != nil {
		events = append(events, m.event.Clone())
	}
	return events
}

// Fingerprint identifies the question: two plans have the same one if they ask
// for the same columns with the same bounds, caps, keys, loss and noise. It does
// not see the functions of the query, which are code.
func (p *Plan[Row, Unit, Group]) Fingerprint() string { return p.fingerprint }

// describe hashes all that stands in the question and its charge. Releases are found
// again by it, so it writes today what the first version wrote.
func (p *Plan[Row, Unit, Group]) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "equipoise plan 1\n%q %q %d %d %v\n", p.dataset, p.unitName, p.maxGroups, p.maxRows, p.loss)
	b.WriteString(p.top.describe())
	for _, a := range p.answers {
		fmt.Fprintf(&b, "column %q %d %v\n", a.column, a.kind, a.rank)
		if a.bare {
			fmt.Fprintln(&b, "without interval")
		}
	}
	for _, in := range p.inputs {
		fmt.Fprintf(&b, "value %q %t %t %v %v %v\n", in.name, in.perUnit, in.integer, in.grid.Lower, in.grid.Step, in.grid.Cells)
		b.WriteString(in.beyond.describe())
	}
	for _, m := range p.measures {
		if m.joint != nil {
			fmt.Fprintf(&b, "%v times %v\n", m.joint, m.joint.times)
			if m.joint.centre != nil {
				fmt.Fprintf(&b, "centre %+v\n", *m.joint.centre)
			}
		}
	}
	for _, e := range p.paid {
		fmt.Fprintf(&b, "event %q %q %+v %v %v\n", e.Mechanism, e.For, e.Sensitivity, e.Scale, e.Delta)
		if e.Epsilon != nil {
			fmt.Fprintf(&b, "epsilon %v times %d\n", e.Epsilon, e.Count)
		}
	}
	fmt.Fprintf(&b, "keyed %t %q %s\n", p.query.Group != nil, p.query.GroupName, keys.Shape(reflect.TypeFor[Group]()))
	for _, k := range p.query.given() {
		fmt.Fprintf(&b, "key %s\n", keys.Encode(k))
	}
	b.WriteString(p.query.conditions())
	hash := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(hash[:])
}
