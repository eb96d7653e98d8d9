package postgres_test

import (
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/budgettest"
)

func TestStore(t *testing.T) {
	budgettest.TestStore(t, func(t *testing.T) budget.Store { return create(t) })
}
