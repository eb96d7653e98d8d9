package dp

import (
	"encoding/json"
	"math/big"
	"strconv"

	"github.com/equipoise-dp/equipoise/internal/jsontext"
)

// The bytes of charges are under the hashes of ledgers and never change: they are what
// package encoding/json makes of eventJSON and chargeJSON. They are appended here field by
// field, since every spend writes one.

// MarshalJSON writes rationals as quotients, so that nothing is rounded.
func (e Event) MarshalJSON() ([]byte, error) { return e.appendJSON(nil), nil }

// MarshalJSON implements json.Marshaler.
func (c Charge) MarshalJSON() ([]byte, error) {
	loss, err := lossJSON{c.Loss}.MarshalJSON()
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, 256+len(c.Key)+len(c.Plan)+len(c.Question)+160*len(c.Events))
	b = jsontext.Append(append(b, `{"dataset":`...), c.Dataset)
	b = jsontext.Field(b, `,"unit":`, c.Unit)
	b = jsontext.Append(append(b, `,"purpose":`...), c.Purpose)
	b = jsontext.Append(append(b, `,"key":`...), c.Key)
	b = jsontext.Field(b, `,"plan":`, c.Plan)
	b = jsontext.Field(b, `,"question":`, c.Question)
	b = jsontext.Field(b, `,"analyst":`, c.Analyst)
	if len(c.Periods) > 0 {
		b = appendList(append(b, `,"periods":`...), c.Periods, jsontext.Append)
	}
	b = append(append(b, `,"loss":`...), loss...)
	b = append(b, `,"events":`...)
	if c.Events == nil {
		b = append(b, "null"...)
	} else {
		b = appendList(b, c.Events, func(b []byte, e Event) []byte { return e.appendJSON(b) })
	}
	if c.States != nil {
		states, _ := json.Marshal(c.States) // texts and numbers always have one
		b = append(append(b, `,"states":`...), states...)
	}
	return append(b, '}'), nil
}

func (e Event) appendJSON(b []byte) []byte {
	b = jsontext.Append(append(b, `{"mechanism":`...), string(e.Mechanism))
	b = jsontext.Field(b, `,"for":`, e.For)
	if e.Sensitivity != (Sensitivity{}) {
		b = strconv.AppendInt(append(b, `,"sensitivity":{"l0":`...), e.Sensitivity.L0, 10)
		b = strconv.AppendInt(append(b, `,"linf":`...), e.Sensitivity.LInf, 10)
		b = append(b, '}')
	}
	b = appendQuotient(b, `,"scale":"`, e.Scale)
	b = appendQuotient(b, `,"epsilon":"`, e.Epsilon)
	b = appendQuotient(b, `,"delta":"`, e.Delta)
	b = appendQuotient(b, `,"rho":"`, e.Rho)
	b = strconv.AppendInt(append(b, `,"count":`...), int64(e.Count), 10)
	return append(b, '}')
}

// appendQuotient appends a rational that is there, and the end of its text.
func appendQuotient(b []byte, name string, x *big.Rat) []byte {
	if x == nil {
		return b
	}
	b, _ = x.AppendText(append(b, name...)) // a rational always has a text
	return append(b, '"')
}

func appendList[T any](b []byte, list []T, one func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i, x := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b, x)
	}
	return append(b, ']')
}
