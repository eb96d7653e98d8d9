package filter

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

func covered(l dp.Loss, events ...dp.Event) bool {
	return priceOf(&dp.Charge{Loss: l, Events: events}, nil).Covered
}

// less is a decimal that is one part in n below x.
func less(x *big.Rat, n int64) float64 { return exact.DecimalDown(mul(x, big.NewRat(n-1, n))) }

func TestADeclaredLossIsAtLeastWhatTheEventsCost(t *testing.T) {
	seen := map[string]int{}
	for seed := range 400 {
		g := charger{rand.New(rand.NewPCG(uint64(seed), 9))}
		events := g.events()
		events = events[:min(len(events), 1+g.IntN(2))]
		w := total(events)
		check := func(kind string, l dp.Loss, want bool) {
			t.Helper()
			seen[kind]++
			if got := covered(l, events...); got != want {
				t.Errorf("seed %d, %s: %v covers %v, want %v: %+v", seed, kind, l, got, want, events)
			}
		}
		hasDelta := w.delta.Sign() > 0
		if w.pure != nil && w.pure.Sign() > 0 {
			check("pure", dp.Pure{Epsilon: exact.DecimalUp(w.pure)}, !hasDelta)
			check("less pure", dp.Pure{Epsilon: less(w.pure, 1e9)}, false)
			if hasDelta {
				check("approx", dp.Approx{Epsilon: exact.DecimalUp(w.pure), Delta: exact.DecimalUp(w.delta)}, true)
				check("approx of less δ", dp.Approx{Epsilon: exact.DecimalUp(w.pure), Delta: less(w.delta, 1000)}, false)
			}
		} else if w.pure == nil {
			check("pure of what is not", dp.Pure{Epsilon: 1e6}, false)
		}
		if w.rho != nil && w.rho.Sign() > 0 {
			check("concentrated", dp.Concentrated{Rho: exact.DecimalUp(w.rho)}, !hasDelta)
			if hasDelta {
				check("concentrated with δ", dp.Concentrated{Rho: exact.DecimalUp(w.rho), Delta: exact.DecimalUp(w.delta)}, true)
				check("concentrated with less δ", dp.Concentrated{Rho: exact.DecimalUp(w.rho), Delta: less(w.delta, 1000)}, false)
				check("less concentrated with δ", dp.Concentrated{Rho: less(w.rho, 1e9), Delta: exact.DecimalUp(w.delta)}, false)
			}
			check("less concentrated", dp.Concentrated{Rho: less(w.rho, 1e9)}, false)
		} else if w.rho == nil {
			t.Errorf("seed %d: no ρ: %+v", seed, events)
		}
	}
	for kind, n := range seen {
		if n < 20 {
			t.Errorf("%s was seen %d times", kind, n)
		}
	}
}

// The exact δ of a Gaussian, and of a Gaussian beside a threshold.
func TestADeclaredLossIsComparedWithTheComposition(t *testing.T) {
	for _, sigma := range []int64{1, 3, 20} {
		for _, epsilon := range []float64{0.1, 1, 4} {
			e := dp.Event{Mechanism: dp.Gaussian, Scale: big.NewRat(sigma, 1), Sensitivity: dp.Sensitivity{L0: 2, LInf: 1}, Count: 3}
			delta := gaussianDelta(math.Sqrt(6)/float64(sigma), epsilon)
			if delta < 1e-12 {
				continue
			}
			threshold := dp.Event{Mechanism: dp.Threshold, Delta: exact.Decimal(1e-3 * delta), Count: 1}
			for _, c := range []struct {
				factor float64
				events []dp.Event
				want   bool
			}{
				{1.0005, []dp.Event{e}, true}, {0.9995, []dp.Event{e}, false},
				{1.0005, []dp.Event{e, threshold}, delta > 0.6}, {1.0015, []dp.Event{e, threshold}, true},
			} {
				if got := covered(dp.Approx{Epsilon: epsilon, Delta: c.factor * delta}, c.events...); got != c.want {
					t.Errorf("σ=%d: ε=%v and %v of the δ covers %v, want %v", sigma, epsilon, c.factor, got, c.want)
				}
			}
		}
	}
}

