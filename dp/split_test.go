package dp_test

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

func ExampleSplit() {
	fmt.Println(dp.Split(dp.Approx{Epsilon: 1, Delta: 1e-6}, 10))
	fmt.Println(dp.Split(dp.Pure{Epsilon: 1}, 11), "and not", dp.Pure{Epsilon: 1.0 / 11})
	// Output:
	// ε=0.1 δ=1e-07
	// ε=0.0909090909090909 and not ε=0.09090909090909091
}

func TestNSplitsOfALossAreAtMostTheLossAndNoLargerFloatIs(t *testing.T) {
	for _, l := range randomLosses(100) {
		for _, n := range []int{1, 2, 3, 7, 11, 49, 50, 365, math.MaxInt64} {
			whole, part := dp.PartsOf(l), dp.PartsOf(dp.Split(l, n))
			we, wd, wr := whole.Exact()
			pe, pd, pr := part.Exact()
			up := dp.Parts{Epsilon: math.Nextafter(part.Epsilon, math.Inf(1)), Delta: math.Nextafter(part.Delta, 1), Rho: math.Nextafter(part.Rho, math.Inf(1))}
			ue, ud, ur := up.Exact()
			times := func(x *big.Rat) *big.Rat { return new(big.Rat).Mul(x, new(big.Rat).SetInt64(int64(n))) }
			for _, c := range [][3]*big.Rat{{we, pe, ue}, {wd, pd, ud}, {wr, pr, ur}} {
				if times(c[1]).Cmp(c[0]) > 0 {
					t.Errorf("%d times %v is more than %v", n, dp.Split(l, n), l)
				}
				if c[0].Sign() > 0 && c[2] != nil && times(c[2]).Cmp(c[0]) <= 0 {
					t.Errorf("%d times more than %v is at most %v", n, dp.Split(l, n), l)
				}
			}
		}
	}
}

func TestNothingIsSplitFromWhatIsNoLossOrIntoNoParts(t *testing.T) {
	for _, n := range []int{0, -1, math.MinInt} {
		if l := dp.Split(dp.Pure{Epsilon: 1}, n); l != nil {
			t.Errorf("%d parts are %v", n, l)
		}
	}
	for _, l := range []dp.Loss{nil, dp.Pure{}, dp.Approx{Epsilon: 1}, dp.Concentrated{Rho: math.NaN()}} {
		if part := dp.Split(l, 2); part != nil {
			t.Errorf("half of %v is %v", l, part)
		}
	}
}
