package filter

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// What is left fits, and hardly more than it does not: for charges that declare a
// part of the limit, of every kind, under every rule, before and after some were
// paid for.
func TestWhatIsLeftIsTheMostThatFits(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, rule := range []Rule{Default, Basic, GDP, ZCDP} {
		for _, limit := range []dp.Loss{dp.Pure{Epsilon: 2}, dp.Concentrated{Rho: 0.3}, dp.Concentrated{Rho: 0.3, Delta: 1e-5}, dp.Approx{Epsilon: 1.5, Delta: 1e-5}, dp.Approx{Epsilon: 12, Delta: 1e-7}} {
			s, f := newFilter(rule, 0.25, limit)
			for paid := range 5 {
				name := fmt.Sprintf("rule %v, %v after %d payments", rule, limit, paid)
				s.testLargestFit(t, name, limit, f)
				spend := lossPrice(dp.Pure{Epsilon: 0.05 + 0.2*rng.Float64()}, s.orders)
				if rng.IntN(2) == 0 {
					spend = lossPrice(dp.Concentrated{Rho: 0.01 * rng.Float64()}, s.orders)
				}
				if way := f.Decide(spend); way != Refused {
					f = f.Clone()
					f.Add(spend, way, 1)
				}
			}
		}
	}
}

func (s *Setup) testLargestFit(t *testing.T, name string, limit dp.Loss, f Filter) {
	t.Helper()
	fits := func(l dp.Loss) bool { return f.Decide(lossPrice(l, s.orders)) != Refused }
	for _, asked := range []dp.Loss{dp.Pure{Epsilon: 100}, dp.Concentrated{Rho: 100}} {
		if _, pure := limit.(dp.Pure); pure && asked != dp.Loss(dp.Pure{Epsilon: 100}) {
			continue
		}
		fit := s.LargestFit(asked, []Filter{f})
		_, pure := asked.(dp.Pure)
		if measured := pure || s.rule != GDP || dp.PartsOf(limit).Delta == 0 || dp.PartsOf(limit).Rho > 0; (fit != nil) != measured {
			t.Errorf("%s: the largest %T that fits is %v", name, asked, fit)
		}
		if fit == nil {
			continue
		}
		if !fits(fit) {
			t.Errorf("%s: %v is the largest that fits, and does not", name, fit)
		}
		if more := scaled(fit, 1.01); fits(more) {
			t.Errorf("%s: %v is the largest that fits, and %v does too", name, fit, more)
		}
	}
	if left := f.Left(); left != nil && !fits(left) {
		t.Errorf("%s: %v is left and does not fit", name, left)
	}
}

// A filter lacks a measure only for what it can never take.
func TestOnlyWhatCanNeverFitLacksAMeasure(t *testing.T) {
	threshold := dp.Event{Mechanism: dp.Threshold, Delta: big.NewRat(1, 2), Count: 1}
	pure, rho := dp.Loss(dp.Pure{Epsilon: 50}), dp.Loss(dp.Concentrated{Rho: 50})
	for _, test := range []struct {
		rule   Rule
		limit  dp.Loss
		charge *dp.Charge
		lacks  string
	}{
		{Default, dp.Pure{Epsilon: 1}, &dp.Charge{Loss: pure}, ""},
		{Default, dp.Pure{Epsilon: 1}, &dp.Charge{Loss: rho}, "its limit is a dp.Pure, which takes only charges that are dp.Pure"},
		{Basic, dp.Approx{Epsilon: 1, Delta: 1e-6}, &dp.Charge{Loss: pure}, ""},
		{Basic, dp.Approx{Epsilon: 1, Delta: 1e-6}, &dp.Charge{Loss: rho}, ""},
		{GDP, dp.Approx{Epsilon: 1, Delta: 1e-6}, &dp.Charge{Loss: pure}, ""},
		{GDP, dp.Approx{Epsilon: 1, Delta: 1e-6}, &dp.Charge{Loss: rho}, "the rule of the account has no measure for this mechanism"},
		{ZCDP, dp.Approx{Epsilon: 1, Delta: 1e-6}, &dp.Charge{Loss: rho}, ""},
		{ZCDP, dp.Approx{Epsilon: 1, Delta: 1e-6}, &dp.Charge{Loss: dp.Approx{Epsilon: 1, Delta: 0.5}, Events: []dp.Event{threshold}},
			"its events have a δ of their own that is more than the account keeps for such events (Terms.EventShare, 1/4 of δ)"},
	} {
		s, f := newFilter(test.rule, 0.25, test.limit)
		p := lossPrice(test.charge.Loss, s.orders)
		if test.charge.Events != nil {
			p = s.Price(test.charge)
		}
		if got := f.Lacks(p); got != test.lacks {
			t.Errorf("%v under %v, %v: %q, want %q", test.charge.Loss, test.limit, test.rule, got, test.lacks)
		}
	}
}

