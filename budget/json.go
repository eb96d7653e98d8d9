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

// An amount is a loss that can be nothing.
type amount struct{ dp.Loss }

// MarshalJSON writes the loss as [dp.MarshalLoss] does, or null.
func (a amount) MarshalJSON() ([]byte, error) {
	if a.Loss == nil {
		return []byte("null"), nil
	}
	return dp.MarshalLoss(a.Loss)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (a *amount) UnmarshalJSON(b []byte) (err error) {
	a.Loss = nil
	if string(b) != "null" {
		a.Loss, err = dp.UnmarshalLoss(b)
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

type statusJSON struct {
	Account string        `json:"account"`
	Entries uint64        `json:"entries"`
	Frozen  bool          `json:"frozen"`
	Reason  string        `json:"reason,omitempty"`
	Whole   ScopeStatus   `json:"whole"`
	Parts   []ScopeStatus `json:"parts,omitempty"`
}

// MarshalJSON writes losses as exact decimals.
func (s Status) MarshalJSON() ([]byte, error) { return json.Marshal(statusJSON(s)) }

// UnmarshalJSON reads what MarshalJSON wrote, and nothing else.
func (s *Status) UnmarshalJSON(b []byte) error {
	return readStrictly("status", b, (*statusJSON)(s))
}

type scopeStatusJSON struct {
	Scope string `json:"scope"`
	Name  string `json:"name,omitempty"`
	Limit amount `json:"limit"`
	Spent amount `json:"spent"`
	Left  amount `json:"left"`
}

// MarshalJSON writes losses as exact decimals, and null for nothing.
func (s ScopeStatus) MarshalJSON() ([]byte, error) {
	return json.Marshal(scopeStatusJSON{s.Scope, s.Name, amount{s.Limit}, amount{s.Spent}, amount{s.Left}})
}

// UnmarshalJSON reads what MarshalJSON wrote, and nothing else.
func (s *ScopeStatus) UnmarshalJSON(b []byte) error {
	var j scopeStatusJSON
	if err := readStrictly("status of a limit", b, &j); err != nil {
		return err
	}
	if j.Limit.Loss == nil {
		return errors.New("budget: status of a limit: limit is missing, must be given")
	}
	*s = ScopeStatus{j.Scope, j.Name, j.Limit.Loss, j.Spent.Loss, j.Left.Loss}
	return nil
}

type refusedErrorJSON struct {
	Account string   `json:"account"`
	Scope   string   `json:"scope"`
	Key     string   `json:"key"`
	Asked   amount   `json:"asked"`
	Limit   amount   `json:"limit"`
	Spent   amount   `json:"spent"`
	Left    amount   `json:"left"`
	Binds   []string `json:"binds,omitempty"`
	Fits    amount   `json:"fits"`
	Frozen  bool     `json:"frozen,omitempty"`
	Reason  string   `json:"reason,omitempty"`
}

// MarshalJSON writes losses as exact decimals, and null for nothing.
func (e RefusedError) MarshalJSON() ([]byte, error) {
	return json.Marshal(refusedErrorJSON{
		e.Account, e.Scope, e.Key, amount{e.Asked}, amount{e.Limit}, amount{e.Spent}, amount{e.Left}, e.Binds, amount{e.Fits}, e.Frozen, e.Reason,
	})
}

// UnmarshalJSON reads what MarshalJSON wrote, and nothing else.
func (e *RefusedError) UnmarshalJSON(b []byte) error {
	var j refusedErrorJSON
	if err := readStrictly("refusal", b, &j); err != nil {
		return err
	}
	if j.Asked.Loss == nil {
		return errors.New("budget: refusal: asked is missing, must be given")
	}
	*e = RefusedError{
		j.Account, j.Scope, j.Key, j.Asked.Loss, j.Limit.Loss, j.Spent.Loss, j.Left.Loss, j.Binds, j.Fits.Loss, j.Frozen, j.Reason,
	}
	return nil
}
