package budget

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/equipoise-dp/equipoise/dp"
)

// A scope is one limit that charges run up against: that of the account, or one
// of its parts.
type scope struct{ kind, name string }

const (
	scopeAccount = "account"
	scopePart    = "part"
	scopePurpose = "purpose"
	scopePeriod  = "period"
	scopeAnalyst = "analyst"
)

func (s scope) String() string {
	if s.name == "" {
		return s.kind
	}
	return fmt.Sprintf("%s %q", s.kind, s.name)
}

// template is the scope that holds the limit in the terms.
func (s scope) template() scope {
	if s.kind == scopePeriod || s.kind == scopeAnalyst {
		s.name = ""
	}
	return s
}

// scopesOf returns every scope that a charge counts in, the account first.
func (t *Terms) scopesOf(c *dp.Charge) ([]scope, error) {
	scopes := append([]scope{{kind: scopeAccount}}, t.partsOf(c.Dataset)...)
	if t.Purposes != nil {
		if t.Purposes[c.Purpose] == nil {
			return nil, t.refuse(scope{scopePurpose, c.Purpose}, c, "the account does not allow this purpose")
		}
		scopes = append(scopes, scope{scopePurpose, c.Purpose})
	}
	if t.Period != nil {
		if len(c.Periods) == 0 {
			return nil, t.refuse(scope{kind: scopePeriod}, c, "the account has a limit per period, and the charge names none")
		}
		for _, p := range slices.Compact(slices.Sorted(slices.Values(c.Periods))) {
			scopes = append(scopes, scope{scopePeriod, p})
		}
	}
	if t.Analyst != nil {
		if c.Analyst == "" {
			return nil, t.refuse(scope{kind: scopeAnalyst}, c, "the account has a limit per analyst, and the charge names none")
		}
		scopes = append(scopes, scope{scopeAnalyst, c.Analyst})
	}
	return scopes, nil
}

// partsOf returns the parts that a charge for a dataset counts in, in the order of their
// names: the whole before what is within it.
func (t *Terms) partsOf(dataset string) (parts []scope) {
	for _, p := range slices.Sorted(maps.Keys(t.Parts)) {
		if within(p, dataset) || within(dataset, p) {
			parts = append(parts, scope{scopePart, p})
		}
	}
	return parts
}

// within reports whether a dataset is another one or a part of it.
func within(dataset, whole string) bool {
	return dataset == whole || strings.HasPrefix(dataset, whole+"/")
}

func (t *Terms) refuse(s scope, c *dp.Charge, reason string) *RefusedError {
	return &RefusedError{Account: t.Dataset, Scope: s.String(), Key: c.Key, Asked: c.Loss, Reason: reason}
}
