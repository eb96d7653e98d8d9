package budget

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"unicode/utf8"

	"github.com/equipoise-dp/equipoise/dp"
)

// Terms are what an account is created with. They are its first record and
// never change; a limit can be raised by an act of its own, [Account.Raise].
type Terms struct {
	// Dataset is what the rows are of. It is the account's name.
	Dataset string

	// Unit is who is protected, such as "customer". If it is not empty, charges
	// for another unit are an error.
	Unit string

	// Limit is what all charges together may cost.
	Limit dp.Loss

	// Rule is how charges are added up. The zero value is Default.
	Rule Rule

	// Purposes are limits of their own, per purpose. If nil, every purpose is
	// allowed; otherwise those that are not named are refused.
	Purposes map[string]dp.Loss

	// Period is a limit for the charges that read one period of the data, for
	// each period. Periods are names in a charge, never the time of day: no
	// clock gives budget back. If nil, there is none.
	Period dp.Loss

	// Analyst is a limit for the charges of one analyst, for each. Analysts who
	// tell each other what they learnt are bounded by Limit. If nil, there is
	// none.
	Analyst dp.Loss

	// EventShare is the part of the limit's δ that is kept for mechanisms with a
	// δ of their own, such as thresholds on keys; the rest converts Rényi
	// divergence to ε. It is fixed at the start, because a part that could be
	// chosen after an answer would not be sound. If 0, it is 1/4 under Default,
	// and under GDP and ZCDP such mechanisms are refused. Under Basic it means
	// nothing.
	EventShare float64

	// Refusals is how many requests that were refused the ledger keeps between two
	// entries of another kind, 1000 at most: who asked for what, for which purpose,
	// and what refused it. Further ones are only counted, so that nobody can fill
	// the ledger by asking. If 0, none is kept.
	Refusals int
}

// Check returns every mistake of the terms, joined.
func (t Terms) Check() error {
	errs := []error{t.Rule.check(), name("Terms.Dataset", t.Dataset), text("Terms.Unit", t.Unit)}
	for scope, l := range t.limits() {
		errs = append(errs, t.Rule.takes(scope, l))
	}
	if t.Purposes != nil && len(t.Purposes) == 0 {
		errs = append(errs, errors.New("budget: Terms.Purposes is empty, which allows nothing; name a purpose, or leave it nil to allow all"))
	}
	for p := range t.Purposes {
		errs = append(errs, name("a purpose in Terms.Purposes", p))
	}
	if !(t.EventShare >= 0 && t.EventShare < 1) {
		errs = append(errs, fmt.Errorf("budget: Terms.EventShare is %v, must be in [0, 1)", t.EventShare))
	}
	if t.Refusals < 0 || t.Refusals > mostRefusals {
		errs = append(errs, fmt.Errorf("budget: Terms.Refusals is %d, must be 0 to %d", t.Refusals, mostRefusals))
	}
	return errors.Join(errs...)
}

// limits returns every limit by the key of its template scope.
func (t Terms) limits() map[scope]dp.Loss {
	m := map[scope]dp.Loss{{kind: scopeAccount}: t.Limit}
	for p, l := range t.Purposes {
		m[scope{scopePurpose, p}] = l
	}
	if t.Period != nil {
		m[scope{scopePeriod, ""}] = t.Period
	}
	if t.Analyst != nil {
		m[scope{scopeAnalyst, ""}] = t.Analyst
	}
	return m
}

func (t Terms) clone() Terms {
	t.Purposes = maps.Clone(t.Purposes)
	return t
}

const maxName = 512

func name(field, s string) error {
	if s == "" {
		return fmt.Errorf("budget: %s is empty, must be given", field)
	}
	return text(field, s)
}

func text(field, s string) error {
	if len(s) > maxName {
		return fmt.Errorf("budget: %s has %d bytes, must have at most %d", field, len(s), maxName)
	}
	return utf8Text(field, s)
}

// utf8Text refuses what JSON would write as something else, so that two texts would be
// one in the ledger.
func utf8Text(field, s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("budget: %s is %q, must be UTF-8", field, s)
	}
	return nil
}

type termsJSON struct {
	Dataset    string                     `json:"dataset"`
	Unit       string                     `json:"unit,omitempty"`
	Limit      json.RawMessage            `json:"limit"`
	Rule       string                     `json:"rule"`
	Purposes   map[string]json.RawMessage `json:"purposes,omitempty"`
	Period     json.RawMessage            `json:"period,omitempty"`
	Analyst    json.RawMessage            `json:"analyst,omitempty"`
	EventShare float64                    `json:"event_share,omitempty"`
	Refusals   int                        `json:"refusals,omitempty"`
}

// MarshalJSON writes losses as exact decimals.
func (t Terms) MarshalJSON() ([]byte, error) {
	var errs []error
	loss := func(l dp.Loss) json.RawMessage {
		if l == nil {
			return nil
		}
		b, err := json.Marshal(l)
		errs = append(errs, err)
		return b
	}
	j := termsJSON{t.Dataset, t.Unit, loss(t.Limit), t.Rule.String(), nil, loss(t.Period), loss(t.Analyst), t.EventShare, t.Refusals}
	if t.Purposes != nil {
		j.Purposes = map[string]json.RawMessage{}
		for p, l := range t.Purposes {
			j.Purposes[p] = loss(l)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *Terms) UnmarshalJSON(b []byte) error {
	var j termsJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return fmt.Errorf("budget: terms: %w", err)
	}
	var errs []error
	loss := func(b json.RawMessage) dp.Loss {
		if b == nil {
			return nil
		}
		l, err := dp.UnmarshalLoss(b)
		errs = append(errs, err)
		return l
	}
	rule, err := ParseRule(j.Rule)
	errs = append(errs, err)
	*t = Terms{j.Dataset, j.Unit, loss(j.Limit), rule, nil, loss(j.Period), loss(j.Analyst), j.EventShare, j.Refusals}
	if j.Purposes != nil {
		t.Purposes = map[string]dp.Loss{}
		for p, l := range j.Purposes {
			t.Purposes[p] = loss(l)
		}
	}
	return errors.Join(errs...)
}
