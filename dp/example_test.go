package dp_test

import (
	"fmt"

	"github.com/equipoise-dp/equipoise/dp"
)

// The kind of the loss chooses the noise.
func ExampleCalibrate() {
	one := dp.Sensitivity{L0: 1, LInf: 3}
	many := dp.Sensitivity{L0: 100, LInf: 3}
	for _, s := range []dp.Sensitivity{one, many} {
		for _, loss := range []dp.Loss{dp.Pure{Epsilon: 0.5}, dp.Approx{Epsilon: 0.5, Delta: 1e-6}, dp.Concentrated{Rho: 0.125}} {
			noise, err := dp.Calibrate(loss, s)
			if err != nil {
				fmt.Println(err)
				continue
			}
			fmt.Printf("%v: %v\n", loss, noise)
		}
	}
	_, err := dp.Calibrate(dp.Pure{}, dp.Sensitivity{L0: 1})
	fmt.Println(err)
	// Output:
	// ε=0.5: discrete laplace, scale 6
	// ε=0.5 δ=1e-06: discrete laplace, scale 6
	// ρ=0.125: discrete gaussian, scale 6
	// ε=0.5: discrete laplace, scale 600
	// ε=0.5 δ=1e-06: discrete gaussian, scale 241.729
	// ρ=0.125: discrete gaussian, scale 60
	// dp: epsilon is 0, must be positive and finite
	// dp: sensitivity LInf is 0, must be at least 1
}

// An event is what a ledger stores: exact numbers, and nothing of the data.
func ExampleNoise_Event() {
	noise, err := dp.Calibrate(dp.Pure{Epsilon: 0.1}, dp.Sensitivity{L0: 2, LInf: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	event := noise.Event()
	fmt.Println(event.Mechanism, event.Scale.RatString(), event.Sensitivity)
	// Output:
	// discrete laplace 20 {2 1}
}

// An interval that is certain is all that the type holds: noise has no end.
func ExampleEstimate_Interval() {
	noise, err := dp.Calibrate(dp.Pure{Epsilon: 1}, dp.Sensitivity{L0: 1, LInf: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	estimate := noise.Add(1000)
	lo, hi := estimate.Interval(0.95)
	fmt.Println(hi-estimate.Value, estimate.Value-lo)
	fmt.Println(estimate.Interval(1))
	// Output:
	// 3 3
	// -9223372036854775808 9223372036854775807
}

// A change is a ratio less 1, and a share is of what two groups have together.
func ExampleEstimate_Over() {
	noise, err := dp.Calibrate(dp.Pure{Epsilon: 1}, dp.Sensitivity{L0: 1, LInf: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	may, june := noise.Add(1_000_000), noise.Add(1_200_000)
	change := june.Over(may)
	lo, hi := change.Interval(dp.Jointly(0.95, 12)) // one of a dozen changes of which none shall be wrong
	fmt.Printf("%+.1f %% (%+.1f to %+.1f)\n", 100*(change.Value-1), 100*(lo-1), 100*(hi-1))
	fmt.Printf("June has %.1f %% of both\n", 100*june.ShareWith(may).Value)
	// Output:
	// +20.0 % (+20.0 to +20.0)
	// June has 54.5 % of both
}
