package search_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/search"
)

// With noise whose half-width at r is √(u² + r²v²), as of two independent normal numbers,
// the ends are the roots of (n - rd)² = u² + r²v².
func TestEndsOfQuotientsAreThoseOfTheQuadratic(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		n, d, u, v := 200*r.Float64()-100, 20+100*r.Float64(), 0.01+10*r.Float64(), 0.01+10*r.Float64()
		refuted := func(x float64) bool { return math.Abs(n-x*d) > math.Hypot(u, x*v) }
		a, b, c := d*d-v*v, n*d, n*n-u*u
		root := math.Sqrt(b*b - a*c)
		for side, want := range map[float64]float64{-1: (b - root) / a, 1: (b + root) / a} {
			got := search.Quotient(n/d, math.Inf(int(side)), search.Relative(1e-12), refuted)
			if math.Abs(got-want) > 1e-9*(1+math.Abs(want)) || !refuted(got) {
				t.Fatalf("%v/%v with noise %v, %v: the end is %v, must be %v", n, d, u, v, got, want)
			}
			if got := search.Quotient(n/d, n/d, search.Relative(1e-12), refuted); got != n/d {
				t.Fatalf("the range ends at %v, the interval at %v", n/d, got)
			}
		}
	}
}

func TestAQuotientReachesTheEndThatIsNotRefuted(t *testing.T) {
	never := func(float64) bool { return false }
	for _, end := range []float64{-1, 1, math.Inf(-1), math.Inf(1)} {
		if got := search.Quotient(0.5, end, search.Absolute(1e-9), never); got != end {
			t.Errorf("got %v, must be %v", got, end)
		}
	}
	always := func(float64) bool { return true }
	if got := search.Quotient(0.5, 1, search.Absolute(1e-9), always); got != 0.5 {
		t.Errorf("an estimate that is refuted itself is the end, got %v", got)
	}
}
