package budget

import (
	"fmt"
	"slices"

	"github.com/equipoise-dp/equipoise/dp"
)

// A scope is one limit that charges run up against: that of the account, or one
// of its parts.
type scope struct{ kind, name string }

const (
	scopeAccount = "account"
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
	scopes := []scope{{kind: scopeAccount}}
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

func (t *Terms) refuse(s scope, c *dp.Charge, reason string) *RefusedError {
	return &RefusedError{Account: t.Dataset, Scope: s.String(), Key: c.Key, Asked: c.Loss, Reason: reason}
}
