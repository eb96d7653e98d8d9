package forecast_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/forecast"
	"github.com/equipoise-dp/equipoise/dp"
)

// At every ε the δ of a profile is that of the exact law, and never below; and the ε at a δ
// is within a part in a thousand.
func TestAProfileIsThatOfTheExactLawAndNeverBelow(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 9))
	lists := 25
	if *long {
		lists = 800
	}
	for n := range lists {
		exact := &lattice{p: []float64{1}}
		var uses []forecast.Use
		for range 1 + r.IntN(4) {
			uses = append(uses, randomUse(r, exact))
		}
		p, err := forecast.ProfileOf(uses...)
		if err != nil {
			t.Fatal(err)
		}
		for range 6 {
			delta := math.Pow(10, -1-6*r.Float64())
			want := exact.epsilon(delta)
			if got := p.Epsilon(delta); got < want*(1-1e-9) || got > want*(1+1e-3)+2e-9 {
				t.Errorf("list %d: ε=%v at δ=%v, exactly %v", n, got, delta, want)
			}
			// Delta is as near: at an ε that is a thousandth less, the exact δ is at least this one.
			if got := p.Delta(want); got < exact.exceeds(want)*(1-1e-9)-1e-15 || got > exact.exceeds(want*(1-1e-3)-1e-9)*(1+1e-9)+1e-12 {
				t.Errorf("list %d: δ=%v at ε=%v, exactly %v", n, got, want, exact.exceeds(want))
			}
		}
	}
}

// The profile of a loss is that of the worst that has it: randomized response, with a
// δ of showing everything beside it; and a mechanism that has the loss is below it.
func TestTheProfileOfALossIsThatOfTheWorst(t *testing.T) {
	for _, c := range []struct{ epsilon, delta float64 }{{0.5, 0}, {1, 1e-6}, {3, 1e-3}} {
		p, err := forecast.ProfileOfLoss(dp.Parts{Epsilon: c.epsilon, Delta: c.delta}.Loss())
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []float64{0, c.epsilon / 3, c.epsilon, 2 * c.epsilon} {
			rest := max(0, (math.Exp(c.epsilon)-math.Exp(at))/(1+math.Exp(c.epsilon)))
			want := c.delta + (1-c.delta)*rest
			if got := p.Delta(at); got < want*(1-1e-12) || got > want*(1+1e-9)+1e-15 {
				t.Errorf("ε=%v δ=%v: δ=%v at ε=%v, must be %v", c.epsilon, c.delta, got, at, want)
			}
		}
	}
	rho, err := forecast.ProfileOfLoss(dp.Concentrated{Rho: 0.02})
	if err != nil {
		t.Fatal(err)
	}
	noise, err := forecast.ProfileOf(forecast.Use{Times: 1, Charge: dp.Charge{Loss: dp.Concentrated{Rho: 0.02}, Events: []dp.Event{{
		Mechanism: dp.Gaussian, Count: 1, Scale: big.NewRat(5, 1), Sensitivity: dp.Sensitivity{L0: 1, LInf: 1},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []float64{0.2, 0.5, 1} {
		if rho.Delta(at) < noise.Delta(at) || noise.Delta(at) == 0 {
			t.Errorf("at ε=%v noise with ρ=0.02 has δ=%v, and ρ itself %v", at, noise.Delta(at), rho.Delta(at))
		}
	}
}

// A loss holds with the numbers that it has, to the last bit.
func TestTheProfileOfALossHasItsOwnNumbers(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 40))
	for range 40 {
		l := dp.Approx{Epsilon: math.Exp(4*r.Float64() - 3), Delta: math.Exp(-20*r.Float64() - 1)}
		p, err := forecast.ProfileOfLoss(l)
		if err != nil {
			t.Fatal(err)
		}
		if e, d := p.Epsilon(l.Delta), p.Delta(l.Epsilon); e > l.Epsilon || e < l.Epsilon*(1-1e-6) || d > l.Delta || d < l.Delta*(1-1e-6) {
			t.Errorf("%v has ε=%v at its δ and δ=%v at its ε", l, e, d)
		}
	}
}

func TestTheEndsOfAProfile(t *testing.T) {
	nothing, err := forecast.ProfileOfLoss(nil)
	if err != nil || nothing.Delta(0) != 0 || nothing.Epsilon(0) != 0 {
		t.Errorf("nothing has δ=%v, %v", nothing.Delta(0), err)
	}
	p, err := forecast.ProfileOfLoss(dp.Approx{Epsilon: 1, Delta: 1e-6})
	if err != nil || p.Delta(-1) != 1 || p.Delta(math.NaN()) != 1 || !math.IsInf(p.Epsilon(1e-7), 1) || !math.IsInf(p.Epsilon(math.NaN()), 1) {
		t.Errorf("%v at -1, %v at less than its δ, %v", p.Delta(-1), p.Epsilon(1e-7), err)
	}
	// What was spent may have a δ and no ε.
	spent, err := forecast.ProfileOfLoss(dp.Approx{Delta: 1e-6})
	if err != nil || spent.Delta(0) < 1e-6 || spent.Delta(0) > 1.01e-6 {
		t.Errorf("δ alone: %v", err)
	}
	for _, l := range []dp.Loss{dp.Pure{Epsilon: math.NaN()}, dp.Pure{Epsilon: -1}, dp.Pure{}, dp.Approx{Epsilon: 1, Delta: 2}, dp.Concentrated{Rho: math.Inf(1)}} {
		if p, err := forecast.ProfileOfLoss(l); err == nil {
			t.Errorf("%v has a profile: δ=%v at 1", l, p.Delta(1))
		}
	}
	if _, err := forecast.ProfileOf(forecast.Use{}); err == nil || !strings.Contains(err.Error(), "use 0") {
		t.Errorf("%v", err)
	}
}

// What an account has spent, at every ε, and what the same charges would have if they had been
// declared at once.
func ExampleProfile() {
	terms := budget.Terms{Dataset: "visits", Unit: "patient", Rule: budget.ZCDP, Limit: dp.Concentrated{Rho: 0.1}}
	spent := dp.Concentrated{Rho: 0.05} // from Account.Status
	account, err := forecast.ProfileOfLoss(spent)
	if err != nil {
		fmt.Println(err)
		return
	}
	charge := dp.Charge{Loss: dp.Concentrated{Rho: 0.005}, Events: []dp.Event{{
		Mechanism: dp.Gaussian, Count: 1, Scale: big.NewRat(10, 1), Sensitivity: dp.Sensitivity{L0: 1, LInf: 1},
	}}}
	declared, err := forecast.ProfileOf(forecast.Use{Charge: charge, Times: 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("rule", terms.Rule)
	for _, epsilon := range []float64{0.5, 1, 1.5, 2} {
		fmt.Printf("ε = %-3v  δ = %.2g of the account, %.2g if it was declared\n", epsilon, account.Delta(epsilon), declared.Delta(epsilon))
	}
	// Output:
	// rule zcdp
	// ε = 0.5  δ = 0.023 of the account, 0.0098 if it was declared
	// ε = 1    δ = 0.00039 of the account, 0.00011 if it was declared
	// ε = 1.5  δ = 6.5e-07 of the account, 1.4e-07 if it was declared
	// ε = 2    δ = 1e-10 of the account, 1.6e-11 if it was declared
}
