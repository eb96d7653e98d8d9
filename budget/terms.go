package budget

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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

	// Odometer says that there is no Limit, which is nil then: whatever is asked is added up, and
	// nothing is refused for its amount but by Parts, Purposes, Period and Analyst. The Rule must be Basic or
	// ZCDP, whose sums mean the same under every limit; under Basic a ρ is refused, and
	// under ZCDP a δ. What is read off, as Status says it, promises this and no more
	// (docs/proofs/odometer.md): of each amount that was fixed before the first answer, that
	// everything published until more than it was read off is as private as that
	// amount says. It is no promise of what will be read off in the end.
	Odometer bool

	// Parts are limits of datasets within this one, by names that are paths from Dataset on:
	// of "shop" the parts "shop/eu" and "shop/eu/returns". A charge for a part counts in it, in
	// all that it is within, and in the parts that are within it, since it may read their rows: in all
	// of them, in one record, or in none. Charges name a part or Dataset. If nil, there are none.
	// Unit, policy, keys and freezing are those of the whole.
	Parts map[string]dp.Loss

	// Rule is how charges are added up. The zero value is Default.
	Rule Rule

	// Purposes are limits of their own, per purpose. If nil, every purpose is
	// allowed; otherwise those that are not named are refused.
	Purposes map[string]dp.Loss

	// Period is a limit for the charges that read one period of the data, for
	// each period. Periods are names in a charge, never the time of day: no
	// clock gives budget back. If nil, there is none.
	//
	// It promises, of each period by itself: what all charges that name it tell of the rows
	// of one unit in that period is as private as it says. It promises nothing of what
	// they tell of a unit that has rows in several periods, which can be as much as the sum over
	// those; Limit does. It is as true as charges are about the periods that they read.
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
	errs = append(errs, t.checkOdometer(), t.checkParts())
	for scope, l := range t.limits() {
		if !t.Odometer || scope.kind != scopeAccount {
			errs = append(errs, t.Rule.takes(scope, l))
		}
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

func (t Terms) checkOdometer() error {
	switch {
	case !t.Odometer:
		return nil
	case t.Limit != nil:
		return fmt.Errorf("budget: Terms.Limit is %v and Terms.Odometer is true; an odometer has no limit: leave one of them out", t.Limit)
	case t.Rule != Basic && t.Rule != ZCDP:
		return fmt.Errorf("budget: Terms.Rule is %v, and an odometer's must be basic or zcdp: what the others add up depends on a limit", t.Rule)
	}
	return nil
}

func (t Terms) checkParts() error {
	var errs []error
	if t.Parts != nil && len(t.Parts) == 0 {
		errs = append(errs, errors.New("budget: Terms.Parts is empty; name a part, or leave it nil for none"))
	}
	for _, p := range slices.Sorted(maps.Keys(t.Parts)) {
		errs = append(errs, name("a part in Terms.Parts", p))
		rest, within := strings.CutPrefix(p, t.Dataset+"/")
		if !within || slices.Contains(strings.Split(rest, "/"), "") {
			errs = append(errs, fmt.Errorf("budget: Terms.Parts has %q, must be a path from Terms.Dataset on, such as %q", p, t.Dataset+"/part"))
		}
	}
	return errors.Join(errs...)
}

// limits returns every limit by the key of its template scope.
func (t Terms) limits() map[scope]dp.Loss {
	m := map[scope]dp.Loss{{kind: scopeAccount}: t.Limit}
	for p, l := range t.Parts {
		m[scope{scopePart, p}] = l
	}
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
	t.Purposes, t.Parts = maps.Clone(t.Purposes), maps.Clone(t.Parts)
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
	Limit      json.RawMessage            `json:"limit,omitempty"`
	Odometer   bool                       `json:"odometer,omitempty"`
	Parts      map[string]json.RawMessage `json:"parts,omitempty"`
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
	each := func(limits map[string]dp.Loss) map[string]json.RawMessage {
		if limits == nil {
			return nil
		}
		m := map[string]json.RawMessage{}
		for name, l := range limits {
			m[name] = loss(l)
		}
		return m
	}
	j := termsJSON{
		Dataset: t.Dataset, Unit: t.Unit, Limit: loss(t.Limit), Odometer: t.Odometer, Parts: each(t.Parts), Rule: t.Rule.String(),
		Purposes: each(t.Purposes), Period: loss(t.Period), Analyst: loss(t.Analyst), EventShare: t.EventShare, Refusals: t.Refusals,
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
	each := func(limits map[string]json.RawMessage) map[string]dp.Loss {
		if limits == nil {
			return nil
		}
		m := map[string]dp.Loss{}
		for name, l := range limits {
			m[name] = loss(l)
		}
		return m
	}
	*t = Terms{
		Dataset: j.Dataset, Unit: j.Unit, Limit: loss(j.Limit), Odometer: j.Odometer, Parts: each(j.Parts), Rule: rule,
		Purposes: each(j.Purposes), Period: loss(j.Period), Analyst: loss(j.Analyst), EventShare: j.EventShare, Refusals: j.Refusals,
	}
	return errors.Join(errs...)
}
