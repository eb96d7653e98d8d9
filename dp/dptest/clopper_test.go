package dptest

import (
	"math"
	"testing"
)

// binomial returns P(Bin(n, p) = k) for all k by the recurrence from its mode,
// independently of the incomplete beta function.
func binomial(n int, p float64) []float64 {
	law := make([]float64, n+1)
	mode := int(math.Min(math.Floor(float64(n+1)*p), float64(n)))
	law[mode] = 1
	for k := mode; k < n; k++ {
		law[k+1] = law[k] * float64(n-k) / float64(k+1) * p / (1 - p)
	}
	for k := mode; k > 0; k-- {
		law[k-1] = law[k] * float64(k) / float64(n-k+1) * (1 - p) / p
	}
	sum := 0.0
	for _, x := range law {
		sum += x
	}
	for k := range law {
		law[k] /= sum
	}
	return law
}

// misses returns the exact probability that a bound is on the wrong side of p.
func misses(n int, p float64, wrong func(k int) bool) float64 {
	sum := 0.0
	for k, x := range binomial(n, p) {
		if wrong(k) {
			sum += x
		}
	}
	return sum
}

// Coverage by exact summation: no sampling, so no false positives.
func TestClopperPearsonCovers(t *testing.T) {
	for _, n := range []int{1, 7, 40, 300} {
		for _, alpha := range []float64{1e-7, 1e-3, 0.05} {
			lows, highs := make([]float64, n+1), make([]float64, n+1)
			for k := range n + 1 {
				lows[k], highs[k] = low(k, n, alpha), high(k, n, alpha)
			}
			for i := 1; i <= 1000; i++ {
				p := float64(i) / 1001
				if m := misses(n, p, func(k int) bool { return lows[k] > p }); m > alpha {
					t.Errorf("low(n=%d, alpha=%g) misses p=%g with probability %g", n, alpha, p, m)
				}
				if m := misses(n, p, func(k int) bool { return highs[k] < p }); m > alpha {
					t.Errorf("high(n=%d, alpha=%g) misses p=%g with probability %g", n, alpha, p, m)
				}
			}
		}
	}
}

// At the bound itself the error is alpha: the bounds are not loose either, and a
// bound that is a little tighter is caught.
func TestClopperPearsonIsTightAndTighterIsCaught(t *testing.T) {
	for _, c := range []struct {
		k, n  int
		alpha float64
	}{{1, 7, 1e-3}, {3, 40, 1e-7}, {200, 300, 0.05}, {299, 300, 1e-7}, {30, 12000, 1e-7}, {6000, 12000, 1e-7}} {
		p := low(c.k, c.n, c.alpha)
		atLeast := func(p float64) float64 { return misses(c.n, p, func(k int) bool { return k >= c.k }) }
		if got := atLeast(p); got > c.alpha || got < c.alpha*(1-1e-5) {
			t.Errorf("P(X ≥ %d) at low(%d, %d, %g) is %g", c.k, c.k, c.n, c.alpha, got)
		}
		if got := atLeast(p * 1.01); got <= c.alpha {
			t.Errorf("a bound that is 1 %% higher is not caught at k=%d n=%d", c.k, c.n)
		}
	}
}

func TestClopperPearsonEnds(t *testing.T) {
	if low(0, 10, 0.05) != 0 || high(10, 10, 0.05) != 1 {
		t.Error("nothing seen does not give 0, everything seen does not give 1")
	}
	if got, want := high(0, 10, 0.05), 1-math.Pow(0.05, 0.1); math.Abs(got-want) > 1e-6 || got < want-1e-15 {
		t.Errorf("high(0, 10, 0.05) = %g, want %g", got, want)
	}
}
