package filter

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// What is spent is at most the sum of what was declared, exactly so under basic composition, and rises
// with every charge; and where the next small one is refused, hardly less than the limit is spent.
func TestWhatIsSpentRisesUpToTheLimit(t *testing.T) {
	for _, rule := range []Rule{Default, Basic, GDP, ZCDP} {
		for _, limit := range []dp.Approx{{Epsilon: 1.5, Delta: 1e-5}, {Epsilon: 0.7, Delta: 1e-9}} {
			s, f := newFilter(rule, 0.25, limit)
			small := lossPrice(dp.Pure{Epsilon: 0.003}, s.orders)
			before, paid := 0.0, 0
			for way := f.Decide(small); way != Refused; way = f.Decide(small) {
				const many = 16
				n := int64(1)
				if next := f.Clone(); paid > 0 {
					if next.Add(small, way, many-1); next.Decide(small) == way {
						n = many
					}
				}
				f.Add(small, way, n)
				paid += int(n)
				spent := dp.PartsOf(f.Spent())
				sum := 0.003 * float64(paid)
				if spent.Epsilon < before || spent.Epsilon > limit.Epsilon*(1+2e-5) || spent.Delta > limit.Delta*(1+1e-12) {
					t.Fatalf("rule %v, %v: after %d payments %v is spent, before it was ε=%v", rule, limit, paid, f.Spent(), before)
				}
				if sum <= limit.Epsilon-1e-9 && (spent.Epsilon > sum+1e-12 || rule == Basic && spent.Epsilon < sum-1e-12) {
					t.Fatalf("rule %v, %v: after %d payments %v is spent, their sum is %v", rule, limit, paid, f.Spent(), sum)
				}
				before = spent.Epsilon
			}
			if least := 0.003 * float64(paid); before < limit.Epsilon*0.98 || rule != Basic && least < 1.5*limit.Epsilon && limit.Delta > 1e-6 {
				t.Errorf("rule %v, %v: after %d payments nothing more fits, and only %v is spent", rule, limit, paid, f.Spent())
			}
		}
	}
}

// What is spent never falls, whatever is charged, and is the least ε: with it as the limit, at the same
// δ, the same charges are all accepted, and with a ten-thousandth less they are not.
func TestWhatIsSpentNeverFallsAndIsTheLeast(t *testing.T) {
	rng := rand.New(rand.NewPCG(14, 4))
	limit := dp.Approx{Epsilon: 2, Delta: 1e-5}
	for _, rule := range []Rule{Default, GDP} {
		s, _ := newFilter(rule, 0.25, limit)
		menu := []*Price{
			lossPrice(dp.Pure{Epsilon: 0.003}, s.orders), lossPrice(dp.Pure{Epsilon: 0.05}, s.orders), lossPrice(dp.Pure{Epsilon: 0.7}, s.orders),
			lossPrice(dp.Approx{Epsilon: 0.01, Delta: 1e-8}, s.orders), lossPrice(dp.Concentrated{Rho: 1e-4}, s.orders),
		}
		for run := range 20 {
			star, _ := Star(rule, limit)
			f := s.New(limit, star)
			if d, ok := f.(*defaultFilter); ok {
				f = d.renyi
			}
			empty, before := f.Clone(), 0.0
			var taken []*Price
			for range 600 {
				p := menu[rng.IntN(2+run%4)]
				way := f.Decide(p)
				if way == Refused {
					continue
				}
				f.Add(p, way, 1)
				taken = append(taken, p)
				spent := dp.PartsOf(f.Spent())
				if spent.Epsilon < before {
					t.Fatalf("rule %v: after %d charges ε=%v is spent, before it was %v", rule, len(taken), spent.Epsilon, before)
				}
				before = spent.Epsilon
			}
			if !takesAll(empty, dp.Approx{Epsilon: before * (1 + 1e-9), Delta: limit.Delta}, taken) {
				t.Fatalf("rule %v: %v is spent, and is not enough of a limit for the same charges", rule, f.Spent())
			}
			if less := before * (1 - 1e-4); takesAll(empty, dp.Approx{Epsilon: less, Delta: limit.Delta}, taken) {
				t.Fatalf("rule %v: %v is spent, and %v is enough", rule, f.Spent(), less)
			}
		}
	}
}

// takesAll says whether a filter that is new takes all prices under another limit.
func takesAll(f Filter, limit dp.Approx, prices []*Price) bool {
	f = f.Raise(limit)
	for _, p := range prices {
		way := f.Decide(p)
		if way == Refused {
			return false
		}
		f.Add(p, way, 1)
	}
	return true
}

