package exact

import (
	"math"
	"math/big"
)

// A Near is a number nearly: the sum of two floats, and how far from the number it may
// be. It is for what is wanted as the nearest float, or integer, and takes a rational to know
// for sure: nearly always two floats tell it too, and a Near says whether they do.
//
// With u = 2^-53, a sum, a product and a quotient of two such pairs is off by at most
// 3u²+13u³, 5u² and 15u²+56u³ of itself, as long as nothing under- or overflows (Joldes,
// Muller, Popescu 2017, Tight and rigorous error bounds for basic building blocks of
// double-word arithmetic, algorithms 6, 12 and 17).
type Near struct {
	hi, lo float64 // |lo| is at most half of the last bit of hi
	off    float64 // the bound of what it is off, but for the rounding of the bound
}

const (
	// each is what one operation is off by at most, in parts of its result: 16u².
	each = 0x1p-102

	// slack is for the rounding of bounds, and of their sum with lo.
	slack = 1.25

	// Numbers whose magnitudes are in between have products and quotients of which no part
	// that matters under- or overflows.
	leastNear = 0x1p-200
	mostNear  = 0x1p+200
)

// NearInt returns an integer.
func NearInt(a Int128) Near {
	lo := joined(float64(a.Lo>>32)*0x1p32, float64(uint32(a.Lo)))
	if a.Hi == 0 {
		return lo
	}
	return joined(float64(a.Hi>>32)*0x1p96, float64(uint32(a.Hi))*0x1p64).Add(lo)
}

// NearRat returns a rational.
func NearRat(r *big.Rat) Near {
	hi, _ := r.Float64()
	if math.IsInf(hi, 0) {
		return Near{off: math.Inf(1)}
	}
	rest := Float(hi)
	lo, exactly := rest.Sub(r, rest).Float64()
	if exactly {
		return Near{hi, lo, 0}
	}
	return Near{hi, lo, each*math.Abs(hi) + math.SmallestNonzeroFloat64}
}

// joined returns the exact sum of two floats (Knuth 1998, theorem 4.2.2 B).
func joined(a, b float64) Near {
	s := a + b
	t := s - a
	return Near{hi: s, lo: (a - (s - t)) + (b - t)}
}

// ordered is joined where |a| is at least |b|, or a is 0 (Dekker 1971).
func ordered(a, b float64) Near {
	s := a + b
	return Near{hi: s, lo: b - (s - a)}
}

// Add returns x + y.
func (x Near) Add(y Near) Near {
	s, t := joined(x.hi, y.hi), joined(x.lo, y.lo)
	v := ordered(s.hi, s.lo+t.hi)
	z := ordered(v.hi, t.lo+v.lo)
	z.off = x.off + y.off + each*math.Abs(z.hi)
	return z
}

// Neg returns -x.
func (x Near) Neg() Near { return Near{-x.hi, -x.lo, x.off} }

// Mul returns x · y.
func (x Near) Mul(y Near) Near {
	if x == (Near{}) || y == (Near{}) {
		return Near{}
	}
	high := x.hi * y.hi
	low := math.FMA(x.hi, y.hi, -high)
	z := ordered(high, low+math.FMA(x.lo, y.hi, math.FMA(x.hi, y.lo, x.lo*y.lo)))
	z.off = math.Abs(x.hi)*y.off + x.off*math.Abs(y.hi) + x.off*y.off + each*math.Abs(z.hi)
	return z.within(x, y)
}

// Quo returns x / y, for a y that is not 0.
func (x Near) Quo(y Near) Near {
	if x == (Near{}) {
		return Near{}
	}
	q := x.hi / y.hi
	high := y.hi * q
	r := ordered(high, math.FMA(y.lo, q, math.FMA(y.hi, q, -high)))
	z := ordered(q, ((x.hi-r.hi)+(x.lo-r.lo))/y.hi)
	z.off = (x.off+math.Abs(z.hi)*y.off)/math.Abs(y.hi) + each*math.Abs(z.hi)
	if y.off > 0x1p-20*math.Abs(y.hi) {
		z.off = math.Inf(1)
	}
	return z.within(x, y)
}

// within returns z, and says that it is off by any amount if one of the numbers that it was
// made of is too large or too small.
func (z Near) within(x, y Near) Near {
	a, b := math.Abs(x.hi), math.Abs(y.hi)
	if !(min(a, b) >= leastNear && max(a, b) <= mostNear) {
		z.off = math.Inf(1)
	}
	return z
}

// Sign returns -1, 0 or 1, and whether that is known.
func (x Near) Sign() (sign int, known bool) {
	switch off := slack * x.off; {
	case x.hi+(x.lo-off) > 0:
		return 1, true
	case x.hi+(x.lo+off) < 0:
		return -1, true
	}
	return 0, x == Near{}
}

// Float64 returns the float nearest to the number, halves to the even one, and whether it
// is known: rounding is monotone, so it is where both ends of what the number may be have
// the same.
func (x Near) Float64() (f float64, known bool) {
	off := slack * x.off
	f = x.hi + (x.lo - off)
	return f, f == x.hi+(x.lo+off)
}

// Round returns the integer nearest to the number, halves up, and whether it is known: if
// it has less than 52 bits, and the number is not too near to a half.
func (x Near) Round() (n int64, known bool) {
	t := x.Add(Near{hi: 0.5})
	off, floor := slack*t.off, math.Floor(t.hi)
	above := t.hi - floor // exact
	known = math.Abs(floor) < 1<<52 && above+(t.lo-off) > 0 && above+(t.lo+off) < 1
	if !known {
		return 0, false
	}
	return int64(floor), true
}
