package budgettest_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/budgettest"
	"github.com/equipoise-dp/equipoise/dp"
)

// A connection that breaks after the commit: the account looks whether it took effect.
// If it cannot look either, the caller gets an error, what it wanted to spend counts as
// spent, and asking again under the same key costs nothing more.
func ExampleFaulty() {
	ctx := context.Background()
	store := budgettest.NewFaulty(budget.Memory())
	account, err := budget.Create(ctx, store, budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	loss := dp.Pure{Epsilon: 0.4}
	charge := dp.Charge{
		Dataset: "visits", Unit: "patient", Purpose: "report", Key: "May", Loss: loss,
		Events: []dp.Event{{Mechanism: dp.Declared, Count: 1, Epsilon: big.NewRat(2, 5)}},
	}
	store.Break(budgettest.Append, budgettest.Persisted)
	store.Break(budgettest.Read, budgettest.NotPersisted)
	for range 2 {
		_, err := account.Spend(ctx, charge)
		fmt.Println(errors.Is(err, budgettest.ErrBroken), err)
		status, err := account.Status(ctx)
		fmt.Println("spent:", status.Whole.Spent, err)
	}
	fmt.Println("breaks that did not happen:", store.Unused())
	// Output:
	// true budget: account "visits": outcome of request key "May" is unknown and counts as spent; spend again under the same key: budgettest: broken on purpose: not persisted
	// spent: ε=0.4 <nil>
	// false <nil>
	// spent: ε=0.4 <nil>
	// breaks that did not happen: 0
}
