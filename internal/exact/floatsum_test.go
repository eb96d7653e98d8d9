package exact

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// anyFloat returns a finite float of any size, among them the ends of the range.
func anyFloat(rng *rand.Rand) float64 {
	switch rng.IntN(8) {
	case 0:
		return []float64{0, math.Copysign(0, -1), math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, 0x1p-1022}[rng.IntN(7)]
	case 1:
		return rng.NormFloat64()
	}
	if x := math.Float64frombits(rng.Uint64()); !math.IsNaN(x) && !math.IsInf(x, 0) {
		return x
	}
	return 0.45
}

func TestFloatSumsAreExactInEveryOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	for range 300 {
		terms := make([]float64, rng.IntN(40))
		want := new(big.Rat)
		for i := range terms {
			terms[i] = anyFloat(rng)
			if i > 0 && rng.IntN(3) == 0 {
				terms[i] = -terms[rng.IntN(i)] // sums that cancel
			}
			want.Add(want, Float(terms[i]))
		}
		for range 3 {
			var sum FloatSum
			rng.Shuffle(len(terms), func(i, j int) { terms[i], terms[j] = terms[j], terms[i] })
			for _, x := range terms {
				sum.Add(x)
			}
			if sum.Rat().Cmp(want) != 0 || sum.Infinite() != 0 {
				t.Fatalf("the sum of %v is %v, want %v", terms, sum.Rat(), want)
			}
			checkApprox(t, &sum, want)
		}
	}
}

func checkApprox(t *testing.T, sum *FloatSum, want *big.Rat) {
	t.Helper()
	approx, largest := sum.Approx(), new(big.Rat).Abs(want)
	if math.IsInf(approx, 0) {
		if largest.Cmp(Float(math.MaxFloat64)) < 0 || (approx > 0) != (want.Sign() > 0) {
			t.Fatalf("%v is about %v", want.FloatString(10), approx)
		}
		return
	}
	off := new(big.Rat).Sub(Float(approx), want)
	allowed := new(big.Rat).Mul(largest, Float(0x1p-52))
	if off.Abs(off).Cmp(allowed.Add(allowed, Float(2*math.SmallestNonzeroFloat64))) > 0 {
		t.Fatalf("%v is about %v", want.FloatString(10), approx)
	}
}

func TestFloatSumsOfOddTerms(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		terms    []float64
		infinite int
		finite   float64
	}{
		{[]float64{inf, -math.MaxFloat64, 1}, 1, 0},
		{[]float64{-inf, inf, -inf, 7}, -1, 7},
		{[]float64{inf, 2.5, -inf}, 0, 2.5},
		{[]float64{nan, 2.5, nan}, 0, 2.5},
		{nil, 0, 0},
	} {
		var sum FloatSum
		for _, x := range c.terms {
			sum.Add(x)
		}
		if sum.Infinite() != c.infinite || c.infinite == 0 && sum.Rat().Cmp(Float(c.finite)) != 0 {
			t.Errorf("%v: infinite %d and %v, want %d and %v", c.terms, sum.Infinite(), sum.Rat(), c.infinite, c.finite)
		}
		if approx := sum.Approx(); c.infinite != 0 && !math.IsInf(approx, c.infinite) || c.infinite == 0 && approx != c.finite {
			t.Errorf("%v is about %v", c.terms, approx)
		}
	}
}

// The words of a sum have room for 2^62 of the largest terms.
func TestFloatSumsDoNotOverflow(t *testing.T) {
	for _, sign := range []float64{-1, 1} {
		var sum FloatSum
		sum.Add(sign * math.MaxFloat64)
		want := sum.Rat()
		for range 62 {
			sum.double()
			want.Add(want, want)
		}
		if sum.Rat().Cmp(want) != 0 {
			t.Errorf("2^62 times %v is %v", sign*math.MaxFloat64, sum.Rat())
		}
	}
}

// double adds a sum to itself.
func (s *FloatSum) double() {
	for i := floatWords - 1; i > 0; i-- {
		s.words[i] = s.words[i]<<1 | s.words[i-1]>>63
	}
	s.words[0] <<= 1
}
