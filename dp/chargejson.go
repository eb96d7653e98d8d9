package dp

import (
	"encoding/json"
	"math/big"
	"strconv"
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
	b := make([]byte, 0, 1024)
	b = appendText(append(b, `{"dataset":`...), c.Dataset)
	b = appendUnlessEmpty(b, `,"unit":`, c.Unit)
	b = appendText(append(b, `,"purpose":`...), c.Purpose)
	b = appendText(append(b, `,"key":`...), c.Key)
	b = appendUnlessEmpty(b, `,"plan":`, c.Plan)
	b = appendUnlessEmpty(b, `,"question":`, c.Question)
	b = appendUnlessEmpty(b, `,"analyst":`, c.Analyst)
	if len(c.Periods) > 0 {
		b = appendList(append(b, `,"periods":`...), c.Periods, appendText)
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
	b = appendText(append(b, `{"mechanism":`...), string(e.Mechanism))
	b = appendUnlessEmpty(b, `,"for":`, e.For)
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

func appendUnlessEmpty(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	return appendText(append(b, name...), text)
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

// appendText appends a text as json.Marshal writes it.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		if !plain(text[i]) {
			quoted, _ := json.Marshal(text) // a string always has one
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// plain says of a byte that JSON has it as it is.
func plain(c byte) bool {
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
}
