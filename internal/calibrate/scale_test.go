package calibrate

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// randomRat is positive, of any size, and seldom short.
func randomRat(r *rand.Rand) *big.Rat {
	x := big.NewRat(1+r.Int64N(math.MaxInt64), 1+r.Int64N(math.MaxInt64))
	for range r.IntN(4) {
		x.Mul(x, big.NewRat(1+r.Int64N(1<<40), 1+r.Int64N(1<<40)))
	}
	return x
}

func randomChange(r *rand.Rand) Change {
	return Change{big.NewInt(1 + r.Int64N(1<<r.IntN(62))), big.NewInt(1 + r.Int64N(1<<r.IntN(62)))}
}

// above says how far x is above y, in parts of y. It is negative below.
func above(x, y *big.Rat) float64 {
	d := new(big.Rat).Sub(x, y)
	f, _ := d.Quo(d, y).Float64()
	return f
}

// L1/scale is at most ε, and L2²/scale² at most the budget, in exact numbers; and
// no more noise is spent than 48 bits of a scale take.
func TestScalesAreRoundedTowardsMoreNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		c, x := randomChange(r), randomRat(r)
		l1 := new(big.Rat).SetInt(new(big.Int).Mul(c.L0, c.LInf))
		need := new(big.Rat).Quo(l1, x)
		if got := above(c.Laplace(x), need); got < 0 || got > 0x1p-46 {
			t.Fatalf("%v at ε=%v: the scale is %v, needs %v", c, x, c.Laplace(x), need)
		}
		l2 := new(big.Rat).Mul(l1, new(big.Rat).SetInt(c.LInf))
		scale := c.Gaussian(x)
		if got := above(new(big.Rat).Mul(scale, scale), l2.Quo(l2, x)); got < 0 || got > 0x1p-44 {
			t.Fatalf("%v at a budget of %v: the scale is %v", c, x, scale)
		}
	}
}

// What a law has is never a smaller scale than was asked for.
func TestALawIsNotNarrowerThanItsScale(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	laws := 0
	for range 300 {
		scale := new(big.Rat).Mul(randomRat(r), big.NewRat(1, 1<<10))
		if !Fits(scale) {
			continue
		}
		law, err := Law([]core.Family{core.Laplace, core.Gaussian}[r.IntN(2)], scale)
		if err != nil {
			t.Fatalf("%v: %v", scale, err)
		}
		laws++
		if law.Scale.Cmp(scale) < 0 || above(law.Scale, scale) > 0x1p-46 && law.Scale.Cmp(smallest) > 0 {
			t.Errorf("the law for %v has the scale %v", scale, law.Scale)
		}
	}
	if laws < 100 {
		t.Errorf("%d laws were looked at", laws)
	}
}

// The δ of Gaussian noise with μ² = FineBudget, with 2·10⁻⁶ for the grid, is at most
// that which was asked for, and hardly less. pld.GaussianDelta has tests of its own.
func TestAFineBudgetKeepsDelta(t *testing.T) {
	for _, epsilon := range []float64{1e-6, 0.01, 0.3, 1, 4, 20, 300} {
		for _, delta := range []float64{0.49, 0.01, 1e-6, 1e-12, 1e-100, 1e-300} {
			budget := FineBudget(exact.Decimal(epsilon), exact.Decimal(delta))
			if budget == nil {
				t.Errorf("ε=%v δ=%v: there is no budget", epsilon, delta)
				continue
			}
			mu := math.Sqrt(exact.FloatUp(budget)) * (1 + 0x1p-50)
			if got := pld.GaussianDelta(pld.FineLatticeMu(mu), epsilon); got > delta {
				t.Errorf("ε=%v δ=%v: the budget %v costs δ=%v", epsilon, delta, mu, got)
			}
			if got := pld.GaussianDelta(mu*(1+3e-5), epsilon); got <= delta {
				t.Errorf("ε=%v δ=%v: the budget %v could be more", epsilon, delta, mu)
			}
		}
	}
	if b := FineBudget(exact.Decimal(1), new(big.Rat)); b != nil {
		t.Errorf("without δ a budget is %v", b)
	}
	if b := FineBudget(exact.Decimal(1e-300), exact.Decimal(5e-324)); b != nil && b.Sign() <= 0 {
		t.Errorf("a budget is %v", b)
	}
}

// With so many bits more, a scale is at least 4096 steps; with one less it is not.
func TestFinenessIsTheLeastThatIsEnough(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 1000 {
		scale := randomRat(r)
		bits := Fineness(scale)
		finer := new(big.Rat).Mul(scale, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), bits)))
		if finer.Cmp(fineLattice) < 0 {
			t.Fatalf("%v is %v on a grid finer by %d bits", scale, finer, bits)
		}
		if bits > 0 && finer.Quo(finer, big.NewRat(2, 1)).Cmp(fineLattice) >= 0 {
			t.Fatalf("%v needs fewer than %d bits", scale, bits)
		}
	}
}
