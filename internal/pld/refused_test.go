package pld

import (
	"math"
	"testing"
)

// Where the numbers are none, δ is 1 and no more: a bound that is still a
// probability.
func TestDeltaOfNoNumbersIsOne(t *testing.T) {
	for _, x := range [][2]float64{{math.NaN(), 1}, {1, math.NaN()}, {-1, 1}, {1, -1}, {math.Inf(1), 1}} {
		if d := GaussianDelta(x[0], x[1]); d != 1 {
			t.Errorf("GaussianDelta(%v, %v) = %v, must be 1", x[0], x[1], d)
		}
	}
}
