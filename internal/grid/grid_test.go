package grid

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/exact"
)

// B16, B13: every float, however odd, lands on the grid, and the map is
// monotone.
func TestB16EveryValueIsOnTheGrid(t *testing.T) {
	grids := map[string]*Grid{
		"cents":  New(new(big.Rat), big.NewRat(500, 1), big.NewRat(1, 100)),
		"dyadic": New(big.NewRat(-10, 1), big.NewRat(1, 3), exact.Float(0x1p-30)),
		"above":  New(big.NewRat(3, 1), big.NewRat(5, 1), big.NewRat(1, 7)),
	}
	for name, g := range grids {
		upper, _ := g.Upper().Float64()
		xs := []float64{math.Inf(-1), -math.MaxFloat64, -1, -math.SmallestNonzeroFloat64, 0, math.SmallestNonzeroFloat64}
		for p := int64(0); p <= min(g.Cells, 1000); p++ {
			edge, _ := g.Value(big.NewRat(2*p+1, 2)).Float64()
			xs = append(xs, math.Nextafter(edge, -1e9), edge, math.Nextafter(edge, 1e9))
		}
		xs = append(xs, math.Nextafter(upper, 0), upper, math.Nextafter(upper, 1e9), math.MaxFloat64, math.Inf(1))
		slices.Sort(xs)
		last := int64(-1)
		for _, x := range xs {
			p := g.Float(x)
			if p < 0 || p > g.Cells {
				t.Fatalf("%s: %v is point %d of %d", name, x, p, g.Cells)
			}
			if p < last {
				t.Fatalf("%s: not monotone at %v", name, x)
			}
			last = p
		}
		if p := g.Float(math.NaN()); p != 0 {
			t.Errorf("%s: NaN is point %d, want the lower end", name, p)
		}
		if a, b := g.Float(math.Copysign(0, -1)), g.Float(0); a != b {
			t.Errorf("%s: -0 is point %d, and 0 is %d", name, a, b)
		}
	}
}

func TestNearestPoint(t *testing.T) {
	cents := New(new(big.Rat), big.NewRat(500, 1), big.NewRat(1, 100))
	for x, want := range map[float64]int64{0: 0, 0.004: 0, 0.01: 1, 19.99: 1999, 499.999: 50000, 1e300: 50000, -3: 0} {
		if got := cents.Float(x); got != want {
			t.Errorf("%v is point %d, want %d", x, got, want)
		}
	}
	coarse := New(big.NewRat(-8, 1), big.NewRat(math.MaxInt64-1, 1), big.NewRat(8, 1))
	for x, want := range map[int64]int64{math.MinInt64: 0, -8: 0, -3: 1, 0: 1, 8: 2, 12: 3, math.MaxInt64: coarse.Cells} {
		if got := coarse.Int(x); got != want {
			t.Errorf("%d is point %d, want %d", x, got, want)
		}
	}
	if g := New(new(big.Rat), big.NewRat(math.MaxInt64, 1), big.NewRat(1, 1)); g != nil {
		t.Error("a grid of 2^63 points is accepted")
	}
}
