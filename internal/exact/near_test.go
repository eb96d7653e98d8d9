package exact

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// someInt returns an integer of any size and sign.
func someInt(rng *rand.Rand) Int128 {
	a := Int128{int64(rng.Uint64()), rng.Uint64()}
	for n := rng.UintN(127); n > 0; n-- {
		a = Int128{a.Hi >> 1, a.Lo>>1 | uint64(a.Hi)<<63}
	}
	return a
}

// someRat returns a quotient of such integers, or a short decimal.
func someRat(rng *rand.Rand) *big.Rat {
	if rng.IntN(2) == 0 {
		return big.NewRat(rng.Int64N(2001)-1000, []int64{1, 2, 3, 10, 100}[rng.IntN(5)])
	}
	b := someInt(rng).Big()
	if b.Sign() == 0 {
		b.SetInt64(1)
	}
	return new(big.Rat).SetFrac(someInt(rng).Big(), b)
}

// Where the nearest float, the nearest integer or the sign of a sum of products and
// quotients is said to be known it is that of the rational, and it nearly always is known.
func TestWhatIsKnownOfNearNumbersIsTrue(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 40_000
	floats, ints, signs := 0, 0, 0
	for range n {
		a, b, c := someInt(rng), someInt(rng), someInt(rng)
		r, s := someRat(rng), someRat(rng)
		if b.Sign() == 0 {
			b = Int(1)
		}
		if rng.IntN(4) == 0 {
			c = a.Neg().Add(Int(rng.Int64N(3))) // of which little is left
		}
		x := NearInt(a).Quo(NearInt(b)).Mul(NearRat(r)).Add(NearRat(s)).Add(NearInt(c).Neg().Quo(NearInt(b)))
		want := new(big.Rat).SetFrac(a.Big(), b.Big())
		want.Mul(want, r).Add(want, s).Sub(want, new(big.Rat).SetFrac(c.Big(), b.Big()))
		nearest, _ := want.Float64()
		if f, known := x.Float64(); known {
			floats++
			if f != nearest || math.Signbit(f) != math.Signbit(nearest) {
				t.Fatalf("%v/%v·%v + %v - %v is %v, not %v", a.Big(), b.Big(), r, s, c.Big(), nearest, f)
			}
		}
		if sign, known := x.Sign(); known {
			signs++
			if sign != want.Sign() {
				t.Fatalf("the sign of %v is %d", want, sign)
			}
		}
		if i, known := x.Round(); known {
			ints++
			half := new(big.Rat).Add(want, big.NewRat(1, 2))
			if whole := new(big.Int).Div(half.Num(), half.Denom()); whole.Cmp(big.NewInt(i)) != 0 {
				t.Fatalf("%v is nearest to %v, not %d", want, whole, i)
			}
		}
	}
	if floats < n*9/10 || signs < n*9/10 || ints < n/3 {
		t.Errorf("of %d, %d floats, %d signs and %d integers are known", n, floats, signs, ints)
	}
}

// Integers are what they were, or as near as two floats can be.
func TestNearIntegersAreThemselves(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	ends := []Int128{{}, Int(-1), Int(math.MaxInt64), Int(math.MinInt64), {math.MaxInt64, math.MaxUint64}, {math.MinInt64, 0}, {-1, 0}, {0, math.MaxUint64}}
	for i := range 20_000 {
		a := someInt(rng)
		if i < len(ends) {
			a = ends[i]
		}
		x := NearInt(a)
		off := new(big.Rat).Sub(new(big.Rat).SetInt(a.Big()), new(big.Rat).Add(Float(x.hi), Float(x.lo)))
		if off.Abs(off).Cmp(Float(x.off)) > 0 {
			t.Fatalf("%v is %v + %v ± %v", a.Big(), x.hi, x.lo, x.off)
		}
	}
}

// Halves are not decided, nor what is beyond the range in which errors are bounded.
func TestWhatCannotBeKnownIsNot(t *testing.T) {
	third := NearRat(big.NewRat(1, 3))
	if _, known := third.Add(third).Add(third).Round(); !known {
		t.Error("three thirds have no nearest integer")
	}
	half := NearRat(big.NewRat(1, 6)).Add(third)
	if _, known := half.Round(); known {
		t.Error("a sixth and a third are known to be a half")
	}
	if _, known := third.Add(NearRat(big.NewRat(-1, 3))).Float64(); known {
		t.Error("a third less a third is known")
	}
	if _, known := NearRat(big.NewRat(1, 1)).Add(NearRat(new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), 53)))).Float64(); known {
		t.Error("the middle of two floats is known to be nearer to one") // it is a tie, which only a rational decides
	}
	for _, x := range []Near{
		NearRat(Float(1e200)).Mul(NearRat(Float(1e200))), NearRat(Float(1e-200)).Mul(third), third.Quo(NearRat(Float(1e-100))),
		third.Quo(third.Add(third.Neg()).Add(NearRat(Float(1e-40)))), NearRat(new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 2000))),
	} {
		if f, known := x.Float64(); known {
			t.Errorf("%+v is known to be %v", x, f)
		}
	}
	if f, known := (Near{}).Mul(third).Float64(); !known || f != 0 {
		t.Error("nothing times a third is not 0")
	}
}
