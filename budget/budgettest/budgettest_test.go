package budgettest_test

import (
	"flag"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/budgettest"
)

var long = flag.Bool("long", false, "edit a ledger 1,000 times instead of 200")

func memory(*testing.T) budget.Store { return budget.Memory() }

func TestMemoryIsAStore(t *testing.T) {
	t.Run("Store", func(t *testing.T) { budgettest.TestStore(t, memory) })
	t.Run("Account", func(t *testing.T) { budgettest.TestAccount(t, memory) })
	t.Run("Faults", func(t *testing.T) { budgettest.TestFaults(t, memory) })
}

func TestRandomEditsAreFound(t *testing.T) {
	times := 200
	if *long {
		times = 1000
	}
	budgettest.TestEdits(t, budgettest.Edits{
		Open: func(*testing.T) budget.Store { return &rewritable{budget.Memory()} },
		Rewrite: func(t *testing.T, s budget.Store, account string, records []budget.Record) {
			s.(*rewritable).rewrite(t, account, records)
		},
		Times: times,
	})
}

// rewritable is a store in memory whose content can be replaced.
type rewritable struct{ budget.Store }

func (s *rewritable) rewrite(t *testing.T, account string, records []budget.Record) {
	s.Store = budget.Memory()
	if err := s.Append(t.Context(), account, records...); err != nil {
		t.Fatal(err)
	}
}