// A bound is rounded to the next number of six digits, on its own side.
func TestBoundsAreRoundedToTheNextNumberOfSixDigits(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	digits := func(x float64) float64 {
		y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'e', 5, 64), 64)
		if err != nil {
			t.Fatal(err)
		}
		return y
	}
	for i := range 2000 {
		x := math.Exp(40*rng.Float64() - 20)
		if i%3 == 0 {
			x = digits(x) // they are their own neighbours
		}
		unit := math.Pow(10, math.Floor(math.Log10(x))-5)
		for up, side := range map[bool]float64{true: 1, false: -1} {
			y := sixDigits(x, up)
			if off := (y - x) * side; y != digits(y) || off < 0 || off >= unit*(1-1e-9) {
				t.Fatalf("%v is rounded to %v, up: %v", x, y, up)
			}
		}
	}
	for _, x := range []float64{0, math.Inf(1), math.Inf(-1)} {
		if got := sixDigits(x, true); got != x {
			t.Errorf("%v is rounded to %v", x, got)
		}
	}
}

// The bound on a divergence that still implies a loss is taken down by more than floats lose.
func TestDivergencesThatAreAllowedAreRoundedDown(t *testing.T) {
	for _, c := range []struct{ order, epsilon, delta float64 }{{2, 1, 1e-6}, {8, 0.1, 1e-9}, {32, 1e9, 1e-3}, {2, 1e12, 0.5}} {
		exact := func(epsilon *big.Float) *big.Float {
			x := new(big.Float).SetPrec(200).SetFloat64(math.Log(c.delta)/(c.order-1) + math.Log(c.order)/(c.order-1) - math.Log1p(-1/c.order))
			return x.Add(x, epsilon)
		}
		want, _ := exact(new(big.Float).SetPrec(200).SetFloat64(c.epsilon)).Float64()
		size := c.epsilon + math.Abs(math.Log(c.delta))/(c.order-1) + 2
		if off := want - renyiBound(c.order, c.epsilon, c.delta); !(off >= 0.2e-13*size && off <= 2e-13*size) {
			t.Errorf("%s: the bound is %v below what is implied, must be about 1e-13 of %v", fmt.Sprint(c), off, size)
		}
	}
	if got := renyiBound(2, 1, 0); !math.IsInf(got, -1) {
		t.Errorf("without δ the bound is %v", got)
	}
}

// Many of one are added at once to a bound of what adding them one by one gives.
func TestManyAreAddedToABoundOfTheirSum(t *testing.T) {
	for _, a := range []float64{0, 1e-9, 0.1, 3} {
		for _, b := range []float64{0, 1e-12, 0.1, 0.7} {
			one := a
			for n := range int64(200) {
				got := addMany(a, b, n)
				exact := new(big.Rat).SetFloat64(b)
				exact.Mul(exact, big.NewRat(n, 1)).Add(exact, new(big.Rat).SetFloat64(a))
				if least, _ := exact.Float64(); got < one || new(big.Rat).SetFloat64(got).Cmp(exact) < 0 || got > least*(1+1.1e-12)+5e-324 {
					t.Fatalf("%v and %d times %v is %v, one by one %v, exactly %v", a, n, b, got, one, least)
				}
				one = addUp(one, b)
			}
		}
	}
}

// Two machines may differ by one part in 10⁹ of a sum, and by no more.
func TestStatesAreAlikeUpToOnePartInABillion(t *testing.T) {
	of := func(n int64, d int64) State { return State{"kind", big.NewRat(n, d).String()} }
	for _, c := range []struct {
		a, b State
		want bool
	}{
		{of(1e9, 1), of(1e9, 1), true}, {of(1e9, 1), of(1e9+1, 1), true}, {of(1e9, 1), of(1e9-1, 1), true},
		{of(1e9, 1), of(2e9+3, 2), false}, {of(1e9, 1), of(2e9-3, 2), false}, {of(0, 1), of(1, 1e15), false},
		{State{"0x1p+03"}, State{"8/1"}, true}, {State{"0x1p+03"}, State{"9/1"}, false}, {State{"0x1p+03"}, State{"eight"}, false}, {State{"+Inf"}, State{"+Inf"}, true}, {State{"+Inf"}, State{"8/1"}, false},
		{State{"kind"}, State{"other"}, false}, {of(1, 1), State{"kind"}, false},
	} {
		if got := c.a.Alike(c.b); got != c.want {
			t.Errorf("%v and %v are alike: %v, must be %v", c.a, c.b, got, c.want)
		}
	}
}
