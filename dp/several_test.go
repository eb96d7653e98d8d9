package dp_test

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// What hides one customer hides a household of three less, and somebody whose rows are
// replaced by others as two: one who is removed, and one who is added.
func ExampleForSeveral() {
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 0.1}, dp.Approx{Epsilon: 0.1, Delta: 1e-6}, dp.Concentrated{Rho: 0.01}} {
		for _, k := range []int{2, 3} {
			several, err := dp.ForSeveral(loss, k)
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Printf("%v for one is %.3g for %d\n", loss, dp.PartsOf(several), k)
		}
	}
	_, err := dp.ForSeveral(dp.Approx{Epsilon: 10, Delta: 1e-3}, 3)
	fmt.Println(err)
	// Output:
	// ε=0.1 for one is {0.2 0 0} for 2
	// ε=0.1 for one is {0.3 0 0} for 3
	// ε=0.1 δ=1e-06 for one is {0.2 2.11e-06 0} for 2
	// ε=0.1 δ=1e-06 for one is {0.3 3.33e-06 0} for 3
	// ρ=0.01 for one is {0 0 0.04} for 2
	// ρ=0.01 for one is {0 0 0.09} for 3
	// dp: ε=10 δ=0.001 hides nothing of 3 units at once: their δ would be 1 or more
}

// The δ of several is never below that of the two laws that lose most: three outputs, of which one is only under one law, walked k
// times. And it is no more than a part in a million above.
func TestWhatHidesSeveralIsNotLessThanItIs(t *testing.T) {
	for _, epsilon := range []float64{0.01, 0.1, 1, 3} {
		for _, k := range []int{1, 2, 5, 20} {
			const delta = 1e-12
			loss, err := dp.ForSeveral(dp.Approx{Epsilon: epsilon, Delta: delta}, k)
			if err != nil {
				if math.Exp(epsilon*float64(k))*delta < 1e-3 {
					t.Errorf("ε = %v, %d units: %v", epsilon, k, err)
				}
				continue
			}
			got := dp.PartsOf(loss)
			sum, each := new(big.Float).SetPrec(200), new(big.Float).SetPrec(200).SetFloat64(delta)
			for range k {
				sum.Add(sum, each)
				each.Mul(each, new(big.Float).SetFloat64(math.Exp(epsilon)))
			}
			want, _ := sum.Float64()
			if got.Delta < want*(1-1e-14) || got.Delta > want*(1+1e-6) || math.Abs(got.Epsilon-float64(k)*epsilon) > 1e-12 {
				t.Errorf("ε = %v, %d units: %v, want δ %v", epsilon, k, got, want)
			}
		}
	}
	for _, c := range []struct {
		loss dp.Loss
		k    int
		word string
	}{{dp.Pure{Epsilon: 1}, 0, "must be 1 to"}, {dp.Pure{}, 2, "epsilon is 0"}, {dp.Concentrated{Rho: 1, Delta: 1e-6}, 2, "Approx"}, {nil, 2, "no loss given"}} {
		if _, err := dp.ForSeveral(c.loss, c.k); err == nil || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%v for %d: %v, want %q", c.loss, c.k, err, c.word)
		}
	}
}
