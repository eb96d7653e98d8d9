package aggregate

import (
	"math"
	"testing"
)

// The law of the largest entropy has the mean that is asked for, its quantiles are those of
// its density, and a mean in the middle makes it even.
func TestValuesAreSpreadWithTheMeanThatIsAssumed(t *testing.T) {
	for _, mean := range []float64{0, 1e-4, 0.01, 1. / 6, 0.4, 0.5, 0.6, 0.93, 1} {
		law := withMean(mean)
		const n = 20_000
		sum := 0.0
		for i := range n {
			sum += law.quantile((float64(i) + 0.5) / n)
		}
		if sum/n < mean-2e-3 || sum/n > mean+2e-3 {
			t.Errorf("a mean of %v is %v", mean, sum/n)
		}
		for _, rank := range []float64{0.05, 0.5, 0.95} {
			slope := (law.quantile(rank+1e-6) - law.quantile(rank-1e-6)) / 2e-6
			if d := law.density(law.quantile(rank)) * slope; math.Abs(d-1) > 1e-3 {
				t.Errorf("mean %v: at rank %v the density times the slope is %v", mean, rank, d)
			}
		}
	}
	if law := withMean(0.5); math.Abs(law.quantile(0.3)-0.3) > 1e-6 || math.Abs(law.density(0.3)-1) > 1e-6 {
		t.Errorf("a mean in the middle is not even: %v", law)
	}
}
