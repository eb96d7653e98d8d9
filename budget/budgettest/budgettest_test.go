package budgettest_test

import (
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/budgettest"
)

func memory(*testing.T) budget.Store { return budget.Memory() }

func TestMemory(t *testing.T) {
	t.Run("Store", func(t *testing.T) { budgettest.TestStore(t, memory) })
	t.Run("Account", func(t *testing.T) { budgettest.TestAccount(t, memory) })
	t.Run("Faults", func(t *testing.T) { budgettest.TestFaults(t, memory) })
}
