package policy

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// fields are the names that the document has, and where they go.
func (p *Policy) fields(r *reader) map[string]field {
	return map[string]field{
		"version": r.count(&p.Version, 1), "dataset": r.text(&p.Dataset), "about": r.text(&p.About), "holder": r.text(&p.Holder),
		"unit": r.text(&p.Unit), "unit_means": r.text(&p.Means), "unit_is_event": r.bool(&p.Event),
		"people":  {read: func(path string, v any) { r.object(path, v, p.People.fields(r)) }},
		"largest": r.loss(&p.Largest), "why": r.text(&p.Why), "decided_by": r.text(&p.By), "decided_on": r.day(&p.On),
		"least_group": optional(r.count(&p.LeastGroup, 0)), "retain_days": optional(r.count(&p.RetainDays, 0)),
		"modules": optional(r.texts(&p.Modules, 1)), "askers_authenticated": optional(r.bool(&p.Authenticated)),
		"purposes": {read: func(path string, v any) {
			p.Purposes = map[string]Purpose{}
			r.each(path, v, func(name, path string, v any) {
				purpose := Purpose{}
				r.object(path, v, purpose.fields(r))
				p.Purposes[name] = purpose
			})
		}},
	}
}

func (n *People) fields(r *reader) map[string]field {
	return map[string]field{
		"at_least": r.count(&n.AtLeast, 1), "at_most": r.count(&n.AtMost, 1),
		"stated_by": optional(r.text(&n.Known)), "paid_under": optional(r.text(&n.Paid)),
	}
}

func (u *Purpose) fields(r *reader) map[string]field {
	return map[string]field{
		"reason": r.text(&u.Reason), "basis": r.text(&u.Basis), "until": r.day(&u.Until), "askers": r.texts(&u.Askers, 1),
		"columns": optional(field{read: func(path string, v any) {
			u.Columns = map[string]Bounds{}
			r.each(path, v, func(name, path string, v any) {
				b := Bounds{}
				r.object(path, v, map[string]field{"lower": r.amount(&b.Lower, &b.Duration), "upper": r.amount(&b.Upper, &b.Duration)})
				u.Columns[name] = b
			})
		}}),
		"groups": optional(r.texts(&u.Groups, 1)), "keys": r.oneOf(&u.Keys, KeysAny, KeysGiven, KeysSelected),
		"consent": r.oneOf(&u.Consent, ConsentNone, OptIn, OptOut), "limit": optional(r.loss(&u.Limit)),
	}
}

func optional(f field) field {
	f.optional = true
	return f
}

// JSON writes the document, in one form for all documents that mean the same.
func (p *Policy) JSON() []byte {
	purposes := map[string]any{}
	for name, u := range p.Purposes {
		purposes[name] = u.json()
	}
	m := object{
		"version": p.Version, "dataset": p.Dataset, "about": p.About, "holder": p.Holder,
		"unit": p.Unit, "unit_means": p.Means, "unit_is_event": p.Event, "people": p.People.json(),
		"largest": p.Largest, "why": p.Why, "decided_by": p.By, "decided_on": p.On.Format(time.DateOnly), "purposes": purposes,
	}
	m.add("least_group", p.LeastGroup, p.LeastGroup != 0)
	m.add("retain_days", p.RetainDays, p.RetainDays != 0)
	m.add("modules", p.Modules, len(p.Modules) > 0)
	m.add("askers_authenticated", true, p.Authenticated)
	text, err := json.Marshal(m)
	if err != nil {
		panic("policy: internal error: a document cannot be written: " + err.Error())
	}
	return text
}

// MarshalJSON writes what [Policy.JSON] returns.
func (p *Policy) MarshalJSON() ([]byte, error) {
	if p.Largest == nil {
		return nil, fmt.Errorf("policy: largest is missing: %w", dp.CheckLoss(nil))
	}
	return p.JSON(), nil
}

type object map[string]any

func (m object) add(name string, v any, there bool) {
	if there {
		m[name] = v
	}
}

func (n People) json() object {
	m := object{"at_least": n.AtLeast, "at_most": n.AtMost}
	m.add("stated_by", n.Known, n.Known != "")
	m.add("paid_under", n.Paid, n.Paid != "")
	return m
}

func (u Purpose) json() object {
	m := object{
		"reason": u.Reason, "basis": u.Basis, "until": u.Until.Format(time.DateOnly), "askers": u.Askers, "keys": u.Keys, "consent": u.Consent,
	}
	columns := map[string]any{}
	for name, b := range u.Columns {
		columns[name] = object{"lower": b.shown(b.Lower), "upper": b.shown(b.Upper)}
	}
	m.add("columns", columns, len(columns) > 0)
	m.add("groups", u.Groups, len(u.Groups) > 0)
	m.add("limit", u.Limit, u.Limit != nil)
	return m
}

// shown writes a bound as the document does.
func (b Bounds) shown(x *big.Rat) any {
	if b.Duration && x.IsInt() && x.Num().IsInt64() {
		return duration(time.Duration(x.Num().Int64()))
	}
	return decimal(x)
}

// duration writes "24h" and not "24h0m0s".
func duration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// decimal writes a bound as the number that it was read from.
func decimal(x *big.Rat) json.Number {
	if x.IsInt() {
		return json.Number(x.Num().String())
	}
	f, _ := x.Float64() // of a decimal that is as short as a float's, so nothing is lost
	return json.Number(fmt.Sprint(f))
}
