package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math/big"
	"os"
	"path/filepath"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
	"github.com/equipoise-dp/equipoise/dp"
)

// A service opens its ledger at every start. The first start makes it.
func Example() {
	folder, err := os.MkdirTemp("", "ledger")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	for range 3 { // starts
		if err := serve(context.Background(), filepath.Join(folder, "ledger.db")); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// spent ε=0.4
	// spent ε=0.8
	// ε=0.2 is left
}

func serve(ctx context.Context, path string) (err error) {
	store, err := sqlite.OpenOrCreate(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	account, err := budget.OpenOrCreate(ctx, store, budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 1}})
	if err != nil {
		return err
	}
	before, err := account.Status(ctx)
	if err != nil {
		return err
	}
	loss := dp.Pure{Epsilon: 0.4}
	_, err = account.Spend(ctx, dp.Charge{
		Dataset: "visits", Unit: "patient", Purpose: "report", Key: fmt.Sprint("report ", before.Entries), Loss: loss,
		Events: []dp.Event{{Mechanism: dp.Declared, Count: 1, Epsilon: big.NewRat(2, 5)}},
	})
	if refused := (*budget.RefusedError)(nil); errors.As(err, &refused) {
		return fmt.Errorf("%v is left", refused.Left)
	}
	if err != nil {
		return err
	}
	status, err := account.Status(ctx)
	fmt.Println("spent", status.Whole.Spent)
	return err
}
