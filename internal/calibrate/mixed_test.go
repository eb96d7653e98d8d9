package calibrate

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/pld"
)

// What is spent is (ε, δ)-private when it is composed anew, draw by draw and noise by
// noise; a hundredth more is not; and it is no less than concentrated composition
// allows.
func TestMixedBudgetIsEnoughAndNotMuchMore(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 25 {
		epsilon, delta := math.Exp(4*r.Float64()-2), math.Pow(10, -3-7*r.Float64())
		var ranges []Ranges
		left := int64(100)
		for range 1 + r.IntN(3) {
			share := 1 + r.Int64N(left/2)
			left -= share
			ranges = append(ranges, Ranges{Share: big.NewRat(share, 100), Count: big.NewInt(1 + r.Int64N(60))})
		}
		if r.IntN(3) == 0 { // nothing is left for noise
			ranges[0].Share.Add(ranges[0].Share, big.NewRat(left, 100))
			left = 0
		}
		e, _ := new(big.Rat).SetString(big.NewFloat(epsilon).Text('g', 12))
		d, _ := new(big.Rat).SetString(big.NewFloat(delta).Text('g', 12))
		budget := MixedBudget(e, d, ranges...)
		if budget == nil {
			t.Fatalf("ε %v, δ %v: no budget", epsilon, delta)
		}
		spent := func(times float64) float64 {
			b, _ := budget.Float64()
			b *= times
			var c pld.Composition
			for _, each := range ranges {
				share, _ := each.Share.Float64()
				for range each.Count.Int64() {
					c.Add(pld.BoundedRange(2*math.Sqrt(share*b/float64(each.Count.Int64()))), 1)
				}
			}
			for range left { // as many measures with noise
				c.Add(pld.Gaussian(math.Sqrt(b/100)), 1)
			}
			return c.Delta(epsilon)
		}
		if got := spent(1); got > delta*(1+1e-6) {
			t.Errorf("ε %v, δ %v, %v: δ is %v", epsilon, delta, ranges, got)
		}
		if got := spent(1.01); got <= delta {
			t.Errorf("ε %v, δ %v, %v: a hundredth more has δ %v", epsilon, delta, ranges, got)
		}
		if b, _ := budget.Float64(); b < 2*pld.RhoMax(epsilon, delta)*(1-1e-4) {
			t.Errorf("ε %v, δ %v: %v is less than concentrated composition allows, %v", epsilon, delta, b, 2*pld.RhoMax(epsilon, delta))
		}
	}
}
