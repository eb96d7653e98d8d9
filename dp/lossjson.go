package dp

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Losses have one form in JSON, {"delta":"1e-06","epsilon":"1"}: an object of
// strings, so that no reader rounds, by name in the order of the alphabet. The
// hashes of ledgers are of these bytes, which must never change.

// MarshalJSON writes the loss as in {"epsilon":"1"}.
func (l Pure) MarshalJSON() ([]byte, error) {
	return fmt.Append(nil, `{"epsilon":"`, l.Epsilon, `"}`), nil
}

// MarshalJSON writes the loss as in {"delta":"1e-06","epsilon":"1"}.
func (l Approx) MarshalJSON() ([]byte, error) {
	return fmt.Append(nil, `{"delta":"`, l.Delta, `","epsilon":"`, l.Epsilon, `"}`), nil
}

// MarshalJSON writes the loss as in {"rho":"0.5"}, or {"delta":"1e-06","rho":"0.5"}.
func (l Concentrated) MarshalJSON() ([]byte, error) {
	if l.Delta != 0 {
		return fmt.Append(nil, `{"delta":"`, l.Delta, `","rho":"`, l.Rho, `"}`), nil
	}
	return fmt.Append(nil, `{"rho":"`, l.Rho, `"}`), nil
}

// UnmarshalJSON reads what MarshalJSON wrote, as [UnmarshalLoss] does.
func (l *Pure) UnmarshalJSON(b []byte) error { return readLoss(b, l) }

// UnmarshalJSON reads what MarshalJSON wrote, as [UnmarshalLoss] does.
func (l *Approx) UnmarshalJSON(b []byte) error { return readLoss(b, l) }

// UnmarshalJSON reads what MarshalJSON wrote, as [UnmarshalLoss] does.
func (l *Concentrated) UnmarshalJSON(b []byte) error { return readLoss(b, l) }

func readLoss[L Loss](b []byte, to *L) error {
	l, err := UnmarshalLoss(b)
	if err != nil {
		return err
	}
	kind, ok := l.(L)
	if !ok {
		return fmt.Errorf("dp: loss is %v, must be a %T", l, *to)
	}
	*to = kind
	return nil
}

// UnmarshalLoss reads a loss of any kind that json.Marshal wrote, and checks it. It
// also reads what other versions and people wrote: numbers that are not strings,
// names in capitals and the text that [ParseLoss] reads. Nothing, which is null, is
// an error: it cannot be spent.
func UnmarshalLoss(b []byte) (Loss, error) {
	var j lossJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return nil, fmt.Errorf("dp: loss: %w", err)
	}
	if err := CheckLoss(j.Loss); err != nil {
		return nil, err
	}
	return j.Loss, nil
}

// A lossJSON is a field that holds a loss of any kind.
type lossJSON struct{ Loss }

// MarshalJSON implements json.Marshaler.
func (l lossJSON) MarshalJSON() ([]byte, error) {
	switch l := l.Loss.(type) {
	case nil:
		return nil, CheckLoss(nil)
	case Pure:
		return l.MarshalJSON()
	case Approx:
		return l.MarshalJSON()
	case Concentrated:
		return l.MarshalJSON()
	}
	return json.Marshal(l.Loss) // of what CheckLoss refuses
}

// UnmarshalJSON implements json.Unmarshaler. It does not check the loss: a charge
// joins all its mistakes.
func (l *lossJSON) UnmarshalJSON(b []byte) (err error) {
	if len(b) > 0 && b[0] == '"' {
		var text string
		if err := json.Unmarshal(b, &text); err != nil {
			return err
		}
		l.Loss, err = ParseLoss(text)
		return err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return err
	}
	l.Loss, err = lossOfFields(fields)
	return err
}

func lossOfFields(fields map[string]json.RawMessage) (Loss, error) {
	var n numbers
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		raw := fields[name]
		if lower, ok := capitals[name]; ok {
			name = lower
		}
		errs = append(errs, n.set(name, unquoted(raw)))
	}
	return n.loss(errs)
}

var capitals = map[string]string{"Epsilon": "epsilon", "Delta": "delta", "Rho": "rho"}

// unquoted returns the text of a number, which may be in a string.
func unquoted(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil && text != "" {
		return text
	}
	return string(raw)
}
