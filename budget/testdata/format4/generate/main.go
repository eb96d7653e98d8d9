// Command generate writes two ledgers whose terms came with format 4.
package main

import (
	"context"
	"fmt"
	"math/big"
	"os"
	"path/filepath"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

func main() {
	ctx := context.Background()
	half := dp.Pure{Epsilon: 0.5}
	for name, c := range map[string]struct {
		terms    budget.Terms
		datasets []string
		event    dp.Event
		loss     dp.Loss
	}{
		"parts": {
			budget.Terms{
				Dataset: "shop", Unit: "customer", Limit: dp.Approx{Epsilon: 3, Delta: 1e-6},
				Parts: map[string]dp.Loss{"shop/eu": dp.Pure{Epsilon: 2}, "shop/eu/returns": dp.Pure{Epsilon: 1}, "shop/us": dp.Pure{Epsilon: 2}},
			},
			[]string{"shop/eu/returns", "shop/us", "shop"},
			dp.Event{Mechanism: dp.Declared, Count: 1, Epsilon: big.NewRat(1, 2)}, half,
		},
		"odometer": {
			budget.Terms{Dataset: "shop", Unit: "customer", Odometer: true, Rule: budget.ZCDP, Period: dp.Concentrated{Rho: 0.25}},
			[]string{"shop", "shop", "shop"},
			dp.Event{Mechanism: dp.Declared, Count: 1, Rho: big.NewRat(1, 8)}, dp.Concentrated{Rho: 0.125},
		},
	} {
		a, err := budget.Create(ctx, budget.Memory(), c.terms)
		check(err)
		for i, dataset := range c.datasets {
			charge := dp.Charge{
				Dataset: dataset, Unit: "customer", Purpose: "report", Key: fmt.Sprint("key ", i), Periods: []string{fmt.Sprint("2026-0", i+1)},
				Loss: c.loss, Events: []dp.Event{c.event},
			}
			_, err := a.Spend(ctx, charge)
			check(err)
			_, err = a.Keep(ctx, charge, []byte("release"))
			check(err)
		}
		f, err := os.Create(filepath.Join(os.Args[1], name+".export"))
		check(err)
		check(a.Export(ctx, f))
		check(f.Close())
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
