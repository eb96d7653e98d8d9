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
	switch l.(type) {
	case dp.Pure:
		return r == Default || r == Basic
	case dp.Concentrated:
		return r == Default || r == ZCDP
	}
	return true
}
