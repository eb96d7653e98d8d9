package budget

import (
	"bytes"
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
}

// askedBy is worked out once for each request and each record; raw is the charge as it
// is stored.
func askedBy(c *dp.Charge, raw []byte) asked {
	q := asked{charge: hashOf(noise(c, raw))}
	if c.Question != "" {
		what := *c
		what.Plan, what.Events, what.States = "", nil, nil
		q.question = hashOf(mustWrite(what.MarshalJSON()))
	}
	return q
}

// noise returns the bytes that the charge would have without its question and without
// what it states, which is written last. No text of a charge has quotes as they are
// here: within a text they are escaped.
func noise(c *dp.Charge, raw []byte) []byte {
	if c.Question != "" {
		field := append([]byte(`,"question":`), mustMarshal(c.Question)...)
		before, after, _ := bytes.Cut(raw, field)
		raw = slices.Concat(before, after)
	}
	if before, _, stated := bytes.Cut(raw, []byte(`,"states":`)); stated {
		raw = slices.Concat(before, []byte("}"))
	}
	return raw
}

// facts are what a charge says of the question otherwise.
func facts(c *dp.Charge) digest {
	what := *c
	what.Plan, what.Question, what.Events, what.States = "", "", nil, nil
	var purposes []string
	for _, e := range c.Events {
		purposes = append(purposes, e.For)
	}
	slices.Sort(purposes)
	return hashOf(mustMarshal(struct {
		Charge dp.Charge
		More   []string
	}{what, slices.Compact(purposes)}))
}

func mustMarshal(v any) []byte { return mustWrite(json.Marshal(v)) }

func mustWrite(text []byte, err error) []byte {
	if err != nil {
		panic("budget: internal error: a charge that was written before cannot be written")
	}
	return text
}

// answers says whether what was paid answers a request for a charge.
func (p *paid) answers(c *dp.Charge, q asked) bool {
	none := digest{}
	switch {
	case p.asked.question != none || q.question == none:
		return p.asked.question == q.question && (q.question != none || p.asked.charge == q.charge)
	case p.asked.charge == q.charge:
		return true
	}
	return p.early && p.facts == facts(c)
}
