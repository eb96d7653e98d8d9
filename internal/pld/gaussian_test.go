package pld

import (
	"math"
	"testing"
)

// threshold gives the ε at which the optimal test's threshold is a, so that the
// cases reach every branch.
func epsAt(mu, a float64) float64 { return mu * (a + mu/2) }

func TestGaussianDeltaAgainstBigFloat(t *testing.T) {
	worst, least := 0.0, 1.0
	for _, mu := range []float64{1e-9, 1e-4, 0.01, 0.3, 0.9999, 1, 1.7, 3, 8, 20, 60} {
		for _, a := range []float64{-30, -5, -1, -0.3, 0, 1e-3, 0.5, 1.99, 2.01, 3.5, 3.999, 4.001, 9, 20, 36} {
			eps := epsAt(mu, a)
			if eps < 0 || eps/mu+mu/2 > 70 || bigTooWide(mu, eps) {
				continue
			}
			got, want := GaussianDelta(mu, eps), bigGaussianDelta(mu, eps)
			if e := excess(got, want); !(e >= 0 && e < 1e-9) {
				t.Errorf("GaussianDelta(%g, %g) = %g is off by %g relative", mu, eps, got, e)
			} else {
				worst, least = math.Max(worst, e), math.Min(least, e)
			}
		}
	}
	t.Logf("relative excess from %.3g to %.3g", least, worst)
}

// bigTooWide tells where the reference series needs more than its 3200 bits.
func bigTooWide(mu, eps float64) bool { return eps/mu+mu/2 > 44 }

func TestGaussianEpsilonIsUpperBoundAndTight(t *testing.T) {
	for _, mu := range []float64{1e-6, 0.01, 0.5, 1, 3, 10, 40} {
		for _, delta := range []float64{0.5, 0.1, 1e-3, 1e-6, 1e-12, 1e-40, 1e-200} {
			eps := GaussianEpsilon(mu, delta)
			if GaussianDelta(mu, eps) > delta {
				t.Errorf("GaussianEpsilon(%g, %g) = %g does not meet delta", mu, delta, eps)
			}
			if eps > 0 && GaussianDelta(mu, eps*(1-1e-9)) <= delta && eps > 1e-3*mu {
				t.Errorf("GaussianEpsilon(%g, %g) = %g is not tight", mu, delta, eps)
			}
			if bigTooWide(mu, eps) {
				continue
			}
			if bigGaussianDelta(mu, eps).Cmp(bigF(delta)) > 0 {
				t.Errorf("GaussianEpsilon(%g, %g) = %g is below the truth", mu, delta, eps)
			}
		}
	}
}

func TestGaussianMuHoldsInWideArithmetic(t *testing.T) {
	for _, eps := range []float64{0, 1e-6, 0.01, 0.5, 1, 4, 20, 80} {
		for _, delta := range []float64{0.9, 0.1, 1e-3, 1e-6, 1e-12, 1e-40, 1e-200} {
			mu := GaussianMu(eps, delta)
			if !(mu > 0) {
				t.Fatalf("GaussianMu(%g, %g) = %g", eps, delta, mu)
			}
			if GaussianDelta(mu*(1+1e-9), eps) <= delta {
				t.Errorf("GaussianMu(%g, %g) = %g is not tight", eps, delta, mu)
			}
			if bigTooWide(mu, eps) {
				continue
			}
			if bigGaussianDelta(mu, eps).Cmp(bigF(delta)) > 0 {
				t.Errorf("GaussianMu(%g, %g) = %g breaks the budget", eps, delta, mu)
			}
		}
	}
}

var strange = []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, -5e-324, 0, 5e-324, 1e-300, 1e-9, 1, 40, 1e9, 1e155, 1e308, math.MaxFloat64}

func TestGaussianStrangeInputs(t *testing.T) {
	for _, x := range strange {
		for _, y := range strange {
			if d := GaussianDelta(x, y); !(d >= 0 && d <= 1) {
				t.Errorf("GaussianDelta(%g, %g) = %g", x, y, d)
			}
			if e := GaussianEpsilon(x, y); !(e >= 0) {
				t.Errorf("GaussianEpsilon(%g, %g) = %g", x, y, e)
			}
			if mu := GaussianMu(x, y); !(mu >= 0) || math.IsInf(mu, 1) {
				t.Errorf("GaussianMu(%g, %g) = %g", x, y, mu)
			}
			if d := RhoDelta(x, y); !(d >= 0 && d <= 1) {
				t.Errorf("RhoDelta(%g, %g) = %g", x, y, d)
			}
			if e := RhoEpsilon(x, y); !(e >= 0) {
				t.Errorf("RhoEpsilon(%g, %g) = %g", x, y, e)
			}
			if r := RhoMax(x, y); !(r >= 0) || math.IsInf(r, 1) {
				t.Errorf("RhoMax(%g, %g) = %g", x, y, r)
			}
		}
	}
}

func BenchmarkGaussianDelta(b *testing.B) {
	for b.Loop() {
		GaussianDelta(0.3, 2)
	}
}
func BenchmarkGaussianEpsilon(b *testing.B) {
	for b.Loop() {
		GaussianEpsilon(0.3, 1e-6)
	}
}
func BenchmarkGaussianMu(b *testing.B) {
	for b.Loop() {
		GaussianMu(1, 1e-6)
	}
}
