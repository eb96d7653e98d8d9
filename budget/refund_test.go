package budget

import (
	"errors"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

func TestNothingIsGivenBackAndTheReasonIsSaid(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	if err := a.Refund(t.Context(), "may"); !errors.Is(err, ErrNotPaid) || errors.Is(err, ErrNoRefund) {
		t.Errorf("of what was not paid: %v", err)
	}
	if _, err := a.Spend(t.Context(), testCharge("may", dp.Pure{Epsilon: 0.25})); err != nil {
		t.Fatal(err)
	}
	err := a.Refund(t.Context(), "may")
	if !errors.Is(err, ErrNoRefund) {
		t.Fatalf("a refund: %v", err)
	}
	for _, part := range []string{`request key "may" in entry 1`, "can depend on the rows", "run it again under the same key, at no cost"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not say %q", err, part)
		}
	}
	if spent := spentOf(t, a); spent != (dp.Pure{Epsilon: 0.25}) {
		t.Errorf("%v is spent after the refund, was ε=0.25", spent)
	}
}
