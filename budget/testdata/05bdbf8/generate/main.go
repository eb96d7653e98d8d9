// Generate FILE makes, of format 2, an export of an account that keeps refusals, and
// prints its anchor.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

func main() {
	ctx := context.Background()
	a, err := budget.Create(ctx, budget.Memory(), budget.Terms{
		Dataset: "visits", Unit: "patient", Limit: dp.Approx{Epsilon: 1, Delta: 1e-6}, Refusals: 2,
		Purposes: map[string]dp.Loss{"report": dp.Approx{Epsilon: 1, Delta: 1e-6}, "ads": dp.Pure{Epsilon: 0.25}},
	})
	must(err)
	_, err = a.Once(ctx, charge("one", "report", 0.5), func() ([]byte, error) { return []byte("about 41"), nil })
	must(err)
	refused(a, charge("two", "report", 0.75))
	refused(a, charge("three", "ads", 0.5))
	refused(a, charge("four", "ads", 0.5)) // for which there is no room
	must(a.Freeze(ctx, "an incident", "officer"))
	refused(a, charge("five", "report", 0.25))
	must(a.Thaw(ctx, "it is clear", "officer"))
	refused(a, charge("six", "research", 0.25))
	must(a.Raise(ctx, dp.Approx{Epsilon: 2, Delta: 1e-6}, "a second survey", "officer"))
	file, err := os.Create(os.Args[1])
	must(err)
	must(a.Export(ctx, file))
	must(file.Close())
	anchor, err := a.Anchor(ctx)
	must(err)
	fmt.Println(anchor)
}

func charge(key, purpose string, epsilon float64) dp.Charge {
	l := dp.Pure{Epsilon: epsilon}
	return dp.Charge{
		Dataset: "visits", Unit: "patient", Purpose: purpose, Key: key, Analyst: "ann", Question: "how many", Loss: l,
		Events: []dp.Event{{Mechanism: dp.Declared, For: "visits", Count: 1, Epsilon: l.Exact()}},
	}
}

func refused(a *budget.Account, c dp.Charge) {
	if _, err := a.Spend(context.Background(), c); !errors.As(err, new(*budget.RefusedError)) {
		log.Fatalf("%s: %v", c.Key, err)
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