// 84 is the exact number of Laplace mechanisms of ε = 1/20 that are (2, 1e-6).
func TestEveryDrawOfLaplaceNoiseIsComposed(t *testing.T) {
	for count, want := range map[int]bool{42: true, 43: false} {
		for _, m := range []dp.Mechanism{dp.Laplace, dp.DiscreteLaplace} {
			e := dp.Event{Mechanism: m, Scale: big.NewRat(2000, 1), Sensitivity: dp.Sensitivity{L0: 2, LInf: 100}, Count: count}
			if got := covered(dp.Approx{Epsilon: 2, Delta: 1e-6}, e); got != want {
				t.Errorf("%d times two draws of %s: ε=2 δ=1e-06 covers %v, want %v", count, m, got, want)
			}
		}
	}
}

func TestTheWeightsOfTheOrdersAreAtMostOne(t *testing.T) {
	for _, l := range []dp.Approx{{Epsilon: 0.1, Delta: 1e-9}, {Epsilon: 1, Delta: 1e-6}, {Epsilon: 3, Delta: 1e-5}, {Epsilon: 30, Delta: 0.1}} {
		star, _ := Star(Default, l)
		s := NewSetup(Default, 0, map[string]float64{"account": star})
		sum := new(big.Rat)
		for _, w := range weightsFor(s.orders, star) {
			sum.Add(sum, exact.Float(w))
		}
		if sum.Cmp(one) > 0 || sum.Cmp(big.NewRat(98, 100)) < 0 {
			t.Errorf("%v: the weights are %s in all, want at most 1 and nearly that", l, sum.FloatString(17))
		}
	}
}

func TestSumsOfWhatPeopleWriteAreNeverRounded(t *testing.T) {
	sum := new(big.Rat)
	for i := range 2000 {
		sum.Add(sum, exact.Decimal(math.Ldexp(1+float64(i)/2000, -(i*53)%1070)))
		if settle(sum) != sum && settle(sum).Cmp(sum) != 0 {
			t.Fatalf("the sum of %d decimals is rounded", i+1)
		}
	}
	third, thirds := big.NewRat(1, 3), new(big.Rat)
	for range 3 {
		thirds = settle(new(big.Rat).Add(thirds, third))
	}
	if thirds.Cmp(one) != 0 {
		t.Errorf("three thirds are %s", thirds.RatString())
	}
	long := new(big.Rat)
	for p := int64(1_000_003); settle(long) == long; p += 2 {
		long.Add(long, big.NewRat(1, p))
	}
	over := new(big.Rat).Sub(settle(long), long)
	if limit := new(big.Rat).SetFrac(big.NewInt(1), settled); over.Sign() <= 0 || over.Cmp(limit) > 0 || settle(long).Denom().BitLen() > 1400 {
		t.Errorf("a sum of %d bits is rounded up by %s", long.Denom().BitLen(), over.FloatString(410))
	}
}

// What is counted at once is never less than what is counted one by one.
func TestManyAreAtLeastOneByOne(t *testing.T) {
	for seed := range 50 {
		g := rand.New(rand.NewPCG(uint64(seed), 10))
		a, b, n := g.Float64(), g.Float64()*math.Ldexp(1, -g.IntN(40)), 1+g.Int64N(20_000)
		sum := a
		for range n {
			sum = addUp(sum, b)
		}
		if many := addMany(a, b, n); many < sum || many > sum*(1+1e-10) {
			t.Errorf("%v and %d times %v are %v, and one by one %v", a, n, b, many, sum)
		}
	}
	if x := addMany(3, 4, 0); x != 3 {
		t.Errorf("nothing is added to 3, and it is %v", x)
	}
}

func TestADiscreteGaussianHasAMuWhereItsGridIsFine(t *testing.T) {
	for scale, fine := range map[int64]bool{4095: false, 4096: true, 4097: true} {
		e := dp.Event{Mechanism: dp.DiscreteGaussian, Scale: big.NewRat(scale, 1), Sensitivity: dp.Sensitivity{L0: 1, LInf: 100}, Count: 1}
		if p := eventPart(e, nil); math.IsInf(p.mu2, 1) == fine {
			t.Errorf("at a scale of %d μ² is %v", scale, p.mu2)
		}
	}
}

func TestSixDigitsAreShownOnTheSafeSide(t *testing.T) {
	g := rand.New(rand.NewPCG(1, 11))
	for range 2000 {
		x := math.Ldexp(g.Float64(), g.IntN(80)-60)
		for _, up := range []bool{false, true} {
			y := sixDigits(x, up)
			short, _ := strconv.ParseFloat(strconv.FormatFloat(y, 'e', 5, 64), 64)
			if y != short || up && !(y >= x && y <= x*(1+2e-5)) || !up && !(y <= x && y >= x*(1-2e-5)) {
				t.Fatalf("%v is shown as %v, rounded up: %v", x, y, up)
			}
		}
	}
}
