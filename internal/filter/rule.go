package filter

import "github.com/equipoise-dp/equipoise/dp"

// A Rule is how charges are added up. What each one guarantees is said at
// budget.Rule.
type Rule int

// The rules, in the order of their numbers.
const (
	Default Rule = iota
	Basic
	GDP
	ZCDP
)

// Keeps says whether the rule can hold a limit of this kind.
func (r Rule) Keeps(l dp.Loss) bool {
	parts := dp.PartsOf(l)
	switch {
	case parts.Rho > 0:
		return r == Default || r == ZCDP
	case parts.Delta == 0:
		return r == Default || r == Basic
	}
	return true
}
