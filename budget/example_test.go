package budget_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// charge is what a plan of package aggregate would make: one count with
// discrete Laplace noise of scale 1/epsilon.
func charge(key string, epsilon int64) dp.Charge {
	return dp.Charge{
		Dataset: "visits", Unit: "patient", Purpose: "research", Key: key, Plan: "visits per week",
		Loss: dp.Pure{Epsilon: float64(epsilon) / 10},
		Events: []dp.Event{{
			Mechanism: dp.DiscreteLaplace, For: "count", Count: 1,
			Sensitivity: dp.Sensitivity{L0: 1, LInf: 1}, Scale: big.NewRat(10, epsilon),
		}},
	}
}

func Example() {
	ctx := context.Background()
	account, err := budget.Create(ctx, budget.Memory(), budget.Terms{
		Dataset: "visits",
		Unit:    "patient",
		Limit:   dp.Pure{Epsilon: 1},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	payment, err := account.Spend(ctx, charge("monday", 7))
	fmt.Println("paid by entry", payment.Entry, err)

	_, err = account.Spend(ctx, charge("tuesday", 4))
	fmt.Println(err)
	if refused, ok := errors.AsType[*budget.RefusedError](err); ok {
		fmt.Println("try", refused.Fits)
	}

	payment, err = account.Spend(ctx, charge("monday", 7)) // a retry costs nothing
	fmt.Println("paid by entry", payment.Entry, err)
	// Output:
	// paid by entry 1 <nil>
	// budget: account "visits" refused ε=0.4: account has ε=0.3 left of ε=1; ε=0.3 fits
	// try ε=0.3
	// paid by entry 1 <nil>
}

func ExampleTerms() {
	ctx := context.Background()
	account, err := budget.Create(ctx, budget.Memory(), budget.Terms{
		Dataset:  "visits",
		Unit:     "patient",
		Limit:    dp.Pure{Epsilon: 1},
		Purposes: map[string]dp.Loss{"research": dp.Pure{Epsilon: 0.5}, "planning": dp.Pure{Epsilon: 0.8}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = account.Spend(ctx, charge("monday", 6))
	fmt.Println(err)
	c := charge("monday", 1)
	c.Purpose = "advertising"
	_, err = account.Spend(ctx, c)
	fmt.Println(err)
	// Output:
	// budget: account "visits" refused ε=0.6: purpose "research" has ε=0.5 left of ε=0.5; ε=0.5 fits
	// budget: account "visits" refused ε=0.1: purpose "advertising": the account does not allow this purpose
}

func ExampleAccount_HowMany() {
	ctx := context.Background()
	for _, limit := range []dp.Loss{dp.Pure{Epsilon: 2}, dp.Approx{Epsilon: 2, Delta: 1e-6}} {
		account, err := budget.Create(ctx, budget.Memory(), budget.Terms{Dataset: "visits", Limit: limit})
		if err != nil {
			fmt.Println(err)
			return
		}
		n, _, err := account.HowMany(ctx, charge("monday", 1))
		fmt.Println(limit, n, err)
	}
	// Output:
	// ε=2 20 <nil>
	// ε=2 δ=1e-06 20 <nil>
}

func ExampleAccount_Reserve() {
	ctx := context.Background()
	account, err := budget.Create(ctx, budget.Memory(), budget.Terms{Dataset: "visits", Limit: dp.Approx{Epsilon: 1, Delta: 1e-6}})
	if err != nil {
		fmt.Println(err)
		return
	}
	// 52 weeks, declared at once, cost less than 52 charges.
	year := charge("2026", 1)
	year.Loss = dp.Approx{Epsilon: 0.7, Delta: 1e-6}
	year.Events[0].Scale = big.NewRat(50, 1)
	year.Events[0].Count = 52
	reserved, err := account.Reserve(ctx, year)
	if err != nil {
		fmt.Println(err)
		return
	}
	week := charge("2026 week 1", 1)
	week.Loss = dp.Pure{Epsilon: 0.02}
	week.Events[0].Scale = big.NewRat(50, 1)
	_, err = reserved.Spend(ctx, week)
	fmt.Println(err)
	n, _, err := account.HowMany(ctx, week)
	fmt.Println(n, "more such weeks fit", err)
	// Output:
	// <nil>
	// 68 more such weeks fit <nil>
}

func ExampleAccount_Once() {
	ctx := context.Background()
	account, err := budget.OpenOrCreate(ctx, budget.Memory(), budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	draws := 0
	draw := func() ([]byte, error) { // the noise that the charge pays for
		draws++
		return fmt.Appendf(nil, "about %d visits", 40+draws), nil
	}
	for range 3 {
		answer, err := account.Once(ctx, charge("monday", 7), draw)
		fmt.Println(string(answer), err)
	}
	// Output:
	// about 41 visits <nil>
	// about 41 visits <nil>
	// about 41 visits <nil>
}

// Terms that are given anew must be those that the account has.
func ExampleOpenOrCreate() {
	ctx := context.Background()
	store := budget.Memory()
	for _, limit := range []float64{1, 2} {
		_, err := budget.OpenOrCreate(ctx, store, budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: limit}})
		if other, ok := errors.AsType[*budget.TermsError](err); ok {
			for _, f := range other.Fields {
				fmt.Println(f)
			}
		}
	}
	// Output:
	// Terms.Limit is ε=1, not ε=2
}

// alarm wakes somebody if a request ended as it should not.
type alarm struct{}

func (alarm) Observe(_ context.Context, o budget.Observation) {
	switch o.Outcome {
	case budget.OutcomeSpent, budget.OutcomeRepeated:
		fmt.Println(o.Outcome, o.Asked, "entry", o.Entry)
	case budget.OutcomeRefused:
		fmt.Println(o.Outcome, o.Asked)
	case budget.OutcomeKeyReused, budget.OutcomeUnknown, budget.OutcomeFailed:
		fmt.Println("wake somebody:", o.Outcome)
	}
}

func ExampleAccount_Observe() {
	ctx := context.Background()
	account, err := budget.Create(ctx, budget.Memory(), budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	account.Observe(alarm{})
	for _, c := range []dp.Charge{charge("monday", 7), charge("monday", 7), charge("tuesday", 4), charge("monday", 1)} {
		_, _ = account.Spend(ctx, c) // the observer sees the error
	}
	// Output:
	// spent ε=0.7 entry 1
	// repeated ε=0.7 entry 1
	// refused ε=0.4
	// wake somebody: key_reused
}

// An auditor reads what was done, and nothing of the data.
func ExampleAccount_Entries() {
	ctx := context.Background()
	account, err := budget.Create(ctx, budget.Memory(), budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = account.Spend(ctx, charge("monday", 7))
	_, again := account.Keep(ctx, charge("monday", 7), []byte("about 41 visits"))
	if err := errors.Join(err, again); err != nil {
		fmt.Println(err)
		return
	}
	for e, err := range account.Entries(ctx) {
		switch {
		case err != nil:
			fmt.Println(err)
		case e.Kind == budget.KindCreate:
			fmt.Println(e.Seq, "created with", e.Terms.Limit)
		case e.Kind == budget.KindSpend:
			fmt.Println(e.Seq, "spent", e.Charge.Loss, e.Charge.Events[0].Mechanism)
		case e.Kind == budget.KindKeep:
			fmt.Println(e.Seq, "kept the release of entry", e.From, "under a salted digest of", len(e.Digest), "bytes")
		}
	}
	// Output:
	// 0 created with ε=1
	// 1 spent ε=0.7 discrete laplace
	// 2 kept the release of entry 1 under a salted digest of 32 bytes
}
