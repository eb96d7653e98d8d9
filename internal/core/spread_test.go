package core

import (
	"math"
	"math/big"
	"testing"
)

func lawOf(t *testing.T, f Family, scale int64) *Law {
	t.Helper()
	law, err := NewLaw(f, big.NewRat(scale, 1))
	if err != nil {
		t.Fatal(err)
	}
	return law
}

func TestFamiliesHaveTheNamesOfLedgers(t *testing.T) {
	for f, want := range map[Family]string{0: "no noise", Laplace: "discrete laplace", Gaussian: "discrete gaussian", Cube: "cube norm", OneSided: "one-sided geometric", 5: "no noise"} {
		if f.String() != want {
			t.Errorf("family %d is %q, want %q", int(f), f, want)
		}
	}
	if _, err := NewLaw(0, big.NewRat(1, 1)); err == nil {
		t.Error("there is a law of no family")
	}
}

// The probability of X ≥ k, added up, is between the bounds of its logarithm. They
// are the same for Laplace, and one step of the grid apart for Gaussian.
func TestLogTailsHoldTheTail(t *testing.T) {
	for _, scale := range []int64{1, 7} {
		for f, weight := range map[Family]func(x float64) float64{
			Laplace:  func(x float64) float64 { return math.Exp(-math.Abs(x)) },
			Gaussian: func(x float64) float64 { return math.Exp(-x * x / 2) },
		} {
			law := lawOf(t, f, scale)
			for _, k := range []int64{-30, -3, -1, 0, 1, 2, 3, 8, 25} {
				beyond, all := 0.0, 0.0
				for x := int64(-400); x <= 400; x++ {
					w := weight(float64(x) / float64(scale))
					all += w
					if x >= k {
						beyond += w
					}
				}
				least, most := law.LogTail(k)
				if p := math.Log(beyond / all); f == Laplace && least != most || p < least-1e-9 && f == Laplace || p > most+1e-9 || most-least > (float64(max(k, 0))/float64(scale)+1.3)/float64(scale) {
					t.Errorf("%v of scale %d: ln P(X ≥ %d) = %v is said to be between %v and %v", f, scale, k, p, least, most)
				}
			}
		}
	}
}

// Sums of independent draws stay within what Combined says with the probability that
// is asked for: exactly for one and two of Laplace noise and for any of Gaussian,
// and within a fortieth of it for three, up to 95 %. Scales are so large that the grid is fine.
func TestCombinedNoiseStaysWithinItsReach(t *testing.T) {
	const scale = 1 << 30
	laplace, gaussian := lawOf(t, Laplace, scale), lawOf(t, Gaussian, scale)
	exp := func(a float64) func(float64) float64 { return func(t float64) float64 { return math.Exp(-t / a) } }
	for _, test := range []struct {
		law     *Law
		weights []float64
		beyond  func(t float64) float64 // P(|Σ wᵢXᵢ| > t·scale)
		within  float64                 // how near, in parts of the probability
	}{
		{laplace, []float64{1}, exp(1), 1e-6},
		{laplace, []float64{-3}, exp(3), 1e-6},
		{laplace, []float64{0, 0}, nil, 0},
		{laplace, []float64{0, 2}, exp(2), 1e-6},
		{laplace, []float64{1e-12, 2}, exp(2), 1e-6},
		{laplace, []float64{1, -1}, func(t float64) float64 { return (1 + t/2) * math.Exp(-t) }, 1e-6},
		{laplace, []float64{-2, 2 + 1e-7}, func(t float64) float64 { return (1 + t/4) * math.Exp(-t/2) }, 1e-5},
		{laplace, []float64{1, 3}, func(t float64) float64 { return (9*math.Exp(-t/3) - math.Exp(-t)) / 8 }, 1e-6},
		{laplace, []float64{1, 1, 1}, func(t float64) float64 { return (t*t + 5*t + 8) / 8 * math.Exp(-t) }, 0.025},
		{laplace, []float64{2, -2, 2}, func(t float64) float64 { return (t*t/4 + 5*t/2 + 8) / 8 * math.Exp(-t/2) }, 0.025},
		{gaussian, []float64{1}, func(t float64) float64 { return math.Erfc(t / math.Sqrt2) }, 1e-6},
		{gaussian, []float64{3, -4}, func(t float64) float64 { return math.Erfc(t / 5 / math.Sqrt2) }, 1e-6},
	} {
		for _, confidence := range []float64{0, 0.1, 0.5, 0.68, 0.8, 0.9, 0.95, 0.99, 0.999} {
			reach := test.law.Combined(confidence, test.weights...) / scale
			if test.beyond == nil {
				if reach != 0 {
					t.Errorf("nothing at all reaches %v", reach)
				}
				continue
			}
			got, want := test.beyond(reach), 1-confidence
			if len(test.weights) == 3 && confidence > 0.95 { // reaches a little too far
				want = min(want, max(got, want/2))
			}
			if math.Abs(got/want-1) > test.within {
				t.Errorf("%v, weights %v: beyond ±%v is %v, want %v", test.law.Family, test.weights, reach, got, want)
			}
		}
		if got := test.law.Combined(1, test.weights...); !math.IsInf(got, 1) {
			t.Errorf("weights %v: surely within %v", test.weights, got)
		}
	}
}

// Far is Combined of the sums that it is given, where there are three draws or more,
// and of Gaussian noise always.
func TestFarIsCombinedInTermsOfSums(t *testing.T) {
	for _, f := range []Family{Laplace, Gaussian} {
		law := lawOf(t, f, 100)
		for _, weights := range [][]float64{{1, 2, -3}, {0.1, 0.1, 0.1, 0.1}, {5, 1, 1, 1, 1}} {
			for _, confidence := range []float64{-1, 0, 0.3, 0.5, 0.95, 0.999, 1} {
				got := law.Far(confidence)(sumOfSquares(weights), sumOfFourths(weights)) * law.StdDev()
				if want := law.Combined(confidence, weights...); got != want && math.Abs(got/want-1) > 1e-12 {
					t.Errorf("%v at %v, weights %v: %v, want %v", f, confidence, weights, got, want)
				}
			}
		}
		if got := law.Far(0.9)(0, 0); got != 0 {
			t.Errorf("%v: of no noise is %v", f, got)
		}
	}
}

// The standard deviation is that of the discrete law, added up.
func TestStandardDeviationsAreThoseOfTheDiscreteLaw(t *testing.T) {
	for _, scale := range []float64{0.05, 0.3, 1, 2, 3.9, 4, 4.1, 30} {
		for f, weight := range map[Family]func(x float64) float64{
			Laplace:  func(x float64) float64 { return math.Exp(-math.Abs(x)) },
			Gaussian: func(x float64) float64 { return math.Exp(-x * x / 2) },
		} {
			squares, all := 0.0, 0.0
			for x := -3000.0; x <= 3000; x++ {
				squares += x * x * weight(x/scale)
				all += weight(x / scale)
			}
			if got, want := StdDev(f, scale), math.Sqrt(squares/all); math.Abs(got-want) > 1e-9*want+1e-300 {
				t.Errorf("%v of scale %v has standard deviation %v, want %v", f, scale, got, want)
			}
		}
	}
	law := lawOf(t, Laplace, 30)
	if got, want := law.CombinedStdDev(3, -4), 5*law.StdDev(); math.Abs(got/want-1) > 1e-12 {
		t.Errorf("two draws have %v, want %v", got, want)
	}
	if got := law.TreeKurtosis(); math.Abs(got-1) > 1e-12 {
		t.Errorf("the kurtosis of a tree is %v, want 1", got)
	}
}
