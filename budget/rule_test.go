package budget

import (
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

func TestARuleThatIsNoneHasItsNumber(t *testing.T) {
	if got := Rule(9).String(); got != "Rule(9)" {
		t.Errorf("%q, want Rule(9)", got)
	}
}

func TestOnlyRulesThatAreKnownAreTaken(t *testing.T) {
	for r, known := range map[Rule]bool{-1: false, Default: true, ZCDP: true, Rule(len(ruleNames)): false} {
		if err := r.check(); (err == nil) != known {
			t.Errorf("%v: %v, known is %t", r, err, known)
		}
	}
}

// Orders are of Rényi divergence, and no other rule has any.
func TestOnlyRuleDefaultHasOrders(t *testing.T) {
	limit := dp.Approx{Epsilon: 1, Delta: 1e-6}
	for _, r := range []Rule{Default, Basic, GDP, ZCDP} {
		terms := testTerms(limit)
		terms.Rule, terms.Period = r, limit
		orders := starsFor(terms)
		if want := map[bool]int{true: 2}[r == Default]; len(orders) != want {
			t.Errorf("%v: orders %v, want %d", r, orders, want)
		}
	}
}
