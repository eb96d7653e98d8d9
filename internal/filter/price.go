package filter

import "github.com/equipoise-dp/equipoise/dp"

// A Price is what a charge costs under every rule. There are two ways to see a
// charge: as the loss that it declares, and as the events that it consists of.
// Each is a complete description, and a filter uses one of them per charge.
type Price struct {
	loss     dp.Loss
	declared Part
	events   Part
	Covered  bool // the declared loss holds for the events
}

// A Way is how a filter took a charge. It is stored with the decision.
type Way string

// The ways. Their text is stored and never changes.
const (
	Refused    Way = ""
	ByLoss     Way = "loss"     // ε and δ that were declared, by basic composition
	ByDeclared Way = "declared" // the declared loss, as a mechanism of the worst kind
	ByEvents   Way = "events"
)

// Takes says whether it is a way in which a filter takes a charge.
func (w Way) Takes() bool { return w == ByLoss || w == ByDeclared || w == ByEvents }

// priceOf prices a checked charge.
func priceOf(c *dp.Charge, orders []float64) *Price {
	p := &Price{loss: c.Loss, declared: lossPart(c.Loss, orders), events: noPart(orders)}
	for _, e := range c.Events {
		p.events.add(eventPart(e, orders))
	}
	p.events.way = ByEvents
	p.Covered = planFits(c, &p.events)
	return p
}

// parts returns the ways to see a charge, the tighter one first.
func (p *Price) parts() [2]*Part { return [2]*Part{&p.events, &p.declared} }

func (p *Price) by(w Way) *Part {
	if w == ByEvents {
		return &p.events
	}
	return &p.declared
}
