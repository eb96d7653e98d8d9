package dptest_test

import (
	"fmt"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// Noise for a unit that has one row does not hide a unit that has five.
func ExampleTrial_Run() {
	noise, err := dp.Calibrate(dp.Pure{Epsilon: 1}, dp.Sensitivity{L0: 1, LInf: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	count := func(rows int64) func() dptest.Sample {
		return func() dptest.Sample {
			return dptest.Sample{Numbers: []float64{float64(noise.Add(rows).Value)}}
		}
	}
	trial := dptest.Trial{Claim: dp.Pure{Epsilon: 1}, Runs: 4000, Alpha: 1e-9}
	fmt.Println("one row, refuted:", trial.Run(count(100), count(101)).Refuted)
	r := trial.Run(count(100), count(105))
	fmt.Printf("five rows, refuted: %t; more than the ε=%v of the claim: %t\n", r.Refuted, r.Claimed, r.EpsilonLowerBound > r.Claimed)
	// Output:
	// one row, refuted: false
	// five rows, refuted: true; more than the ε=1 of the claim: true
}

// An audit that could not refute anything is refused.
func ExampleTrial_Check() {
	trial := dptest.Trial{Claim: dp.Pure{Epsilon: 5}, Runs: 1000, Alpha: 1e-6}
	fmt.Println(trial.Check())
	trial.Runs = 4854
	fmt.Println(trial.Check())
	// Output:
	// dptest: Trial.Runs is 1000; at Alpha 1e-06 that cannot refute ε=5, not even for a mechanism without noise; must be at least 4854
	// <nil>
}
