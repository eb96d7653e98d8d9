package exact

import (
	"math"
	"math/big"
	"testing"
	"testing/quick"
)

func TestDecimalMeansWhatWasWritten(t *testing.T) {
	sum := new(big.Rat)
	for range 10 {
		sum.Add(sum, Decimal(0.1))
	}
	if sum.Cmp(big.NewRat(1, 1)) != 0 {
		t.Errorf("ten times 0.1 is %v, want 1", sum)
	}
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if Decimal(x) != nil {
			t.Errorf("Decimal(%v) is a number", x)
		}
	}
}

func TestDirectedConversionsBracket(t *testing.T) {
	check := func(p int64, q int64) bool {
		if q == 0 {
			q = 1
		}
		r := big.NewRat(p, q)
		down, up := FloatDown(r), FloatUp(r)
		ddown, dup := DecimalDown(r), DecimalUp(r)
		next := math.Nextafter(ddown, math.Inf(1))
		return Float(down).Cmp(r) <= 0 && Float(up).Cmp(r) >= 0 &&
			Decimal(ddown).Cmp(r) <= 0 && Decimal(dup).Cmp(r) >= 0 && Decimal(next).Cmp(r) > 0
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 5000}); err != nil {
		t.Error(err)
	}
}

func TestInt128AgreesWithBig(t *testing.T) {
	check := func(a, b, c, d int64, shift uint8) bool {
		x, y := Mul(a, b), Mul(c, d)
		bx := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
		by := new(big.Int).Mul(big.NewInt(c), big.NewInt(d))
		k := uint(shift % 64)
		half := new(big.Int).Rsh(new(big.Int).Lsh(big.NewInt(1), k), 1)
		rounded := new(big.Int).Rsh(half.Add(half, bx), k)
		return x.Big().Cmp(bx) == 0 && x.Sign() == bx.Sign() && x.Cmp(y) == bx.Cmp(by) &&
			x.Add(y).Big().Cmp(new(big.Int).Add(bx, by)) == 0 &&
			x.Sub(y).Big().Cmp(new(big.Int).Sub(bx, by)) == 0 &&
			string(x.Append([]byte("x"))) == "x"+bx.String() && FromBig(bx) == x && FromBig(by) == y &&
			x.RoundShift(k).Big().Cmp(rounded) == 0 && Int(a).Clamp() == a
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 20000}); err != nil {
		t.Error(err)
	}
	for x, want := range map[Int128]int64{Mul(math.MaxInt64, 2): math.MaxInt64, Mul(math.MinInt64, 2): math.MinInt64, Int(-1): -1} {
		if got := x.Clamp(); got != want {
			t.Errorf("%v clamps to %d, want %d", x, got, want)
		}
	}
}

func TestSqrtUpIsNeverBelowAndHardlyAbove(t *testing.T) {
	for _, x := range []*big.Rat{new(big.Rat), big.NewRat(1, 1), big.NewRat(2, 1), big.NewRat(1, 3), big.NewRat(4, 9), big.NewRat(1<<62, 7), big.NewRat(1, 1<<60)} {
		r := SqrtUp(x)
		square := new(big.Rat).Mul(r, r)
		limit := new(big.Rat).Mul(x, new(big.Rat).SetFloat64(1+0x1p-45))
		if square.Cmp(x) < 0 || square.Cmp(limit) > 0 {
			t.Errorf("SqrtUp(%v) = %v", x, r)
		}
	}
}

// Numbers beyond all floats have the largest float on their inner side, and an
// infinity on the other.
func TestNumbersBeyondAllFloatsAreRoundedInTheirDirection(t *testing.T) {
	huge := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 5000))
	minus := new(big.Rat).Neg(huge)
	for name, got := range map[string][2]float64{
		"FloatDown":      {FloatDown(huge), math.MaxFloat64},
		"FloatDown of -": {FloatDown(minus), math.Inf(-1)},
		"FloatUp":        {FloatUp(huge), math.Inf(1)},
		"FloatUp of -":   {FloatUp(minus), -math.MaxFloat64},
		"DecimalDown":    {DecimalDown(huge), math.MaxFloat64},
		"DecimalUp of -": {DecimalUp(minus), -math.MaxFloat64},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %v, want %v", name, got[0], got[1])
		}
	}
}