// The orders decide what an account accepts, so they are for ever those of the first
// version.
func TestTheOrdersAreThoseOfTheFirstVersion(t *testing.T) {
	if got := fmt.Sprint(renyiOrders); got != "[2 3 4 6 8 12 16 24 32 48 64 128 256]" {
		t.Errorf("the orders are %s", got)
	}
	for _, test := range []struct{ epsilon, delta, want float64 }{{1, 1e-6, 22}, {0.1, 1e-9, 292}, {10, 1e-5, 3.4}, {50, 0.1, 1.3}} {
		if got := starOrder(test.epsilon, test.delta); got != test.want {
			t.Errorf("the order with most weight at ε=%v δ=%v is %v, want %v", test.epsilon, test.delta, got, test.want)
		}
	}
}

// A price is found once, and not more of them are remembered than there is room for.
func TestPricesAreRememberedUpToALimit(t *testing.T) {
	s := NewSetup(Default, 0, nil)
	charge := func(scale int64) *dp.Charge {
		return &dp.Charge{Loss: dp.Pure{Epsilon: 1}, Events: []dp.Event{
			{Mechanism: dp.DiscreteLaplaceVector, Scale: big.NewRat(scale, 1), Sensitivity: dp.Sensitivity{L0: 1, LInf: 1}, Count: 1},
		}}
	}
	if first := s.Price(charge(1)); first != s.Price(charge(1)) || first == s.Price(charge(2)) {
		t.Error("the price of what was asked before is found again, or that of something else is taken for it")
	}
	if s.FreshPrice(charge(1)) == s.Price(charge(1)) {
		t.Error("a fresh price is a remembered one")
	}
	for scale := range int64(cacheMost) {
		s.Price(charge(scale + 1))
	}
	if n := len(s.cache.prices); n != cacheMost {
		t.Errorf("%d prices are remembered, want %d", n, cacheMost)
	}
	if s.Price(charge(cacheMost + 1)); len(s.cache.prices) != 1 {
		t.Errorf("%d prices are remembered after one too many, want that one", len(s.cache.prices))
	}
}

// A sum that is too long is rounded up to the next multiple of 10⁻⁴⁰⁰, and a shorter
// one is left as it is.
func TestLongSumsAreRoundedUpToTheNextStep(t *testing.T) {
	step := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(400), nil))
	for _, bits := range []uint{longest - 1, longest, longest + 100} {
		x := new(big.Rat).SetFrac(big.NewInt(12345), new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), bits), big.NewInt(1)))
		got := settle(x)
		if bits < longest && got != x {
			t.Errorf("a sum with a denominator of %d bits is rounded", bits+1)
		}
		above := new(big.Rat).Sub(got, x)
		if above.Sign() < 0 || above.Cmp(step) >= 0 || bits >= longest && !new(big.Rat).Quo(got, step).IsInt() {
			t.Errorf("a sum with a denominator of %d bits is rounded to another one by %v steps", bits+1, new(big.Rat).Quo(above, step).FloatString(3))
		}
	}
	if settle(nil) != nil {
		t.Error("no sum is one")
	}
}

// An account that counts a charge a million times by Rényi divergences does not ask
// how often it would by its sums, which may be more often still.
func TestAMillionTimesIsOftenEnough(t *testing.T) {
	s, f := newFilter(Default, 0.25, dp.Approx{Epsilon: 1, Delta: 1e-6})
	for times, want := range map[float64]Way{4_100_000: ByLoss, 4_300_000: ByDeclared, 8_200_000: ByDeclared, 8_500_000: ByDeclared} { // by sums, and a quarter of it by divergences
		p := lossPrice(dp.Approx{Epsilon: 1e-12, Delta: 1e-6 / times}, s.orders)
		if got := f.Decide(p); got != want {
			t.Errorf("what fits %v times is taken as %q, want %q", times, got, want)
		}
	}
}

// Only the ways that are stored take a charge.
func TestOnlyKnownWaysTake(t *testing.T) {
	for w, want := range map[Way]bool{Refused: false, ByLoss: true, ByDeclared: true, ByEvents: true, "other": false} {
		if w.Takes() != want {
			t.Errorf("the way %q takes: %v, want %v", w, w.Takes(), want)
		}
	}
}

// Nothing is added to nothing exactly, and other sums are rounded up by one float.
func TestSumsOfFloatsAreRoundedUp(t *testing.T) {
	for _, test := range []struct{ a, b, least, most float64 }{{0, 0.1, 0.1, 0.1}, {0.1, 0, 0.1, 0.1}, {1, 2, 3, 3 * (1 + 0x1p-51)}, {2, 1, 3, 3 * (1 + 0x1p-51)}, {0.1, 0.2, 0.3, 0.3 * (1 + 0x1p-50)}} {
		if got := addUp(test.a, test.b); got < test.least || got > test.most {
			t.Errorf("%v + %v is %v, want %v to %v", test.a, test.b, got, test.least, test.most)
		}
	}
}

// A rule holds the limits that it can add up.
func TestRulesHoldLimitsOfTheirKind(t *testing.T) {
	for rule, want := range map[Rule][3]bool{Default: {true, true, true}, Basic: {true, true, false}, GDP: {false, true, false}, ZCDP: {false, true, true}} {
		got := [3]bool{rule.Keeps(dp.Pure{Epsilon: 1}), rule.Keeps(dp.Approx{Epsilon: 1, Delta: 1e-6}), rule.Keeps(dp.Concentrated{Rho: 1})}
		if got != want {
			t.Errorf("rule %v holds Pure, Approx, Concentrated: %v, want %v", rule, got, want)
		}
	}
}
