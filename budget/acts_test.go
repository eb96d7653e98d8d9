package budget_test

import (
	"context"
	"errors"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// A refusing store reads, and fails every append with an error of its own.
type refusing struct {
	budget.Store
	err error
}

func (s *refusing) Append(ctx context.Context, account string, records ...budget.Record) error {
	if s.err != nil {
		return s.err
	}
	return s.Store.Append(ctx, account, records...)
}

// TestActsThatAreNotRecorded: what a store did not append is not called unknown,
// and what it may have appended is.
func TestActsThatAreNotRecorded(t *testing.T) {
	s := &refusing{Store: budget.Memory()}
	a, err := budget.Create(t.Context(), s, budget.Terms{Dataset: "orders", Unit: "customer", Limit: dp.Pure{Epsilon: 1}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		err     error
		unknown bool
	}{
		{budget.ErrNotAppended, false},
		{errors.New("broken"), true},
	} {
		s.err = test.err
		for act, err := range map[string]error{
			"freeze": a.Freeze(t.Context(), "test", "officer"),
			"raise":  a.Raise(t.Context(), dp.Pure{Epsilon: 2}, "test", "officer"),
		} {
			if !errors.Is(err, test.err) || errors.Is(err, budget.ErrUnknown) != test.unknown {
				t.Errorf("%s, when the store says %v: %v, want unknown: %v", act, test.err, err, test.unknown)
			}
		}
	}
}
