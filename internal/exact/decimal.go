// Package exact holds numbers that do not round: decimals as a person wrote
// them, directed conversions between rationals and floats, and 128-bit sums.
package exact

import (
	"math"
	"math/big"
	"strconv"
)

// Decimal returns the number that a person meant by writing x: the shortest
// decimal that reads back as x. So 0.1 is 1/10 and ten of them are 1. It
// returns nil if x is NaN or infinite.
func Decimal(x float64) *big.Rat {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(x, 'g', -1, 64))
	if !ok {
		panic("exact: internal error: the shortest decimal of a float is not a rational")
	}
	return r
}

// DecimalDown returns the largest float whose [Decimal] is at most r. Amounts
// that are left are shown this way, so that what is shown still fits.
func DecimalDown(r *big.Rat) float64 {
	f := FloatDown(r)
	for up := math.Nextafter(f, math.Inf(1)); atMost(up, r); up = math.Nextafter(f, math.Inf(1)) {
		f = up
	}
	for !atMost(f, r) {
		f = math.Nextafter(f, math.Inf(-1))
	}
	return f
}

// DecimalUp returns the smallest float whose [Decimal] is at least r. Amounts
// that are spent are shown this way.
func DecimalUp(r *big.Rat) float64 {
	return 0 - DecimalDown(new(big.Rat).Neg(r))
}

func atMost(f float64, r *big.Rat) bool {
	d := Decimal(f)
	return d != nil && d.Cmp(r) <= 0
}

// FloatDown returns the largest float64 that is at most r, and -Inf below all
// of them.
func FloatDown(r *big.Rat) float64 {
	f, _ := r.Float64()
	if math.IsInf(f, 1) {
		return math.MaxFloat64
	}
	if math.IsInf(f, -1) || new(big.Rat).SetFloat64(f).Cmp(r) <= 0 {
		return f
	}
	return math.Nextafter(f, math.Inf(-1))
}

// FloatUp returns the smallest float64 that is at least r.
func FloatUp(r *big.Rat) float64 {
	return 0 - FloatDown(new(big.Rat).Neg(r))
}

// Float returns x itself as a rational, without reading it as a decimal. It
// returns nil if x is NaN or infinite.
func Float(x float64) *big.Rat { return new(big.Rat).SetFloat64(x) }

// SqrtUp returns a dyadic rational that is at least the square root of x, and
// above it by less than one part in 2^46. x must not be negative.
func SqrtUp(x *big.Rat) *big.Rat {
	f := new(big.Float).SetPrec(256).SetMode(big.ToPositiveInf).SetRat(x)
	f.Sqrt(f)
	r := RoundUp(f)
	for new(big.Rat).Mul(r, r).Cmp(x) < 0 { // Sqrt rounds to nearest
		r = RoundUp(f.Add(f, new(big.Float).SetMantExp(big.NewFloat(1), f.MantExp(nil)-200)))
	}
	return r
}

// RoundUp returns f rounded up to 48 significant bits, as a rational.
func RoundUp(f *big.Float) *big.Rat {
	r, _ := new(big.Float).SetPrec(48).SetMode(big.ToPositiveInf).Set(f).Rat(nil)
	return r
}

// RatUp returns x rounded up to 48 significant bits.
func RatUp(x *big.Rat) *big.Rat {
	f := new(big.Float).SetPrec(64).SetMode(big.ToPositiveInf).SetRat(x)
	return RoundUp(f)
}
