package budget

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/equipoise-dp/equipoise/dp"
)

// Whatever has losses and is written as JSON is read back as it was: losses are the
// exact decimals of ledgers, and null is nothing. A field that is not known is an
// error, since whoever wrote it meant something.

// An amount is a loss of any kind, or nothing, that JSON is read into.
type amount struct{ dp.Loss }

// UnmarshalJSON implements json.Unmarshaler.
func (a *amount) UnmarshalJSON(b []byte) (err error) {
	a.Loss, err = dp.UnmarshalLoss(b)
	return err
}

// readLosses reads JSON into a struct whose fields of type [dp.Loss] are named. While
// it is read each of them holds an amount, which finds out of which kind the loss is.
// What is null or missing is nothing.
func readLosses(what string, b []byte, to any, losses ...*dp.Loss) error {
	amounts := make([]amount, len(losses))
	for i, l := range losses {
		*l = &amounts[i]
	}
	err := readStrictly(what, b, to)
	for i, l := range losses {
		*l = amounts[i].Loss
	}
	return err
}

// readStrictly reads JSON that has no field but those of to.
func readStrictly(what string, b []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return fmt.Errorf("budget: %s: %w", what, err)
	}
	return nil
}

// UnmarshalJSON reads what json.Marshal wrote, and nothing else.
func (s *Status) UnmarshalJSON(b []byte) error {
	type plain Status
	return readStrictly("status", b, (*plain)(s))
}

// UnmarshalJSON reads what json.Marshal wrote, and nothing else.
func (s *ScopeStatus) UnmarshalJSON(b []byte) error {
	type plain ScopeStatus
	var j plain
	if err := readLosses("status of a limit", b, &j, &j.Limit, &j.Spent, &j.Left); err != nil {
		return err
	}
	var has struct {
		Limit json.RawMessage `json:"limit"`
	}
	if json.Unmarshal(b, &has) != nil || has.Limit == nil || j.Limit == nil && j.Scope != scopeAccount { // null is that of an odometer
		return errors.New("budget: status of a limit: limit is missing, must be given")
	}
	*s = ScopeStatus(j)
	return nil
}

// UnmarshalJSON reads what json.Marshal wrote, and nothing else.
func (e *RefusedError) UnmarshalJSON(b []byte) error {
	type plain RefusedError
	var j plain
	if err := readLosses("refusal", b, &j, &j.Asked, &j.Limit, &j.Spent, &j.Left, &j.Fits); err != nil {
		return err
	}
	if j.Asked == nil {
		return errors.New("budget: refusal: asked is missing, must be given")
	}
	*e = RefusedError(j)
	return nil
}

// UnmarshalJSON reads what json.Marshal wrote, and nothing else.
func (f *Refusal) UnmarshalJSON(b []byte) error {
	type plain Refusal
	var j plain
	if err := readLosses("refusal", b, &j, &j.Asked, &j.Left); err != nil {
		return err
	}
	if j.Asked == nil {
		return errors.New("budget: refusal: asked is missing, must be given")
	}
	*f = Refusal(j)
	return nil
}
