package sample

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

var keepCases = [][2]string{
	{"1", "1/100000"}, {"1/10", "1/1000000"}, {"1/100", "1/1000"}, {"5", "1/10000000000"},
	{"1/1000", "1/10"}, {"3", "49/100"}, {"20", "1/1000"}, {"1/1000000", "1/100"},
}

// The closed form against the recursion that defines the optimum (Desfontaines
// et al. 2022, theorem 1): P(0) = 0, and P(n) is the largest value that both
// constraints towards P(n-1) allow. Both in 300-bit numbers.
func TestKeepIsTheOptimum(t *testing.T) {
	const p = 400
	for _, c := range keepCases {
		k, err := NewTruncatedGeometric(rat(c[0]), rat(c[1]))
		if err != nil {
			t.Fatal(err)
		}
		e := expNeg(k.decay.rate, p)
		down := float(e.lo, p)
		up := new(big.Float).Quo(big.NewFloat(1).SetPrec(p), down)
		delta := new(big.Float).SetPrec(p).SetRat(k.delta)
		want := new(big.Float).SetPrec(p)
		for n := uint64(0); n <= min(k.sure+3, 2500); n++ {
			if n > 0 {
				want = keepStep(want, up, down, delta)
			}
			got := float(k.probability(n)(p).lo, p)
			if diff := new(big.Float).Sub(got, want); diff.Abs(diff).Cmp(big.NewFloat(1e-60)) > 0 {
				t.Fatalf("epsilon %s, delta %s: P(%d) is %.20g, want %.20g", c[0], c[1], n, got, want)
			}
			if sure := want.Cmp(big.NewFloat(1)) == 0; sure != (n >= k.sure) && n < 2500 {
				t.Fatalf("epsilon %s, delta %s: P(%d) is %.20g, said to be sure from %d", c[0], c[1], n, want, k.sure)
			}
		}
	}
}

// keepStep is min(e^eps P + delta, 1 - e^-eps (1-P-delta), 1).
func keepStep(p, up, down, delta *big.Float) *big.Float {
	one := big.NewFloat(1)
	a := new(big.Float).Mul(up, p)
	a.Add(a, delta)
	b := new(big.Float).Sub(one, p)
	b.SetPrec(400).Sub(new(big.Float).SetPrec(400).Sub(one, p), delta)
	b.Mul(b, down).Sub(one, b)
	least := new(big.Float).SetPrec(400).Set(one)
	for _, x := range []*big.Float{a, b} {
		if x.Cmp(least) < 0 {
			least.Set(x)
		}
	}
	return least
}

func float(x *big.Int, p int) *big.Float {
	f := new(big.Float).SetPrec(uint(p) + 64).SetInt(x)
	return f.SetMantExp(f, -p)
}

// The count that is likely enough is the least whose probability is.
func TestLikelyCountsAreTheLeast(t *testing.T) {
	for _, c := range keepCases {
		k, err := NewTruncatedGeometric(rat(c[0]), rat(c[1]))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []float64{1e-9, 0.01, 0.5, 0.95, 0.999999} {
			n := k.Likely(new(big.Rat).SetFloat64(p))
			at, _ := float(k.probability(uint64(n))(200).hi, 200).Float64()
			before, _ := float(k.probability(uint64(n-1))(200).lo, 200).Float64()
			if at < p || before > p {
				t.Errorf("ε %s, δ %s: %d is kept with probability %v, one less with %v; asked was %v", c[0], c[1], n, at, before, p)
			}
		}
	}
}

func TestKeepBoundsHold(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 13))
	for _, c := range keepCases {
		k, err := NewTruncatedGeometric(rat(c[0]), rat(c[1]))
		if err != nil {
			t.Fatal(err)
		}
		for i := range uint64(60) {
			n := r.Uint64N(k.sure)
			if i < 5 {
				n = min(i, k.sure-1)
			}
			lo, hi := k.bounds(n)
			if !within(k.probability(n)(300), 300, lo, hi) {
				t.Fatalf("epsilon %s, delta %s: [%#x, %#x] misses P(%d)", c[0], c[1], lo, hi, n)
			}
			if hi-lo > (2*keepSlack)<<k.up {
				t.Fatalf("epsilon %s, delta %s: bounds of P(%d) are %d apart", c[0], c[1], n, hi-lo)
			}
		}
	}
}

func TestKeepHasItsLaw(t *testing.T) {
	seed(t, 14)
	s := NewSource()
	for _, c := range keepCases[:3] {
		k, err := NewTruncatedGeometric(rat(c[0]), rat(c[1]))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []uint64{1, k.cross - 1, k.cross, k.cross + 1, k.sure - 1} {
			p, _ := float(k.probability(n)(200).lo, 200).Float64()
			kept := 0
			for range 100_000 {
				if k.Keep(s, int64(n)) {
					kept++
				}
			}
			stat, limit := chiSquare([]int{kept, 100_000 - kept}, []float64{p, 1 - p})
			mustPass(t, "Keep", stat, limit)
		}
		for range 10_000 {
			if k.Keep(s, 0) || k.Keep(s, -5) || k.Keep(s, math.MinInt64) {
				t.Fatal("a key that nobody holds is kept")
			}
			if !k.Keep(s, k.Sure()) || !k.Keep(s, math.MaxInt64) {
				t.Fatal("a sure key is dropped")
			}
		}
	}
}
