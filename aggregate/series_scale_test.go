package aggregate

import (
	"math/big"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/matrix"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// What rounding takes from the change of a finer grid is made up for: every account prices
// noise of so many steps as a normal law, and a coarser one not.
func TestNoiseOfSeriesIsFineForEveryNumberOfPeriods(t *testing.T) {
	squares := new(big.Int).Lsh(big.NewInt(1), 2*matrix.Bits)
	for periods := int64(1); periods <= 4000; periods++ {
		m := &shared{measure: &measure{form: formUnits}}
		event, err := m.calibrate(squares, int(periods), justEnough(squares, periods))
		if err != nil {
			t.Fatal(err)
		}
		if event.Scale.Cmp(big.NewRat(pld.FineLattice, 1)) < 0 {
			t.Fatalf("%d periods: scale %v, must be at least %d", periods, event.Scale, pld.FineLattice)
		}
	}
}

// justEnough returns the budget for which the coarsest grid's noise, times 2^10, is hardly more
// than fine: T·a²/σ², with the change a of one period rounded up.
func justEnough(squares *big.Int, periods int64) *big.Rat {
	a := rootUp(ceilQuo(squares, periods))
	rho := new(big.Rat).SetInt(a.Mul(a, a))
	rho.Mul(rho, big.NewRat(periods<<20, pld.FineLattice*pld.FineLattice))
	return rho.Mul(rho, big.NewRat(999_999, 1_000_000))
}
