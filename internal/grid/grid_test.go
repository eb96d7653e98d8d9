package grid

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/exact"
)

// B16, B13: every float, however odd, lands on the grid, and the map is
// monotone.
func TestEveryValueIsOnTheGrid(t *testing.T) {
	grids := map[string]*Grid{
		"cents":  New(new(big.Rat), big.NewRat(500, 1), big.NewRat(1, 100)),
		"dyadic": New(big.NewRat(-10, 1), big.NewRat(1, 3), exact.Float(0x1p-30)),
		"above":  New(big.NewRat(3, 1), big.NewRat(5, 1), big.NewRat(1, 7)),
	}
	for name, g := range grids {
		upper, _ := g.Value(big.NewRat(g.Cells, 1)).Float64()
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

func TestTheNearestPointIsTheNearest(t *testing.T) {
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

// slowly returns the point that the contract of a Grid names, in rationals alone.
func slowly(lower, upper, step, x *big.Rat) *big.Rat {
	if x.Cmp(lower) < 0 {
		x = lower
	}
	if x.Cmp(upper) > 0 {
		x = upper
	}
	n := new(big.Rat).Quo(x, step)
	n.Add(n, big.NewRat(1, 2))
	return n.Mul(step, new(big.Rat).SetInt(new(big.Int).Div(n.Num(), n.Denom())))
}

// Values are clamped to the bounds, also where these are between points, and then
// rounded; halves go up. That holds for floats and sums of them to the last bit.
func TestPointsAreThoseOfTheClampedAndRoundedValue(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 9))
	ratio := func() *big.Rat { return big.NewRat(rng.Int64N(2000)-1000, 1+rng.Int64N(40)) }
	for range 400 {
		lower, upper := ratio(), ratio()
		if lower.Cmp(upper) >= 0 {
			continue
		}
		step := big.NewRat(1+rng.Int64N(20), []int64{1, 2, 10, 100, 64, 7}[rng.IntN(6)])
		if rng.IntN(4) == 0 {
			step = big.NewRat(1, 1_000_000_000_000) // so fine that products lose digits
		}
		g := New(lower, upper, step)
		for range 50 {
			x, _ := new(big.Rat).Add(lower, new(big.Rat).Mul(new(big.Rat).Sub(upper, lower), big.NewRat(rng.Int64N(1300)-150, 1000))).Float64()
			if rng.IntN(2) == 0 { // a tie, or as near to one as floats are
				k := new(big.Rat).SetInt(floor(new(big.Rat).Quo(exact.Float(x), step)))
				x, _ = k.Add(k, big.NewRat(1, 2)).Mul(k, step).Float64()
				x = []float64{x, math.Nextafter(x, math.Inf(1)), math.Nextafter(x, math.Inf(-1))}[rng.IntN(3)]
			}
			want := slowly(lower, upper, step, exact.Float(x))
			if got := g.Value(big.NewRat(g.Float(x), 1)); got.Cmp(want) != 0 {
				t.Fatalf("[%v, %v] in steps of %v: %v goes to %v, want %v", lower, upper, step, x, got, want)
			}
			var sum exact.FloatSum
			want = slowly(lower, upper, step, new(big.Rat).Add(exact.Float(x/3), exact.Float(x-x/3)))
			sum.Add(x / 3)
			sum.Add(x - x/3)
			if got := g.Value(big.NewRat(g.FloatSum(&sum), 1)); got.Cmp(want) != 0 {
				t.Fatalf("[%v, %v] in steps of %v: the sum of %v and %v goes to %v, want %v", lower, upper, step, x/3, x-x/3, got, want)
			}
		}
	}
}

func TestIntegersGoToTheirNearestPoint(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 8))
	for range 2000 {
		lower := rng.Int64N(200) - 100
		upper := lower + 1 + rng.Int64N(100)
		step := int64(1) << rng.IntN(6)
		g := New(big.NewRat(lower, 1), big.NewRat(upper, 1), big.NewRat(step, 1))
		x := rng.Int64N(400) - 200
		want := slowly(big.NewRat(lower, 1), big.NewRat(upper, 1), big.NewRat(step, 1), big.NewRat(x, 1))
		if got := g.Value(big.NewRat(g.Int(x), 1)); got.Cmp(want) != 0 {
			t.Fatalf("[%d, %d] in steps of %d: %d goes to %v, want %v", lower, upper, step, x, got, want)
		}
	}
}

