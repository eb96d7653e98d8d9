package dp

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// Losses are read as they are written, in every spelling, and of a number that is
// there twice neither is taken.
func TestWrittenLossesAreRead(t *testing.T) {
	for text, want := range map[string]Loss{
		"epsilon=1": Pure{1}, "ε=0.25": Pure{0.25}, "ε=1 δ=1e-06": Approx{1, 1e-6}, "epsilon=2, delta=0.001": Approx{2, 1e-3}, "ρ=0.5": Concentrated{Rho: 0.5}, "rho=3": Concentrated{Rho: 3},
	} {
		if got, err := ParseLoss(text); got != want || err != nil {
			t.Errorf("%q is read as %v, %v, want %v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{"epsilon=1, epsilon=2": "epsilon is given twice", "rho=1 ρ=1": "rho is given twice", "kappa=1": "not epsilon, delta or rho"} {
		if got, err := ParseLoss(text); got != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is read as %v, %v, want %q", text, got, err, want)
		}
	}
	var p Pure
	if err := json.Unmarshal([]byte(`{"rho":"0.5"}`), &p); err == nil || !strings.Contains(err.Error(), "loss is ρ=0.5, must be a dp.Pure") {
		t.Errorf("another kind of loss is read as %v, %v", p, err)
	}
}

// On a coarse grid, intervals are as many of its steps as the noise reaches, and one
// more for what was rounded.
func TestIntervalsOfCoarseNoiseAreInItsSteps(t *testing.T) {
	n, err := Calibrate(Pure{1e-6}, Sensitivity{1, 1 << 30})
	if err != nil || n.coarse == 0 {
		t.Fatalf("%v, coarse %d", err, n.coarse)
	}
	lo, hi := additive{n, 0}.Interval(0.5)
	if want := int64(math.Ldexp(n.law.HalfWidth(0.5)+1, int(n.coarse))); hi != want || lo != -want {
		t.Errorf("it is %d to %d, want ±%d", lo, hi, want)
	}
}

// A difference can be as far below as its second number can be above.
func TestTheRangeOfADifferenceIsTurnedRound(t *testing.T) {
	o := NewEstimate(3.0, 1, Spread[float64](limits[float64]{2, 7})).operand().times(-1)
	if o.raw.Value != -3 || o.lo != -7 || o.hi != -2 || o.rawRange != [2]float64{-7, -2} {
		t.Errorf("of 2 to 7 it is %+v", o)
	}
}
