package budget

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/filter"
)

// A TermsError says that an account was created with other terms than those that
// [OpenOrCreate] was given.
type TermsError struct {
	Account string
	Fields  []string // at least one, such as "Terms.Limit is ε=2, not ε=1": what it has, and what was given
}

func (e *TermsError) Error() string {
	return fmt.Sprintf("budget: account %q has other terms than those given: %s; give the terms that it has; terms never change, but Account.Raise raises the limit",
		e.Account, strings.Join(e.Fields, "; "))
}

// compare returns nil if the account has these terms.
func (a *Account) compare(t Terms) error {
	a.mu.RLock()
	defer a.mu.RUnlock()
	there := a.state.terms.clone()
	if raised := a.state.limits[scope{kind: scopeAccount}]; t.Limit == raised {
		there.Limit = raised
	}
	if fields := there.differences(t); len(fields) > 0 {
		return &TermsError{a.name, fields}
	}
	return nil
}

// differences returns the fields in which two terms differ in what they mean.
func (t Terms) differences(o Terms) (all []string) {
	add := func(field, there, given string) {
		if there != given {
			all = append(all, fmt.Sprintf("%s is %s, not %s", field, there, given))
		}
	}
	add("Terms.Dataset", fmt.Sprintf("%q", t.Dataset), fmt.Sprintf("%q", o.Dataset))
	add("Terms.Unit", fmt.Sprintf("%q", t.Unit), fmt.Sprintf("%q", o.Unit))
	add("Terms.Limit", limitText(t.Limit), limitText(o.Limit))
	add("Terms.Odometer", fmt.Sprint(t.Odometer), fmt.Sprint(o.Odometer))
	add("Terms.Rule", t.Rule.String(), o.Rule.String())
	each := func(field string, t, o map[string]dp.Loss) {
		both := maps.Clone(t)
		if both == nil {
			both = map[string]dp.Loss{}
		}
		maps.Copy(both, o)
		for _, p := range slices.Sorted(maps.Keys(both)) {
			add(fmt.Sprintf("%s[%q]", field, p), limitText(t[p]), limitText(o[p]))
		}
	}
	each("Terms.Parts", t.Parts, o.Parts)
	if (t.Purposes == nil) != (o.Purposes == nil) {
		add("Terms.Purposes", purposesText(t.Purposes), purposesText(o.Purposes))
	} else {
		each("Terms.Purposes", t.Purposes, o.Purposes)
	}
	add("Terms.Period", limitText(t.Period), limitText(o.Period))
	add("Terms.Analyst", limitText(t.Analyst), limitText(o.Analyst))
	add("Terms.EventShare", fmt.Sprint(t.share()), fmt.Sprint(o.share()))
	add("Terms.Refusals", fmt.Sprint(t.Refusals), fmt.Sprint(o.Refusals))
	return all
}

func limitText(l dp.Loss) string {
	if l == nil {
		return "none"
	}
	return l.String()
}

func purposesText(p map[string]dp.Loss) string {
	if p == nil {
		return "nil, which allows all"
	}
	return fmt.Sprintf("%q", slices.Sorted(maps.Keys(p)))
}

// share returns the part of δ for events that the terms mean.
func (t Terms) share() float64 {
	switch {
	case t.Rule == Basic:
		return 0
	case t.EventShare == 0 && t.Rule == Default:
		return filter.DefaultShare
	}
	return t.EventShare
}
