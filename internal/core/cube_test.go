package core

import (
	"math"
	"math/big"
	"testing"
)

// Intervals of one number and of two hold as often as they say, among 40,000 vectors:
// within 6.2 standard deviations, a probability below 1e-9 each. A width that is 8 % off
// is seen.
func TestIntervalsOfCubesHoldAsOftenAsTheySay(t *testing.T) {
	const draws = 40_000
	for _, n := range []int{2, 3, 11, 60} {
		l, err := NewCube(n, big.NewRat(1<<30, 3))
		if err != nil {
			t.Fatal(err)
		}
		z := make([]int64, draws*n)
		InSession(func(s *Session) { s.Draw(l, z) })
		for _, weights := range [][]float64{{1}, {0, -2}, {1, 1}, {3, 0.25}, {1e-9, 1}, {1, -1.0001}} {
			squares := 0.0
			for _, confidence := range []float64{0.5, 0.95, 0.999} {
				width, held, less := l.Combined(confidence, weights...), 0, 0
				for i := range draws {
					sum := 0.0
					for j, w := range weights {
						sum += w * float64(z[i*n+j])
					}
					squares += sum * sum / draws / 3
					if math.Abs(sum) <= width {
						held++
					}
					if math.Abs(sum) <= width*0.92 {
						less++
					}
				}
				off := func(count int) float64 {
					return (float64(count) - draws*confidence) / math.Sqrt(draws*confidence*(1-confidence))
				}
				if math.Abs(off(held)) > 6.2 {
					t.Errorf("%d numbers, %v: the %v interval holds %d of %d times", n, weights, confidence, held, draws)
				}
				if confidence == 0.95 && off(less) > -6.2 {
					t.Errorf("%d numbers, %v: an interval that is too small is not noticed", n, weights)
				}
			}
			if ratio := math.Sqrt(squares) / l.CombinedStdDev(weights...); math.Abs(ratio-1) > 0.05 {
				t.Errorf("%d numbers, %v: the standard deviation is %v of what is said", n, weights, ratio)
			}
		}
	}
}

// With more numbers the kurtosis stands for the law: 95 % intervals hold 94 to 96.5 %.
func TestIntervalsOfManyNumbersOfACubeAreNear(t *testing.T) {
	const draws, n = 40_000, 9
	l, err := NewCube(n, big.NewRat(1<<30, 1))
	if err != nil {
		t.Fatal(err)
	}
	z := make([]int64, draws*n)
	InSession(func(s *Session) { s.Draw(l, z) })
	across := make([]float64, 4*n) // a number and the count of each of four vectors
	for i := range 4 {
		across[i*n], across[i*n+3] = 1, 1
	}
	for _, weights := range [][]float64{{1, 1, 1, 1, 1}, across} {
		width, held, sums := l.Combined(0.95, weights...), 0, 0
		for at := 0; at+len(weights) <= len(z); at += (len(weights) + n - 1) / n * n {
			sum := 0.0
			for i, w := range weights {
				sum += w * float64(z[at+i])
			}
			if sums++; math.Abs(sum) <= width {
				held++
			}
		}
		if share := float64(held) / float64(sums); share < 0.94 || share > 0.965 {
			t.Errorf("%v: %.4f are held", weights, share)
		}
	}
	if _, err := NewCube(1, big.NewRat(1, 1)); err == nil {
		t.Error("a cube of one number")
	}
}

// The tail of one number of a cube, and of a sum of two, is that of a trapezoid averaged
// over the radius, by plain quadrature.
func TestTailsOfCubesAreAveragesOverTheRadius(t *testing.T) {
	for _, n := range []int{2, 3, 5, 11} {
		l, err := NewCube(n, big.NewRat(1<<30, 1))
		if err != nil {
			t.Fatal(err)
		}
		logFactorial, _ := math.Lgamma(float64(n + 1))
		for _, b := range []float64{0, 1e-3, 0.3, 0.9, 1} {
			// P(|U + bV| > x), of which U is uniform in [-1, 1]: over all V by the midpoints.
			beyond := func(x float64) float64 {
				sum := 0.0
				for i := range 100 {
					v := b * (float64(i)*2 + 1 - 100) / 100
					inside := max(0, min(1, x-v)-max(-1, -x-v)) / 2
					sum += (1 - inside) / 100
				}
				return sum
			}
			for _, at := range []float64{0.01, 0.7, 3, 9, 20} {
				const steps, end = 700, 80.0
				want := 0.0
				for i := range steps {
					r := (float64(i) + 0.5) * end / steps
					want += math.Exp(float64(n)*math.Log(r)-r-logFactorial) * beyond(at/r) * end / steps
				}
				if twice, got := l.cubeTail(2*at, 2, 2*b), l.cubeTail(at, 1, b); math.Abs(twice-got) > 1e-12 {
					t.Errorf("%d numbers, weights 1 and %v: beyond %v is %v, and twice as far of twice as much %v", n, b, at, got, twice)
				}
				if got := l.cubeTail(at, 1, b); math.Abs(got-want) > 2e-3*want+1e-9 {
					t.Errorf("%d numbers, weights 1 and %v: beyond %v is %v, must be %v", n, b, at, got, want)
				}
			}
		}
	}
}