// Infinite sums go to the bound of their sign, and finite ones beyond all floats too.
func TestHugeSumsGoToTheBoundOfTheirSign(t *testing.T) {
	g := New(big.NewRat(-3, 1), big.NewRat(500, 1), big.NewRat(1, 100))
	for _, c := range []struct {
		terms []float64
		want  int64
	}{
		{[]float64{math.Inf(1), -1e300}, g.Cells}, {[]float64{math.Inf(-1), 1e300}, 0},
		{[]float64{math.MaxFloat64, math.MaxFloat64}, g.Cells}, {[]float64{-math.MaxFloat64, -math.MaxFloat64}, 0},
		{[]float64{math.MaxFloat64, math.MaxFloat64, 1, -math.MaxFloat64, -math.MaxFloat64}, 400},
	} {
		var sum exact.FloatSum
		for _, x := range c.terms {
			sum.Add(x)
		}
		if got := g.FloatSum(&sum); got != c.want {
			t.Errorf("%v goes to point %d, want %d", c.terms, got, c.want)
		}
	}
}

// The first step, the last step and their number have 62 bits at most, each.
func TestGridsThatDoNotFitIn62BitsAreRefused(t *testing.T) {
	int64s := func(lower, upper int64) (a, b *big.Rat) { return big.NewRat(lower, 1), big.NewRat(upper, 1) }
	for _, c := range []struct {
		name         string
		lower, upper int64
		fits         bool
	}{
		{"the first step", -1 << 62, -1<<62 + 5, false},
		{"the last step", 1<<62 - 5, 1 << 62, false},
		{"the number of steps", -3 << 60, 3 << 60, false},
		{"the lowest steps that fit", -1<<62 + 1, -1<<62 + 9, true},
		{"the highest steps that fit", 1<<62 - 9, 1<<62 - 1, true},
		{"as many steps as fit", 0, 1<<62 - 1, true},
	} {
		lower, upper := int64s(c.lower, c.upper)
		if g := New(lower, upper, big.NewRat(1, 1)); (g != nil) != c.fits {
			t.Errorf("%s: a grid of [%d, %d] is %v", c.name, c.lower, c.upper, g)
		}
	}
}

// Sums beyond the grid, also such as no int64 holds, are at its ends; and those on it
// at their own points, counted from the first.
func TestIntegerSumsAreClampedToTheGrid(t *testing.T) {
	for _, bounds := range [][2]int64{{-10, 1}, {3, 5}, {0, 7}, {-1<<62 + 1, -1<<62 + 9}} {
		g := New(big.NewRat(bounds[0], 1), big.NewRat(bounds[1], 1), big.NewRat(1, 1))
		for x := bounds[0] - 3; x <= bounds[1]+3; x++ {
			if want := min(max(x, bounds[0]), bounds[1]) - bounds[0]; g.Int(x) != want {
				t.Errorf("%v: %d is at point %d, want %d", bounds, x, g.Int(x), want)
			}
		}
		for sign, want := range map[int64]int64{-1: 0, 1: g.Cells} {
			if got := g.IntSum(exact.Mul(sign<<60, 1<<60)); got != want {
				t.Errorf("%v: %d·2^120 is at point %d, want %d", bounds, sign, got, want)
			}
		}
	}
}

// The largest value is that of the end that is further from zero.
func TestTheLargestValueIsThatOfAnEnd(t *testing.T) {
	for _, test := range []struct{ lower, upper, want int64 }{{-100, 5, 100}, {-5, 100, 100}, {3, 9, 9}, {-9, -3, 9}, {0, 4, 4}, {-4, 0, 4}} {
		if got := New(big.NewRat(test.lower, 1), big.NewRat(test.upper, 1), big.NewRat(1, 1)).Largest(); got != test.want {
			t.Errorf("between %d and %d it is %d, want %d", test.lower, test.upper, got, test.want)
		}
	}
}
