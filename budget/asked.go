package budget

import (
	"crypto/sha256"
	"encoding/json"
	"slices"

	"github.com/equipoise-dp/equipoise/dp"
)

// asked is what tells whether two charges under one key are one request.
//
// Those with a [dp.Charge.Question] are if they ask the same, with the same loss
// and for the same purpose: the noise that answers it is the library's choice, and
// another version may choose otherwise. Those without are if they are equal.
//
// What a charge states of what it reads tells no requests apart: a later version of the
// library may state more of the same question.
//
// Charges of format 1 have no question. A charge that has one is the same request
// as one of those if all is equal that both say: dataset, unit, purpose, analyst,
// periods, loss, and what the events are for. Package aggregate compares the rest
// with the receipt of the release.
type asked struct {
	charge   digest // of the whole charge but for the question
	question digest // of what it asks; zero if it does not say
	facts    digest // of what it says of the question otherwise
}

func askedBy(c *dp.Charge, raw []byte) asked {
	q := asked{charge: hashOf(raw)}
	what := *c
	what.States = nil
	if c.Question != "" || c.States != nil {
		what.Question = ""
		q.charge = hashOf(mustMarshal(what))
	}
	if c.Question != "" {
		what.Question, what.Plan, what.Events = c.Question, "", nil
		q.question = digestOfCharge(what, nil)
	}
	what.Plan, what.Events = "", nil
	what.Question = ""
	var purposes []string
	for _, e := range c.Events {
		purposes = append(purposes, e.For)
	}
	slices.Sort(purposes)
	q.facts = digestOfCharge(what, slices.Compact(purposes))
	return q
}

func digestOfCharge(c dp.Charge, more []string) digest {
	return sha256.Sum256(mustMarshal(struct {
		Charge dp.Charge
		More   []string
	}{c, more}))
}

func mustMarshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic("budget: internal error: a charge that was written before cannot be written")
	}
	return text
}

// answers says whether what was paid answers a request.
func (p *paid) answers(q asked) bool {
	none := digest{}
	switch {
	case p.asked.question != none || q.question == none:
		return p.asked.question == q.question && (q.question != none || p.asked.charge == q.charge)
	case p.asked.charge == q.charge:
		return true
	}
	return p.early && p.asked.facts == q.facts
}
