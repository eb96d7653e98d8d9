package googledp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/google/differential-privacy/go/v2/dpagg"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/googledp"
	"github.com/equipoise-dp/equipoise/dp"
)

// A service that counts with Google's library pays from an account that others
// pay from, too.
func Example() {
	ctx := context.Background()
	account, err := budget.Create(ctx, budget.Memory(), budget.Terms{Dataset: "visits", Limit: dp.Pure{Epsilon: 1}})
	if err != nil {
		log.Fatal(err)
	}
	opt := dpagg.CountOptions{Epsilon: 0.6, MaxPartitionsContributed: 3}
	for _, month := range []string{"2026-05", "2026-06"} {
		events, err := googledp.Count(opt)
		if err != nil {
			log.Fatal(err)
		}
		charge := googledp.Charge("visits", "opening hours", month, events...)
		if _, err := account.Spend(ctx, charge); err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(month, "is paid for with", charge.Loss)
		// Now create the counts with opt, fill them, ask for their results, and
		// publish what account.Keep returns.
	}
	// Output:
	// 2026-05 is paid for with ε=0.6
	// budget: account "visits" refused ε=0.6: account has ε=0.4 left of ε=1; ε=0.4 fits
}

func ExampleSumInt64() {
	_, err := googledp.SumInt64(dpagg.BoundedSumInt64Options{MaxPartitionsContributed: 1, Lower: 0, Upper: 10, Delta: 1e-6})
	fmt.Println(err)
	// Output:
	// googledp: BoundedSumInt64Options.Epsilon is 0, must be finite and at least 1e-06, below which rounding counts; give the epsilon of this release; zero is not a default
	// googledp: BoundedSumInt64Options.Delta is 1e-06, must be 0 with Laplace noise; leave it out, or use noise.Gaussian()
}
